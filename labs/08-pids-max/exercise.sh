# shellcheck shell=bash disable=SC2034,SC2154 # read and set by scripts/learn/box and scripts/exercise
task="Make GROUP, allow it at most MAX tasks, and run COMMAND in it."
look="labs/08-pids-max/main.c, where pids.max is written; cgroup-v2.rst on the PID controller."
because="The limit is written before the process joins, so no task ever runs in GROUP without it. The program becomes COMMAND with execvp() instead of forking, so it takes none of the MAX tasks."

check() {
	local group max
	group=$groups/$(word group) max=$(number max 8 24)
	expect "before: GROUP" "not there" "$([ -e "$group" ] && echo there || echo "not there")" ""
	start "/sys/fs/cgroup/${group##*/}" "$max"
	expect_command
	expect "its group" "0::/${group##*/}" "$(group_of "$it")" \
		"COMMAND runs in another group. mkdir(2) makes a group, and a process joins it by writing 0 to its cgroup.procs."
	expect "pids.max" "$max" "$(cat "$group/pids.max")" "GROUP has another limit, or none. The limit is a file of GROUP, pids.max, which takes MAX as text."
	expect "tasks in GROUP" 1 "$(cat "$group/pids.current")" \
		"GROUP holds a second process, which takes one of the MAX tasks. Does your program fork and wait in GROUP? Let it become COMMAND: exec it."
	go_on
	# shellcheck disable=SC2016 # that shell expands it
	sh -c 'echo 0 >"$0/cgroup.procs"; for i in $(seq 40); do sleep 600 & done; wait' "$group" >/dev/null 2>&1 3>&- &
	sleep 1
	expect "tasks in GROUP, after 40 more were asked for" "$max" "$(cat "$group/pids.current")" \
		"The processes that COMMAND starts are not limited. Write pids.max in GROUP before COMMAND runs."
}
