# shellcheck shell=bash disable=SC2034,SC2154 # read and set by scripts/box and scripts/exercise
task="A service keeps every answer in memory and is killed with 137. Let it live under the limit of GROUP."
look="labs/10-oom-demo/main.c on memory.max and memory.events; and which file of GROUP says how much there is."
place=vm

check() {
	local group limit requests seed_of sum=0 next i status=0
	group=$(new_group) limit=$(($(number limit 12 24) << 20))
	requests=$(number requests 900 1200) seed_of=$(number seed 1 30000)
	echo +memory >/sys/fs/cgroup/cgroup.subtree_control
	mkdir "$group"
	echo "$limit" >"$group/memory.max"
	[ ! -e "$group/memory.swap.max" ] || echo 0 >"$group/memory.swap.max"
	expect "before: oom_kill in memory.events" 0 "$(sed -n 's/^oom_kill //p' "$group/memory.events")" ""
	next=$seed_of
	for ((i = 0; i < requests; i++)); do
		next=$(((next * 1103515245 + 12345) % 2147483648))
		sum=$((sum + 1 + next / 65536 % 4096 % 100))
	done
	# shellcheck disable=SC2016 # that shell expands it
	timeout 20 sh -c 'echo 0 >"$0/cgroup.procs"; exec "$@"' "$group" "$program" "$group" "$requests" "$seed_of" \
		>"$box/said" 2>&1 </dev/null 3>&- || status=$?
	expect "how it ended" 0 $status \
		"137 is 128 + SIGKILL. What it holds, and it itself, have to stay below memory.max: who gives blocks back, and by free(3)?"
	expect "oom_kill in memory.events" 0 "$(sed -n 's/^oom_kill //p' "$group/memory.events")" "The kernel has killed in GROUP."
	expect "the sum of its answers" "$sum" "$(tail -n 1 "$box/said" | cut -c 1-60)" \
		"A block that was given back is no block of its key any more: cache[key] is NULL then."
	expect "memory.peak of at least half of memory.max" yes \
		"$([ "$(cat "$group/memory.peak")" -ge $((limit / 2)) ] && echo yes || echo "no, $(cat "$group/memory.peak") of $limit")" \
		"A cache that holds next to nothing is none: how many blocks does memory.max have room for?"
}
