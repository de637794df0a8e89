# shellcheck shell=bash disable=SC2034,SC2154 # read and set by scripts/learn/box and scripts/exercise
task="Run COMMAND with KIB of memory at FOLDER, nosuid and nodev, that nobody else sees."
look="labs/02-mnt-ns/main.c, where the lab makes its mounts private; mount(2) on the flags, tmpfs(5) on size."

# mounted PID WHAT: of the mount at $folder in the table of that process: its type, or its options.
mounted() {
	awk -v at="$folder" -v what="$2" '$5 == at { for (i = 7; $i != "-"; i++) ; type = $(i + 1); options = $6 "," $(i + 3) }
		END { print what == "type" ? (type ? type : "no mount") : options }' "$proc/$1/mountinfo"
}
has() {
	[[ ,$1, == *,$2,* ]] && echo yes || echo no
}

check() {
	local kib
	folder=/mnt/$(word folder) kib=$((4 * $(number size 64 1024)))
	mkdir "$root$folder"
	expect "before: at FOLDER" "no mount" "$(mounted "$self" type)" ""
	start "$folder" "$kib"
	expect_command
	expect "its mount table" "its own" "$(own mnt)" "Nothing of COMMAND's own without CLONE_NEWNS."
	expect "at FOLDER, for COMMAND" tmpfs "$(mounted "$it" type)" "mount(source, FOLDER, \"tmpfs\", ...) in the new table."
	expect "at FOLDER, for the machine" "no mount" "$(mounted "$self" type)" \
		"A new mount table is a copy whose mounts still tell each other: MS_REC | MS_PRIVATE on / first."
	expect "size=${kib}k" yes "$(has "$(mounted "$it" options)" "size=${kib}k")" "The last argument of mount() has the options of tmpfs(5)."
	expect "nosuid" yes "$(has "$(mounted "$it" options)" nosuid)" "nosuid and nodev are flags of mount(2), not options of tmpfs."
	expect "nodev" yes "$(has "$(mounted "$it" options)" nodev)" "nosuid and nodev are flags of mount(2), not options of tmpfs."
}
