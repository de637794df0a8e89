#!/usr/bin/env bats
# 14-overlay-fs, seen from outside while it waits: its folders by /proc/PID/root,
# its mounts in /proc/PID/mountinfo, what its processes have mapped in
# /proc/PID/smaps, and the same once more by hand with mount(8). "# check:" names
# the lab's check whose fact is obtained here a second time.

load helper
program=14-overlay-fs
tree=$ROOT/build/rootfs/tree
userxattr=
[ "$EUID" = 0 ] || userxattr=,userxattr

# What the lab has at PATH below its /tmp.
at() {
	echo "/proc/$lab/root/tmp/$1"
}
read_at() {
	cat "$(at "$1")" 2>/dev/null || echo "none"
}
list_at() {
	find "$(at "$1")" -mindepth 1 -maxdepth 1 2>/dev/null | sed 's|.*/||' | sort | xargs
}

# All that a write would change in the image: contents, inode, size, time of change.
image() {
	local file
	for file in "$(at image)"/*; do
		stat -c '%n %i %s %Z' "$file"
		cat "$file"
	done 2>&1
}

# The overlay at PATH in the table of PID: "LOWER UPPER WORK".
layers() {
	awk -v at="$2" '$5 == at { print $NF }' "/proc/$1/mountinfo" | tr , '\n' |
		sed -n 's/^\(lower\|upper\|work\)dir=//p' | xargs
}

# KiB of a line in /proc/PID/smaps, of the mapping of the image's program.
mapped() {
	awk -v key="$2:" '/\/program/ { found = 1 } found && $1 == key { print $2; exit }' "/proc/$1/smaps"
}

# KiB that the lab's filesystem holds.
disk_used() {
	local blocks free size
	read -r blocks free size < <(stat -f -c '%b %f %S' "$(at .)")
	echo $(((blocks - free) * size / 1024))
}

observe_main() {
	fact own_mnt "$(ns_of self mnt)"
	fact own_tmp "$(stat -Lc %d /tmp)"
	fact table_before "$(grep -E ' /tmp |lab14' /proc/self/mountinfo || :)"
	fact tree_before "$(stat -c '%n %i %Z' "$tree" "$tree"/* "$tree"/etc/*)"
	lab_start "$LABS/$program"

	lab_go_to 1 || :
	fact lab_mnt "$(ns_of "$lab" mnt)"
	fact lab_tmp "$(stat -Lc %d "$(at .)")"
	fact shared "$(grep -cE ' (shared|master):' "/proc/$lab/mountinfo" || :)"
	fact lab_mounts "$(awk '/lab14/ { print $5 }' "/proc/$lab/mountinfo" | xargs)"

	lab_go_to 2 || :
	fact web_layers "$(layers "$lab" /tmp/web/root)"
	fact image_2 "$(image)"
	fact web_files "$(list_at web/root)"
	fact web_config_2 "$(read_at web/root/config)"
	fact web_upper_2 "$(list_at web/upper)"

	lab_go_to 3 || :
	fact web_config "$(read_at web/root/config)"
	fact upper_config "$(read_at web/upper/config)"
	fact image_config "$(read_at image/config)"
	fact image_3 "$(image)"

	lab_go_to 4 || :
	fact web_secret "$(read_at web/root/secret)"
	fact upper_secret "$(stat -c '%F %t %T' "$(at web/upper/secret)")"
	fact image_secret "$(read_at image/secret)"

	lab_go_to 5 || :
	fact db_layers "$(layers "$lab" /tmp/db/root)"
	fact db_config "$(read_at db/root/config)"
	fact db_secret "$(read_at db/root/secret)"
	fact db_files "$(list_at db/root)"
	fact db_upper "$(list_at db/upper)"
	fact web_files_5 "$(list_at web/root)"
	fact image_5 "$(image)"
	fact image_files "$(list_at image)"
	fact table_meanwhile "$(grep -E ' /tmp |lab14' /proc/self/mountinfo || :)"
	lab_end
	fact status "$lab_status"
}

observe_more() {
	local web db
	lab_step=0
	lab_start "$LABS/$program-more"
	lab_go_to 1 || :
	fact inodes "$(stat -c %i "$(at image/program)" "$(at web/root/program)" "$(at db/root/program)" | xargs)"
	fact devices "$(stat -c %d "$(at web/root/program)" "$(at db/root/program)" | sort -u | wc -l)"
	lab_go_to 2 || :
	web=$lab_pid
	fact alone "$(mapped "$web" Rss) $(mapped "$web" Pss)"
	lab_go_to 3 || :
	db=$lab_pid
	fact both "$(mapped "$web" Rss) $(mapped "$web" Pss) $(mapped "$db" Rss) $(mapped "$db" Pss)"
	lab_go_to 4 || :
	fact after_copy "$(mapped "$web" Rss) $(mapped "$web" Pss) $(mapped "$db" Rss) $(mapped "$db" Pss)"
	fact copied "$(stat -c %s "$(at db/upper/program)")"
	fact first_bytes "$(head -c 1 "$(at image/program)")$(head -c 1 "$(at web/root/program)")$(head -c 1 "$(at db/root/program)")"
	lab_go_to 5 || :
	fact late_layers "$(layers "$lab" /tmp/late/root)"
	fact late_config "$(read_at late/root/config) $(read_at late/root/secret) $(read_at image/secret)"
	lab_go_to 6 || :
	fact anew "$(list_at late/root/etc)"
	fact below "$(list_at image/etc)"
	fact used_before "$(disk_used)"
	lab_go_to 7 || :
	fact used_after "$(disk_used)"
	fact overlays "$(grep -c ' /tmp/c[0-9]*/root .* overlay ' "/proc/$lab/mountinfo")"
	lab_end
	fact status_of_more "$lab_status"
}

