# shellcheck shell=bash disable=SC2034,SC2154 # read and set by scripts/learn/box and scripts/exercise
task="Run COMMAND as one container more of pause's Pod: its network, IPC and hostname, but processes and mounts of its own."
look="labs/17-pod/join.h, container_join(); the table of namespaces in the guide's chapter 17; setns(2), with a pidfd."

# whose KIND: of COMMAND's namespaces.
whose() {
	case $(ns "$it" "$1") in
	none) echo gone ;;
	"${of_pause[$1]}") echo "pause's" ;;
	"$(ns "$self" "$1")") echo "the machine's" ;;
	*) echo "its own" ;;
	esac
}
# told PID: by whoever answers at its localhost.
told() {
	at "$1" net busybox nc -w 5 127.0.0.1 "$port" || echo nobody
}
# held PID: bytes of the Pod's segment, as its IPC namespace has it.
held() {
	at "$1" ipc cat /proc/sysvipc/shm | awk -v id="$segment" '$2 == id { found = $4 } END { print found ? found : "none" }'
}
answers() {
	[ "$(told "$pause")" = "$word" ]
}
ended() {
	[[ $(state "$pause") =~ ^(Z|gone)$ ]]
}
# The mounts at the machine's /proc; whether its / still tells other mount tables.
mounts_there() {
	awk '$5 == "/proc" { count++ } $5 == "/" { told = / shared:/ } END { print count ", / " (told ? "shared" : "private") }' \
		"$proc/$self/mountinfo"
}

check() {
	local found mark pause port word name bytes segment before kind pinned
	local -A of_pause
	mark=4$(number pause 100000 999999) port=$(number port 2000 60000) word=$(word answer)
	name=$(word host) bytes=$((4096 * $(number pages 1 64)))
	# Process 1 of a PID namespace, and with its own mounts: what is joined too much is seen.
	on_stage "$groups/program" unshare --net --ipc --uts --mount --pid --fork --kill-child --mount-proc -- sleep "$mark" &
	until_so asleep "$mark"
	pause=${found[0]}
	for kind in net uts ipc mnt pid; do
		of_pause[$kind]=$(ns "$pause" $kind)
		exec {pinned}<"$proc/$pause/ns/$kind"
	done
	at "$pause" net ip link set lo up
	nsenter --net="$proc/$pause/ns/net" -- busybox nc -ll -p "$port" -e echo "$word" >/dev/null 2>&1 </dev/null 3>&- &
	segment=$(at "$pause" ipc ipcmk -M "$bytes") segment=${segment##* }
	until_so answers
	expect "before: at localhost, the machine's and pause's" "nobody, $word" "$(told "$self"), $(told "$pause")" ""
	before=$(mounts_there)

	start "$(pid_there "$pause")"
	expect_command
	at "$pause" uts busybox hostname "$name"
	expect "its network, and who answers at its localhost" "pause's, $word" "$(whose net), $(told "$it")" \
		"CLONE_NEWNET in setns(): it enters pause's. In unshare() it would make another one."
	expect "its IPC, and the bytes of the Pod's segment" "pause's, $bytes" "$(whose ipc), $(held "$it")" \
		"A Pod shares its System V objects too: CLONE_NEWIPC in setns()."
	expect "its UTS, and the Pod's new hostname" "pause's, $name" "$(whose uts), $(at "$it" uts uname -n)" \
		"It is the Pod's, also when it changes later: CLONE_NEWUTS in setns()."
	expect "its PID namespace" "its own" "$(whose pid)" \
		"setns() and unshare() with CLONE_NEWPID are for the children that come after them: unshare(), then fork()."
	expect "its PID in there" 1 "$(awk '/^NSpid/ { print $NF }' "$proc/$it/status")" \
		"The first child after unshare() is process 1. What else was forked before it?"
	expect "the machine's mounts at /proc, and its /" "$before" "$(mounts_there)" \
		"Shared mounts tell each other, and so does MS_PRIVATE: CLONE_NEWNS first, then MS_REC | MS_PRIVATE on /, then the mount."
	expect "its mount table" "its own" "$(whose mnt)" "Each container has its own: unshare(CLONE_NEWNS), and not pause's."
	expect "processes that its ps sees" 1 "$(ps_at "$it")" \
		"ps reads /proc, and /proc shows the namespace of whoever mounted it: mount one in the child."
	go_on
	kill -KILL "$pause"
	until_so ended
	expect "COMMAND, after pause was killed" runs "$([[ $(state "$it") == [RSD] ]] && echo runs || echo gone)" \
		"With process 1 ends its PID namespace, and every one below it: CLONE_NEWPID is not for setns() here."
}
