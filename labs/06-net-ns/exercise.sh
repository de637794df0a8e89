# shellcheck shell=bash disable=SC2034,SC2154 # read and set by scripts/learn/box and scripts/exercise
task="Run COMMAND in the network and UTS namespaces of process PID, and in no other of its namespaces."
look="labs/06-net-ns/more.c, which enters a container; setns(2), and ls -l /proc/self/ns."

# of KIND: whose namespace COMMAND is in.
of() {
	case $(ns "$it" "$1") in
	none) echo gone ;;
	"${of_pause[$1]}") echo "PID's" ;;
	"$(ns "$self" "$1")") echo "the machine's" ;;
	*) echo "its own" ;;
	esac
}

check() {
	local found mark pause kind pinned
	local -A of_pause
	mark=4$(number pause 100000 999999)
	on_stage "$groups/program" unshare --net --uts --ipc --mount -- sleep "$mark" &
	until_so asleep "$mark"
	pause=${found[0]}
	for kind in net uts ipc mnt; do
		of_pause[$kind]=$(ns "$pause" $kind)
		exec {pinned}<"$proc/$pause/ns/$kind"
	done
	expect "before: PID's network is the machine's" no "$([ "${of_pause[net]}" = "$(ns "$self" net)" ] && echo yes || echo no)" ""
	start "$(pid_there "$pause")"
	expect_command
	expect "its network namespace" "PID's" "$(of net)" "setns() on /proc/PID/ns/net; unshare() would make a third one."
	expect "its UTS namespace" "PID's" "$(of uts)" "One setns() enters one namespace by its file: /proc/PID/ns/uts too."
	expect "its IPC namespace" "the machine's" "$(of ipc)" "Only these two were asked for."
	expect "its mount namespace" "the machine's" "$(of mnt)" "Only these two were asked for: another table would hide its own files."
}
