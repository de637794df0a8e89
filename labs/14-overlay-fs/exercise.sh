# shellcheck shell=bash disable=SC2034,SC2154 # read and set by scripts/learn/box and scripts/exercise
task="Run COMMAND with the files of IMAGE at PLACE; its changes go to CHANGES, and IMAGE stays as it is."
look="labs/14-overlay-fs/main.c, the step that mounts; overlayfs.rst, \"Upper and Lower\"."
because="The mount table is private before the overlay is mounted, so only COMMAND sees the overlay. CHANGES and WORK lie on one file system, because overlayfs prepares a file in workdir and then renames it into upperdir."

check() {
	local image=/mnt/image changes=/mnt/changes place=/mnt/place file
	mkdir "$root"{$image,$changes,/mnt/work,$place}
	file=$(word file)
	echo "of the image" >"$root$image/$file"
	delegate "$root"/mnt/* "$root$image/$file"
	expect "before: the file at PLACE" "not there" "$(read_at "$self" "$place/$file" >/dev/null && echo there || echo "not there")" ""
	start "$image" "$changes" /mnt/work "$place"
	expect_command
	expect "a file of IMAGE at PLACE" "of the image" "$(read_at "$it" "$place/$file")" \
		"PLACE does not show the image. An overlay shows its layers at the target of the mount: lowerdir is IMAGE, and the target is PLACE."
	expect "at PLACE, for the machine" "not there" "$(read_at "$self" "$place/$file" >/dev/null && echo there || echo "not there")" \
		"The mount is visible to the whole machine: call unshare(CLONE_NEWNS) and set MS_PRIVATE first."
	expect "a write there" written "$(write_at "$it" "$place/$file" changed && echo written || echo refused)" \
		"The overlay refuses writes. Without an upperdir, or with MS_RDONLY, an overlay is read-only."
	expect "the file in IMAGE" "of the image" "$(read_at "$self" "$image/$file")" \
		"The write has reached the image: a bind mount has no layers, and an overlay's lower layer is never written."
	expect "the file in CHANGES" changed "$(read_at "$self" "$changes/$file")" "The changed file went somewhere else. The upper layer is CHANGES: copy-up puts the file there."
}
