# shellcheck shell=bash disable=SC2034,SC2154 # read and set by scripts/learn/box and scripts/exercise
task="A service keeps every answer in memory and is killed with 137. Let it live under the limit of GROUP."
look="labs/10-oom-demo/main.c on memory.max and memory.events; and which file of GROUP says how much there is."

check() {
	local group limit requests seed_of sum=0 next i status=0
	group=$groups/$(word group) limit=$(($(number limit 12 24) << 20))
	requests=$(number requests 900 1200) seed_of=$(number seed 1 30000)
	mkdir "$group"
	delegate "$group"/cgroup.procs
	echo "$limit" >"$group/memory.max"
	[ ! -e "$group/memory.swap.max" ] || echo 0 >"$group/memory.swap.max"
	expect "before: oom_kill in memory.events" 0 "$(sed -n 's/^oom_kill //p' "$group/memory.events")" ""
	next=$seed_of
	for ((i = 0; i < requests; i++)); do
		next=$(((next * 1103515245 + 12345) % 2147483648))
		sum=$((sum + 1 + next / 65536 % 4096 % 100))
	done
	on_stage "$group" timeout 20 /exercise "/sys/fs/cgroup/${group##*/}" "$requests" "$seed_of" || status=$?
	expect "how it ended" 0 $status \
		"137 is 128 + SIGKILL. What it holds, and it itself, have to stay below memory.max: who gives blocks back, and by free(3)?"
	expect "oom_kill in memory.events" 0 "$(sed -n 's/^oom_kill //p' "$group/memory.events")" "The kernel has killed in GROUP."
	expect "the sum of its answers" "$sum" "$(last_words)" \
		"A block that was given back is no block of its key any more: cache[key] is NULL then."
	expect "memory.peak of at least half of memory.max" yes \
		"$([ "$(cat "$group/memory.peak")" -ge $((limit / 2)) ] && echo yes || echo "no, $(cat "$group/memory.peak") of $limit")" \
		"A cache that holds next to nothing is none: how many blocks does memory.max have room for?"
}
