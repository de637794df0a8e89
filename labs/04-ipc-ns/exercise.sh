# shellcheck shell=bash disable=SC2034,SC2154 # read and set by scripts/learn/box and scripts/exercise
task="Run COMMAND where a shared memory segment of KEY and BYTES lies ready, which the machine does not have."
look="labs/04-ipc-ns/main.c, the steps before and after unshare(); shmget(2) on IPC_CREAT."

# segment COLUMN PID: that column of /proc/sysvipc/shm in the segment of $key: 3 mode, 4 bytes.
segment() {
	at "$2" ipc cat /proc/sysvipc/shm | awk -v key="$key" -v column="$1" '$1 == key { found = $column } END { print found ? found : "none" }'
}

check() {
	local bytes
	key=$(number key 10000 99999) bytes=$((4096 * $(number pages 1 64)))
	expect "before: a segment of KEY on the machine" none "$(segment 4 "$self")" ""
	start "$key" "$bytes"
	expect_command
	expect "its IPC namespace" "its own" "$(own ipc)" "unshare(CLONE_NEWIPC), before COMMAND is executed."
	expect "a segment of KEY on the machine" none "$(segment 4 "$self")" \
		"It was made before the namespace: an object belongs to the namespace of who makes it."
	expect "bytes of the segment in there" "$bytes" "$(segment 4 "$it")" "shmget(KEY, BYTES, IPC_CREAT | 0600) in the new namespace."
	expect "its mode" 600 "$(segment 3 "$it")" "The lowest nine bits of shmget()'s flags are the mode: 0600, in octal."
}
