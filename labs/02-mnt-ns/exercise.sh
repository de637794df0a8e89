# shellcheck shell=bash disable=SC2034,SC2154 # read and set by scripts/learn/box and scripts/exercise
task="Run COMMAND with a tmpfs of KIB kibibytes at FOLDER, mounted nosuid and nodev, which nobody else sees."
look="labs/02-mnt-ns/main.c, unshare_mounts(), which makes the mounts private; mount(2) on the flags, tmpfs(5) on size."
because="unshare() comes first and MS_PRIVATE second, because the copied mount table still shares its mounts with the machine. nosuid and nodev are flags of every mount, while size is an option that only tmpfs understands."

# mounted PID WHAT: prints the type or the options of the mount at $folder in the mount table of PID.
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
	expect "its mount table" "its own" "$(own mnt)" "COMMAND still has the machine's mount table: CLONE_NEWNS is missing."
	expect "at FOLDER, for COMMAND" tmpfs "$(mounted "$it" type)" "COMMAND has no tmpfs there: call mount(source, FOLDER, \"tmpfs\", ...) in the new table."
	expect "at FOLDER, for the machine" "no mount" "$(mounted "$self" type)" \
		"The machine sees the mount too, because the copy of a shared mount is still shared: call mount() with MS_REC | MS_PRIVATE on / first."
	expect "size=${kib}k" yes "$(has "$(mounted "$it" options)" "size=${kib}k")" "The tmpfs has another size: the last argument of mount() holds the options of tmpfs(5)."
	expect "nosuid" yes "$(has "$(mounted "$it" options)" nosuid)" "The mount lacks the flag: nosuid and nodev are flags of mount(2), not options of tmpfs."
	expect "nodev" yes "$(has "$(mounted "$it" options)" nodev)" "The mount lacks the flag: nosuid and nodev are flags of mount(2), not options of tmpfs."
}
