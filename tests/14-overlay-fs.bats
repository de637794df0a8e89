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

# Rss and Pss in /proc/PID/smaps, in KiB, of the mapping of the image's program.
mapped() {
	awk '/\/program/ { found = 1 } found && $1 == "Rss:" { rss = $2 } found && $1 == "Pss:" { print rss, $2; exit }' "/proc/$1/smaps"
}

# KiB that the lab's filesystem holds.
disk_used() {
	local blocks free size
	read -r blocks free size < <(stat -f -c '%b %f %S' "$(at .)")
	echo $(((blocks - free) * size / 1024))
}

# The mounts of this machine that the lab's would be among.
table() {
	grep -E ' /tmp |lab14' /proc/self/mountinfo || :
}

setup() {
	needs_lab "$program"
}

teardown() {
	lab_stop
}

# trace: the calls of a whole story, in $calls
trace() {
	calls=$BATS_TEST_TMPDIR/calls
	strace -f -qq -s 128 -e trace=mount,umount2,write,unlink,unlinkat,mknod,mknodat,mkdir,mkdirat \
		-o "$calls" "$LABS/$program" --format=jsonl >/dev/null 2>&1 3>&-
}

# by_hand COMMANDS: in a mount table and a tmpfs of this test's own, with the folders of an overlay.
by_hand() {
	unshare "${userns_make[@]}" --mount sh -ec 'mount -t tmpfs by-hand /tmp; cd /tmp
		mkdir image plain upper work root; echo built >image/file; echo built >image/other
		'"$1"
}
overlay="mount -t overlay -o lowerdir=image,upperdir=upper,workdir=work$userxattr overlay root"

@test "14-overlay-fs: all that it writes goes to a filesystem of its own, which ends with it" {
	before=$(table)
	lab_at "control: the image's config" "$LABS/$program"
	differ "the lab's mount table beside this machine's" "$(ns_of self mnt)" "$(ns_of "$lab" mnt)"
	same "mounts that are shared, or slaves" 0 "$(grep -cE ' (shared|master):' "/proc/$lab/mountinfo" || :)"
	# check: its /tmp
	differ "the device of its /tmp beside this machine's" "$(stat -Lc %d /tmp)" "$(stat -Lc %d "$(at .)")"
	same "what it has mounted by then" /tmp "$(awk '/lab14/ { print $5 }' "/proc/$lab/mountinfo" | xargs)"
	lab_go_until "image: its files"
	same "this machine's table, with all of the lab's mounts" "$before" "$(table)"
	lab_end
	same "its status" 0 "$lab_status"
	lab=
	same "this machine's table, after it" "$before" "$(table)"
}

