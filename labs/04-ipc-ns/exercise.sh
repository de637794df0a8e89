# shellcheck shell=bash disable=SC2034,SC2154 # read and set by scripts/learn/box and scripts/exercise
task="Run COMMAND in a new IPC namespace that has a shared memory segment of KEY and BYTES. The machine does not get the segment."
look="labs/04-ipc-ns/main.c, create_segment() and container(); shmget(2) on IPC_CREAT."
because="shmget() comes after unshare(), because a segment belongs to the namespace of the process that creates it. IPC_EXCL makes the call fail instead of quietly opening a segment that already has this key."

# segment COLUMN PID: that column of the line of $key in /proc/sysvipc/shm, as PID sees it: 3 is the mode, 4 the bytes.
segment() {
	at "$2" ipc cat /proc/sysvipc/shm | awk -v key="$key" -v column="$1" '$1 == key { found = $column } END { print found ? found : "none" }'
}

check() {
	local bytes
	key=$(number key 10000 99999) bytes=$((4096 * $(number pages 1 64)))
	expect "before: a segment of KEY on the machine" none "$(segment 4 "$self")" ""
	start "$key" "$bytes"
	expect_command
	expect "its IPC namespace" "its own" "$(own ipc)" "COMMAND is in the machine's IPC namespace: call unshare(CLONE_NEWIPC) before you execute it."
	expect "a segment of KEY on the machine" none "$(segment 4 "$self")" \
		"You created the segment before the namespace. An object belongs to the namespace of the process that creates it."
	expect "bytes of the segment in there" "$bytes" "$(segment 4 "$it")" "The segment is missing or has another size: call shmget(KEY, BYTES, IPC_CREAT | 0600) in the new namespace."
	expect "its mode" 600 "$(segment 3 "$it")" "The lowest nine bits of the flags of shmget() are the mode: 0600, in octal."
}
