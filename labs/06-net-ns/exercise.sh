# shellcheck shell=bash disable=SC2034,SC2154 # read and set by scripts/learn/box and scripts/exercise
task="Run COMMAND in the network and UTS namespaces of process PID. Its other namespaces stay as they are."
look="labs/06-net-ns/main.c, which enters web by setns(); setns(2), and ls -l /proc/self/ns."
because="Both files are opened before the first setns(), so a wrong PID changes nothing. setns() gets the kind as its second argument, so the kernel refuses a file of another kind."

# of KIND: which process's namespace of that kind COMMAND is in.
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
	expect "its network namespace" "PID's" "$(of net)" "Open /proc/PID/ns/net and call setns() on it; unshare() would make a third one."
	expect "its UTS namespace" "PID's" "$(of uts)" "Each setns() enters one namespace: open /proc/PID/ns/uts too, and call setns() on it."
	expect "its IPC namespace" "the machine's" "$(of ipc)" "COMMAND has left the machine's IPC namespace. Only these two were asked for: network and UTS."
	expect "its mount namespace" "the machine's" "$(of mnt)" "COMMAND has another mount table, which hides the machine's files. Only these two were asked for: network and UTS."
}