setup_file() {
	"$LABS/$program" --can-run || return 0
	observe_main
	observe_more
	strace -f -qq -s 128 -e trace=mount,umount2,write,unlink,unlinkat,mknod,mknodat,mkdir,mkdirat \
		-o "$BATS_FILE_TMPDIR/calls" "$LABS/$program" --format=jsonl >/dev/null 2>&1 3>&- || :
	fact table_after "$(grep -E ' /tmp |lab14' /proc/self/mountinfo || :)"
}

setup() {
	needs_lab "$program"
	read_facts
	calls=$BATS_FILE_TMPDIR/calls
}

# by_hand COMMANDS: in a mount table and a tmpfs of this test's own, with the folders of an overlay.
by_hand() {
	unshare "${userns_make[@]}" --mount sh -ec 'mount -t tmpfs by-hand /tmp; cd /tmp
		mkdir image plain upper work root; echo built >image/file; echo built >image/other
		'"$1"
}
overlay="mount -t overlay -o lowerdir=image,upperdir=upper,workdir=work$userxattr overlay root"

@test "14-overlay-fs: all that it writes goes to a filesystem of its own" {
	differ "the lab's table beside this machine's" "$own_mnt" "$lab_mnt"
	same "mounts that are shared, or slaves" 0 "$shared"
	# check: its /tmp
	differ "the device of its /tmp beside this machine's" "$own_tmp" "$lab_tmp"
	same "what it has mounted by step 1" /tmp "$lab_mounts"
	same "this machine's table, while the lab mounts" "$table_before" "$table_meanwhile"
	same "this machine's table, after it" "$table_before" "$table_after"
}

@test "14-overlay-fs: control: who is given the image itself spoils it" {
	# check: control: the image's config
	spoiler=$(caller_of 'write\([0-9]+, "spoilt", 6\) += 6')
	same "what was mounted then" "$spoiler" "$(caller_of 'mount\("image", "plain", NULL, MS_BIND, NULL\) += 0')"
	same "overlays by then" "" "$(sed '/"spoilt"/q' "$calls" | grep 'lowerdir=image' || :)"
	# By hand, the same write by a bind mount and by an overlay.
	same "the image behind a bind mount" spoilt \
		"$(by_hand 'mount --bind image plain; echo spoilt >plain/file; cat image/file')"
	same "the image behind an overlay, and what is seen" "built spoilt" \
		"$(by_hand "$overlay; echo spoilt >root/file; cat image/file root/file" | xargs)"
}

