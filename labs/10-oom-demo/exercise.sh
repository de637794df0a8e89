# shellcheck shell=bash disable=SC2034,SC2154 # read and set by scripts/learn/box and scripts/exercise
task="A service keeps every answer in memory and is killed with 137. Change it so that it survives below the memory.max of GROUP and still uses at least half of that limit as its cache."
look="labs/10-oom-demo/main.c on memory.max and memory.events. The file memory.max in GROUP holds the limit."
because="The cache uses three quarters of memory.max, because the program itself counts for the same limit. The slot of an evicted block becomes NULL, so a later request builds the block again instead of reading freed memory."

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
		"137 is 128 + SIGKILL: the cache and the program together used more than memory.max. Does your code call free(3) on old blocks? 139 is a wrong address, and 124 means that it took too long."
	expect "oom_kill in memory.events" 0 "$(sed -n 's/^oom_kill //p' "$group/memory.events")" "The kernel killed a process in GROUP, because the group needed more than memory.max."
	expect "the sum of its answers" "$sum" "$(last_words)" \
		"An answer came from a block that is not there any more. After free() the key still points to that memory, until you set cache[key] to NULL."
	expect "memory.peak of at least half of memory.max" yes \
		"$([ "$(cat "$group/memory.peak")" -ge $((limit / 2)) ] && echo yes || echo "no, $(cat "$group/memory.peak") of $limit")" \
		"The cache is too small to be useful. How many blocks fit below memory.max?"
}
