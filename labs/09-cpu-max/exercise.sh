# shellcheck shell=bash disable=SC2034,SC2154 # read and set by scripts/learn/box and scripts/exercise
task="Make GROUP, give it PERCENT of one CPU in each period of 100 ms, and run COMMAND in it."
look="labs/09-cpu-max/main.c, where cpu.max is written; cgroup-v2.rst on cpu.max: \$MAX \$PERIOD, in microseconds."
because="Quota and period go into one write(), because the kernel reads each write() to cpu.max as a whole line. The limit is there before the process joins, so COMMAND never runs without it."

check() {
	local group percent before used
	group=$groups/$(word group) percent=$(number percent 15 40)
	expect "before: GROUP" "not there" "$([ -e "$group" ] && echo there || echo "not there")" ""
	start "/sys/fs/cgroup/${group##*/}" "$percent"
	expect_command
	expect "its group" "0::/${group##*/}" "$(group_of "$it")" "COMMAND runs in another group. A process joins GROUP by writing 0 to GROUP/cgroup.procs."
	expect "cpu.max" "${percent}000 100000" "$(cat "$group/cpu.max")" \
		"The file has another quota or period. cpu.max takes two numbers in microseconds: the quota, PERCENT hundredths of the period, and the period, 100000."
	go_on
	# shellcheck disable=SC2016 # that shell expands it
	sh -c 'echo 0 >"$0/cgroup.procs"; while :; do :; done' "$group" >/dev/null 2>&1 3>&- &
	sleep 3
	kill -KILL $!
	expect "a spinner in there was throttled" yes "$(awk '/^nr_throttled/ { print ($2 > 5) ? "yes" : "no, " $2 " times" }' "$group/cpu.stat")" \
		"The kernel never stopped a busy process in GROUP. Did you write cpu.max of GROUP, and not of another group?"
}
