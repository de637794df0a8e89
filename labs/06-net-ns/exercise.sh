# shellcheck shell=bash disable=SC2034,SC2154 # read and set by scripts/box and scripts/exercise
task="Run COMMAND in the network and UTS namespaces of process PID, and in no other of its namespaces."
look="labs/06-net-ns/more.c, which enters a container; setns(2), and ls -l /proc/self/ns."

# of KIND: whose namespace COMMAND is in.
of() {
	case $(ns "$it" "$1") in
	"$(ns "$pause" "$1")") echo "PID's" ;;
	"$(ns "$self" "$1")") echo "the machine's" ;;
	*) echo "its own" ;;
	esac
}

check() {
	unshare --net --uts --ipc --mount -- sleep 600 3>&- &
	pause=$!
	until [ "$(ns "$pause" mnt)" != "$(ns "$self" mnt)" ] && [ "$(cat "$proc/$pause/comm")" = sleep ]; do sleep 0.05; done
	expect "before: PID's network is the machine's" no "$([ "$(ns "$pause" net)" = "$(ns "$self" net)" ] && echo yes || echo no)" ""
	start "$pause"
	expect_command
	expect "its network namespace" "PID's" "$(of net)" "setns() on /proc/PID/ns/net; unshare() would make a third one."
	expect "its UTS namespace" "PID's" "$(of uts)" "One setns() enters one namespace by its file: /proc/PID/ns/uts too."
	expect "its IPC namespace" "the machine's" "$(of ipc)" "Only these two were asked for."
	expect "its mount namespace" "the machine's" "$(of mnt)" "Only these two were asked for: another table would hide its own files."
}
