# shellcheck shell=bash disable=SC2034,SC2154 # read and set by scripts/box and scripts/exercise
task="Run COMMAND with the files of IMAGE at PLACE; what it changes lies in CHANGES, and IMAGE stays as it is."
look="labs/14-overlay-fs/main.c, the step that mounts; overlayfs.rst, \"Upper and Lower\"."

check() {
	local image=$box/mnt/image changes=$box/mnt/changes place=$box/mnt/place file inside
	mkdir "$image" "$changes" "$box/mnt/work" "$place"
	file=$(word file)
	echo "of the image" >"$image/$file"
	expect "before: the file at PLACE" "not there" "$([ -e "$place/$file" ] && echo there || echo "not there")" ""
	start "$image" "$changes" "$box/mnt/work" "$place"
	expect_command
	inside=$proc/$it/root$place
	expect "a file of IMAGE at PLACE" "of the image" "$(cat "$inside/$file" 2>/dev/null)" \
		"An overlay shows its layers at the mount's target: lowerdir is IMAGE, the target PLACE."
	expect "at PLACE, for the machine" "not there" "$([ -e "$place/$file" ] && echo there || echo "not there")" \
		"Mounted where everybody sees it: CLONE_NEWNS and MS_PRIVATE come first."
	expect "a write there" written "$({ echo "changed" >"$inside/$file"; } 2>/dev/null && echo written || echo refused)" \
		"Without an upperdir, or with MS_RDONLY, an overlay is read-only."
	expect "the file in IMAGE" "of the image" "$(cat "$image/$file")" \
		"What was written has reached the image: a bind mount has no layers, an overlay's lower layer is never written."
	expect "the file in CHANGES" changed "$(cat "$changes/$file" 2>/dev/null)" "The upper layer is CHANGES: copy-up puts the file there."
}
