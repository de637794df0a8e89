# shellcheck shell=bash disable=SC2034,SC2154 # read and set by scripts/learn/box and scripts/exercise
task="Run COMMAND as one more container in the Pod of pause. It shares the network, IPC and hostname of the Pod; its processes and mounts are its own."
look="labs/17-pod/sandbox.c, container_join(); the table of namespaces in the guide's chapter 17; setns(2), with a pidfd."
because="One setns() with a pidfd joins the three namespaces, and a pidfd never comes to mean another process. unshare() and fork() come after it, because a container has its own PID and mount namespaces in the Pod."

# whose KIND: whose namespace of this kind COMMAND is in.
whose() {
	case $(ns "$it" "$1") in
	none) echo gone ;;
	"${of_pause[$1]}") echo "pause's" ;;
	"$(ns "$self" "$1")") echo "the machine's" ;;
	*) echo "its own" ;;
	esac
}
# told PID: what a server at its localhost answers.
told() {
	at "$1" net busybox nc -w 5 127.0.0.1 "$port" || echo nobody
}
# held PID: the size of the Pod's segment in its IPC namespace, in bytes.
held() {
	at "$1" ipc cat /proc/sysvipc/shm | awk -v id="$segment" '$2 == id { found = $4 } END { print found ? found : "none" }'
}
answers() {
	[ "$(told "$pause")" = "$word" ]
}
ended() {
	[[ $(state "$pause") =~ ^(Z|gone)$ ]]
}
# The number of mounts at the machine's /proc, and whether its / is shared.
mounts_there() {
	awk '$5 == "/proc" { count++ } $5 == "/" { told = / shared:/ } END { print count ", / " (told ? "shared" : "private") }' \
		"$proc/$self/mountinfo"
}

check() {
	local found mark pause port word name bytes segment before kind pinned
	local -A of_pause
	mark=4$(number pause 100000 999999) port=$(number port 2000 60000) word=$(word answer)
	name=$(word host) bytes=$((4096 * $(number pages 1 64)))
	# Pause has its own PID and mount namespaces too, so joining one too many is seen.
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
		"COMMAND is not in pause's network. CLONE_NEWNET belongs into setns(), which joins that namespace; unshare() would make a new one."
	expect "its IPC, and the bytes of the Pod's segment" "pause's, $bytes" "$(whose ipc), $(held "$it")" \
		"COMMAND does not see the Pod's shared memory. A Pod shares its IPC namespace: CLONE_NEWIPC in setns()."
	expect "its UTS, and the Pod's new hostname" "pause's, $name" "$(whose uts), $(at "$it" uts uname -n)" \
		"COMMAND does not have the Pod's hostname. Sharing means joining the namespace, not copying the name: CLONE_NEWUTS in setns()."
	expect "its PID namespace" "its own" "$(whose pid)" \
		"COMMAND is in a PID namespace that is not its own. CLONE_NEWPID affects later children only: call unshare(), then fork()."
	expect "its PID in there" 1 "$(awk '/^NSpid/ { print $NF }' "$proc/$it/status")" \
		"COMMAND is not process 1. Only the first child after unshare() is. Did your program fork another one before?"
	expect "the machine's mounts at /proc, and its /" "$before" "$(mounts_there)" \
		"A mount of yours has changed the machine's mount table. First CLONE_NEWNS, then MS_REC | MS_PRIVATE on /, then mount /proc."
	expect "its mount table" "its own" "$(whose mnt)" "COMMAND has a mount table that is not its own. CLONE_NEWNS belongs into unshare(), not into setns()."
	expect "processes that its ps sees" 1 "$(ps_at "$it")" \
		"COMMAND sees another /proc. ps reads /proc, which shows the PID namespace of the process that mounted it: mount it in the child."
	go_on
	kill -KILL "$pause"
	until_so ended
	expect "COMMAND, after pause was killed" runs "$([[ $(state "$it") == [RSD] ]] && echo runs || echo gone)" \
		"COMMAND was killed together with pause, so it is in pause's PID namespace. Leave CLONE_NEWPID out of setns()."
}