@test "14-overlay-fs: control: who is given the image itself spoils it" {
	# check: control: the image's config
	trace
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
	lab_at "web: its upper folder" "$LABS/$program"
	same "the layers of web" "image web/upper web/work" "$(layers "$lab" /tmp/web/root)"
	same "its files" "config secret" "$(list_at web/root)"
	# check: web: config
	same "config" "as built" "$(read_at web/root/config)"
	# check: web: its upper folder
	same "upper" "" "$(list_at web/upper)"
	same "what is in upper when all was only read, by hand" end "$(by_hand "$overlay; cat root/* >/dev/null; ls -A upper; echo end")"
}

@test "14-overlay-fs: the first write copies the file up, and the image stays as it was" {
	lab_at "web: its upper folder" "$LABS/$program"
	before=$(image)
	lab_go_until "image: config"
	# check: web: config, written
	same "config, seen by web" "by web" "$(read_at web/root/config)"
	# check: upper: config
	same "config in upper" "by web" "$(read_at web/upper/config)"
	# check: image: config
	same "config in the image" "as built" "$(read_at image/config)"
	same "the image, with inodes and times" "$before" "$(image)"
}

@test "14-overlay-fs: to delete is to write a whiteout" {
	lab_at "image: secret" "$LABS/$program"
	# check: web: secret
	same "secret, seen by web" none "$(read_at web/root/secret)"
	# check: upper: secret
	same "secret in upper" "character special file 0 0" "$(stat -c '%F %t %T' "$(at web/upper/secret)")"
	# check: image: secret
	same "secret in the image" "as built" "$(read_at image/secret)"
	# The kernel has made it: the lab makes no node.
	lab_stop
	trace
	same "nodes that the lab makes" "" "$(grep -E '(mknod|mknodat)\(' "$calls" || :)"
	same "by hand: upper, then the image" "c file file other" \
		"$(by_hand "$overlay; rm root/file; ls -l upper | sed -n 's/^\(c\).* /\1 /p'; ls image" | xargs)"
}

@test "14-overlay-fs: a second container finds the image as it was built" {
	lab_at "web: its upper folder" "$LABS/$program"
	before=$(image)
	lab_go_until "image: its files"
	same "its layers" "image db/upper db/work" "$(layers "$lab" /tmp/db/root)"
	# check: db: config
	same "config, seen by db" "as built" "$(read_at db/root/config)"
	# check: db: its files
	same "secret, seen by db" "as built" "$(read_at db/root/secret)"
	same "its files, with its own" "config data secret" "$(list_at db/root)"
	# check: db: its upper folder
	same "its upper folder" data "$(list_at db/upper)"
	same "the files of web, then" config "$(list_at web/root)"
	# check: image: its files
	same "the files of the image" "config secret" "$(list_at image)"
	same "the image, with inodes and times" "$before" "$(image)"
}

# has_marks: an overlay on a tmpfs can have its marks. An ordinary user's need user.* xattrs, since Linux 6.6: a folder of
# the image that is emptied gets one before it goes.
has_marks() {
	[ "$EUID" = 0 ] || unshare "${userns_make[@]}" --mount sh -c 'mount -t tmpfs lab14-by-hand /tmp && cd /tmp &&
		mkdir -p low/folder up work root && : >low/folder/file &&
		mount -t overlay -o lowerdir=/tmp/low,upperdir=/tmp/up,workdir=/tmp/work,userxattr lab14-by-hand root &&
		rm -r root/folder' 2>/dev/null
}

@test "14-overlay-fs: a COMMAND may delete all of its root, and the tree stays as it is" {
	before=$(stat -c '%n %i %Z' "$tree" "$tree"/* "$tree"/etc/*)
	result=$("$LABS/$program" -- sh -c 'rm -rf /etc /usr /home; echo new >/new
		grep " / / " /proc/self/mountinfo || mount | grep " / "; ls / | xargs' 2>/dev/null)
	[[ $result == *" overlay "* ]] || same "its root" "an overlay" "$result"
	if has_marks; then
		same "its root, then" "bin dev lib mnt new proc root run sbin sys tmp var" "${result##*$'\n'}"
	else # a folder of the image is deleted by a mark
		same "its root, then" "bin dev etc home lib mnt new proc root run sbin sys tmp usr var" "${result##*$'\n'}"
	fi
	same "the tree" "$before" "$(stat -c '%n %i %Z' "$tree" "$tree"/* "$tree"/etc/*)"
	# Its upper folder is gone with it.
	run "$LABS/$program" -- ls /new
	same "what the next one finds of it" 1 "$status"
}

@test "14-overlay-fs: the rest of it: one inode, one page cache, and what a copy-up costs" {
	lab_at "its device" "$LABS/$program-more"
	inode=$(stat -c %i "$(at image/program)")
	within "the inode in the image" 1 1000000000 "$inode"
	same "inodes in web and in db" "$inode $inode" "$(stat -c %i "$(at web/root/program)" "$(at db/root/program)" | xargs)"
	differ "devices of the two" "$(stat -c %d "$(at web/root/program)")" "$(stat -c %d "$(at db/root/program)")"
	lab_go_until "web, alone: Pss, KiB"
	web=$lab_pid
	same "Rss and Pss of web alone" "1024 1024" "$(mapped "$web")"
	lab_go_until "web, beside db: Pss, KiB"
	db=$lab_pid
	same "Rss and Pss of web, of db" "1024 512 1024 512" "$(mapped "$web") $(mapped "$db")"
	lab_go_until "web, db has a copy: Pss, KiB"
	same "the same after one byte was written" "1024 1024 1024 1024" "$(mapped "$web") $(mapped "$db")"
	same "bytes in db's upper" 1048576 "$(stat -c %s "$(at db/upper/program)")"
	same "first byte in the image, in web, in db" iid \
		"$(head -q -c 1 "$(at image/program)" "$(at web/root/program)" "$(at db/root/program)")"
}

@test "14-overlay-fs: the rest of it: layers on layers, and a hundred containers" {
	lab_at "image: secret" "$LABS/$program-more"
	same "the layers of late" "web/upper:image late/upper late/work" "$(layers "$lab" /tmp/late/root)"
	same "config, secret, and secret in the image" "by web none as built" \
		"$(read_at late/root/config) $(read_at late/root/secret) $(read_at image/secret)"
	lab_go # the wait after the folder that was made anew
	if has_marks; then
		same "a folder that was made anew" "" "$(list_at late/root/etc)"
	fi
	same "the same folder in the image" old "$(list_at image/etc)"
	before=$(disk_used)
	lab_go_until "control: a copy of program: KiB"
	same "overlays" 100 "$(grep -c ' /tmp/c[0-9]*/root .* overlay ' "/proc/$lab/mountinfo")"
	# A hundred pages, and the copy that is the control.
	page=$(awk '/^MMUPageSize:/ { print $2; exit }' /proc/self/smaps)
	same "KiB that all cost" $((100 * page + 1024)) $(($(disk_used) - before))
	lab_end
	same "its status" 0 "$lab_status"
	lab=
}

@test "14-overlay-fs: where every mount is shared, as systemd has it, nothing leaks" {
	where_shared "$program"
	where_shared "$program-more"
}
