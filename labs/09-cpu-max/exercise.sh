# shellcheck shell=bash disable=SC2034,SC2154 # read and set by scripts/learn/box and scripts/exercise
task="Make GROUP, which gets PERCENT of one processor in each period of 100 ms, and run COMMAND in it."
look="labs/09-cpu-max/main.c, where cpu.max is written; cgroup-v2.rst on cpu.max: \$MAX \$PERIOD, in microseconds."

check() {
	local group percent before used
	group=$groups/$(word group) percent=$(number percent 15 40)
	expect "before: GROUP" "not there" "$([ -e "$group" ] && echo there || echo "not there")" ""
	start "/sys/fs/cgroup/${group##*/}" "$percent"
	expect_command
	expect "its group" "0::/${group##*/}" "$(group_of "$it")" "Its member becomes who writes 0 into GROUP/cgroup.procs."
	expect "cpu.max" "${percent}000 100000" "$(cat "$group/cpu.max")" \
		"Two numbers, both in microseconds: of 100000, the period, PERCENT hundredths."
	go_on
	# shellcheck disable=SC2016 # that shell expands it
	sh -c 'echo 0 >"$0/cgroup.procs"; while :; do :; done' "$group" >/dev/null 2>&1 3>&- &
	sleep 3
	kill -KILL $!
	expect "a spinner in there was throttled" yes "$(awk '/^nr_throttled/ { print ($2 > 5) ? "yes" : "no, " $2 " times" }' "$group/cpu.stat")" \
		"A spinner that is never stopped has no limit: is cpu.max GROUP's?"
}