@test "14-overlay-fs: an overlay shows the image, and upper is empty until something is written" {
	same "the layers of web" "image web/upper web/work" "$web_layers"
	same "its files" "config secret" "$web_files"
	# check: web: config
	same "config" "as built" "$web_config_2"
	# check: web: its upper folder
	same "upper" "" "$web_upper_2"
	same "what is in upper when all was only read, by hand" "" "$(by_hand "$overlay; cat root/* >/dev/null; ls -A upper")"
}

@test "14-overlay-fs: the first write copies the file up, and the image stays as it was" {
	# check: web: config, written
	same "config, seen by web" "by web" "$web_config"
	# check: upper: config
	same "config in upper" "by web" "$upper_config"
	# check: image: config
	same "config in the image" "as built" "$image_config"
	same "the image, with inodes and times" "$image_2" "$image_3"
}

@test "14-overlay-fs: to delete is to write a whiteout" {
	# check: web: secret
	same "secret, seen by web" none "$web_secret"
	# check: upper: secret
	same "secret in upper" "character special file 0 0" "$upper_secret"
	# The kernel has made it: the lab makes no node.
	same "nodes that the lab makes" "" "$(grep -E '(mknod|mknodat)\(' "$calls" || :)"
	# check: image: secret
	same "secret in the image" "as built" "$image_secret"
	same "by hand: upper, then the image" "c file file other" \
		"$(by_hand "$overlay; rm root/file; ls -l upper | sed -n 's/^\(c\).* /\1 /p'; ls image" | xargs)"
}

@test "14-overlay-fs: a second container finds the image as it was built" {
	same "its layers" "image db/upper db/work" "$db_layers"
	# check: db: config
	same "config, seen by db" "as built" "$db_config"
	# check: db: its files
	same "secret, seen by db" "as built" "$db_secret"
	same "its files, with its own" "config data secret" "$db_files"
	# check: db: its upper folder
	same "its upper folder" data "$db_upper"
	same "the files of web, then" config "$web_files_5"
	# check: image: its files
	same "the files of the image" "config secret" "$image_files"
	same "the image, with inodes and times" "$image_2" "$image_5"
}

@test "14-overlay-fs: a COMMAND may delete all of its root, and the tree stays as it is" {
	result=$("$LABS/$program" -- sh -c 'rm -rf /etc /usr /home; echo new >/new
		grep " / / " /proc/self/mountinfo || mount | grep " / "; ls / | xargs' 2>/dev/null)
	[[ $result == *" overlay "* ]] || same "its root" "an overlay" "$result"
	same "its root, then" "bin dev lib mnt new proc root run sbin sys tmp var" "${result##*$'\n'}"
	same "the tree" "$tree_before" "$(stat -c '%n %i %Z' "$tree" "$tree"/* "$tree"/etc/*)"
	# Its upper folder is gone with it.
	run "$LABS/$program" -- ls /new
	same "what the next one finds of it" 1 "$status"
}

@test "14-overlay-fs: the rest of it: one inode, one page cache, and what a copy-up costs" {
	read -r image web db <<<"$inodes"
	within "the inode in the image" 1 1000000000 "$image"
	same "inodes in web and in db" "$image $image" "$web $db"
	same "devices of the two" 2 "$devices"
	same "Rss and Pss of web alone" "1024 1024" "$alone"
	same "Rss and Pss of web, of db" "1024 512 1024 512" "$both"
	same "the same after one byte was written" "1024 1024 1024 1024" "$after_copy"
	same "bytes in db's upper" 1048576 "$copied"
	same "first byte in the image, in web, in db" iid "$first_bytes"
}

@test "14-overlay-fs: the rest of it: layers on layers, and a hundred containers" {
	same "the layers of late" "web/upper:image late/upper late/work" "$late_layers"
	same "config, secret, and secret in the image" "by web none as built" "$late_config"
	# An ordinary user's marks need user.* xattrs, which a tmpfs takes from Linux 6.6 on.
	IFS=.- read -r major minor _ < <(uname -r)
	if [ "$EUID" = 0 ] || ((major * 1000 + minor >= 6006)); then
		same "a folder that was made anew" "" "$anew"
	fi
	same "the same folder in the image" old "$below"
	same "overlays" 100 "$overlays"
	# A hundred pages, and the copy that is the control.
	page=$(awk '/^MMUPageSize:/ { print $2; exit }' /proc/self/smaps)
	same "KiB that all cost" $((100 * page + 1024)) $((used_after - used_before))
	same "its status" 0 "$status_of_more"
}

@test "14-overlay-fs: where every mount is shared, as systemd has it, nothing leaks" {
	where_shared "$program"
	where_shared "$program-more"
}

@test "14-overlay-fs: and its verdict is pass" {
	same "its status" 0 "$status"
}
