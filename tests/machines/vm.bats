#!/usr/bin/env bats
# scripts/vm and its saved states: what has to differ from one restored machine to the next does, and no
# state that is damaged, unfinished or of another machine keeps a command from running.
# bats file_tags=apart

load ../helper

setup_file() {
	! in_vm || return 0
	export STATES=$BATS_FILE_TMPDIR/states
	LAB_STATE=$STATES "$ROOT/scripts/vm" true
}

setup() {
	host_only "the lab VM has no QEMU"
	cd "$ROOT" || return
	export LAB_STATE=$STATES V=1
}

teardown() {
	rm -f "$ROOT/scripts/unboxed-test-$$"
	rm -rf "/tmp/a,b:c d$$"
}

# vm COMMAND...: sets out, err and status; bounded, so that a hang is a failure
vm() {
	status=0
	timeout --kill-after=5 120 scripts/vm "$@" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- </dev/null || status=$?
	out=$(<"$BATS_TEST_TMPDIR/out") err=$(<"$BATS_TEST_TMPDIR/err")
}

# the_state: the folder of the one state that there is
the_state() {
	local found=("$STATES"/????????????????)
	same "saved states" 1 ${#found[@]}
	state=${found[0]}
}

# nothing_left PID: no run folder, no unfinished state and no process of a client that has ended. QEMU's folder is the
# run folder.
nothing_left() {
	local process left=''
	for process in /proc/[0-9]*; do
		[[ $(readlink "$process/cwd" 2>/dev/null) != */vm-"$1"@(| *) ]] || left+=" $process"
	done
	same "run folders" "" "$(ls -d "${XDG_RUNTIME_DIR:-/tmp}/unboxed-$EUID/vm-$1" 2>/dev/null)" &&
		same "unfinished states" "" "$(ls -d "$STATES"/new-* 2>/dev/null)" &&
		same "processes" "" "$left"
}

# watch_starts: from now on QEMU is a script that notes what it was started for, and restores with the word $instead for
# -no-reboot. started WORDS: these were its starts since the last call, each "boot" or "restore".
watch_starts() {
	mkdir -p "$BATS_TEST_TMPDIR/bin"
	cat >"$BATS_TEST_TMPDIR/bin/qemu-system-$(uname -m)" <<-SH
		#!/bin/bash
		if [[ " \$* " = *" -incoming "* ]]; then
			echo restore >>'$BATS_TEST_TMPDIR/starts'
			set -- "\${@/#-no-reboot/\${instead--no-reboot}}"
		else
			echo boot >>'$BATS_TEST_TMPDIR/starts'
		fi
		exec '$(type -P "qemu-system-$(uname -m)")' "\$@"
	SH
	chmod +x "$BATS_TEST_TMPDIR/bin/"*
	PATH=$BATS_TEST_TMPDIR/bin:$PATH
	export LAB_ACCEL=tcg
}
started() {
	same "what QEMU was started for" "$1" "$(xargs <"$BATS_TEST_TMPDIR/starts")" && rm "$BATS_TEST_TMPDIR/starts"
}
# new_states: a folder of this test's own, and QEMU watched
new_states() {
	export LAB_STATE=$BATS_TEST_TMPDIR/states
	STATES=$LAB_STATE
	watch_starts
}
states() {
	local found=("$STATES"/????????????????)
	[ -e "${found[0]}" ] || found=()
	echo ${#found[@]}
}

# In the guest: what a machine draws for itself.
draws='cat /proc/sys/kernel/random/boot_id /proc/sys/kernel/random/uuid; od -An -tx8 -N8 /dev/urandom; date +%s'

@test "vm: each restored machine draws numbers of its own, and has the date" {
	local i lines now=() all=()
	for i in 1 2 3; do
		vm sh -c "$draws"
		same "status, and what was said" "0 " "$status $err"
		mapfile -t lines <<<"$out"
		all+=("${lines[@]:0:3}")
		within "seconds since 1970" $((EPOCHSECONDS - 10)) "$EPOCHSECONDS" "${lines[3]}"
	done
	same "different ones of nine" 9 "$(printf '%s\n' "${all[@]}" | sort -u | grep -c .)"
	the_state
}

@test "vm: a state is only its user's, and is used and not written" {
	local before
	the_state
	before=$(cksum "$state"/*)
	same "modes" "700 700 600 600 600" "$(stat -c %a "$STATES" "$state" "$state"/* | xargs)"
	vm sh -c 'dd if=/dev/urandom of=/tmp/file bs=1M count=64 2>/dev/null; md5sum </tmp/file >/dev/null'
	same "status" 0 "$status"
	same "the files" "$before" "$(cksum "$state"/*)"
}

# damage WORD COMMAND...: after the command on the state's files the machine boots and runs, and is saved anew
damage() {
	the_state
	(cd "$state" && "${@:2}")
	vm echo here
	same "$1: status, and what was printed" "0 here" "$status $out"
	[[ $err = *"$(basename "$state")"*"thrown away"* ]] || { echo "$1: observed on stderr: $err" && return 1; }
	same "$1: files" "memory state sums" "$(cd "$state" && echo *)"
	rm "$BATS_TEST_TMPDIR/starts"
	vm echo here
	same "$1: the second time" "0 here " "$status $out $err" && started restore
}

@test "vm: a state that was cut, changed or taken away in part is thrown away, and the machine boots" {
	new_states
	vm true
	started "boot restore"
	damage "one byte of the memory" sh -c 'printf X | dd of=memory bs=1 seek=20000000 conv=notrunc status=none'
	damage "one bit of the state" sh -c 'byte=$(od -An -tu1 -j 200000 -N1 state); printf "\\$(printf %o $((byte ^ 1)))" | dd of=state bs=1 seek=200000 conv=notrunc status=none'
	damage "memory, truncated" truncate -s 30M memory
	damage "state, removed" rm state
	damage "one byte of what it depends on" sh -c 'printf X | dd of=sums bs=1 seek=200 conv=notrunc status=none'
}

@test "vm: a QEMU or a kernel that was changed since has a state of its own" {
	local folder
	new_states
	export XDG_CACHE_HOME=$BATS_TEST_TMPDIR
	vm true
	started "boot restore"
	touch "$BATS_TEST_TMPDIR/bin/"*
	vm echo here
	same "after QEMU: status, and what was printed" "0 here" "$status $out" && started "boot restore"
	# The same kernel at another place, with its modules.
	folder=$(scripts/labvm/kernel --path)
	cp "$folder/vmlinux" "$BATS_TEST_TMPDIR/vmlinux"
	(cd "$BATS_TEST_TMPDIR" && cpio -i -d --quiet <"$folder/modules.cpio")
	depmod -b "$BATS_TEST_TMPDIR" "$(<"$folder/version")"
	MODULES=$BATS_TEST_TMPDIR/lib/modules/$(<"$folder/version")
	export MODULES KERNEL=$BATS_TEST_TMPDIR/vmlinux
	vm echo here
	folder=$(scripts/labvm/kernel --path 2>/dev/null)
	rm -rf "$folder" "$ROOT/build/labvm/${folder##*/}"
	same "after the kernel: status, and what was printed" "0 here" "$status $out" && started "boot restore"
	same "states" 3 "$(states)"
}

@test "vm: a machine that ends or is silent when it is restored is thrown away, and another boots" {
	new_states
	vm true
	started "boot restore"
	for instead in -no-such-option -S; do # -S: it is restored, and stands still
		export instead
		vm echo here
		# What is wrong with this QEMU is wrong with each restore: it is not tried again.
		same "$instead: status, and what was printed" "0 here" "$status $out" && started "restore boot restore boot"
		[[ $err = *"thrown away"* ]] || { echo "$instead: observed on stderr: $err" && return 1; }
		ls "$LAB_STATE"/*.boot
		[ "$instead" = -S ] || rm "$LAB_STATE"/*.boot
	done
	vm echo here
	same "again: status, and what was printed" "0 here" "$status $out" && started boot
}

@test "vm: LAB_STATE=no boots; a state with the memory in it is restored as well" {
	LAB_STATE=no vm sh -c "$draws"
	same "no: status, and what was said" "0 " "$status $err"
	export LAB_STATE=whole:$BATS_TEST_TMPDIR/whole
	vm echo here
	same "saved: status, and what was printed" "0 here " "$status $out $err"
	same "its files" "state sums" "$(cd "$BATS_TEST_TMPDIR"/whole/????????????????/ && echo *)"
	vm sh -c "$draws"
	same "restored: status, and what was said" "0 " "$status $err"
	LAB_STATE=maybe vm true
	same "wrong usage" "2 vm: LAB_STATE: expected no or the absolute path of a folder, got 'maybe'" "$status $err"
}

@test "vm: where a state cannot be written the machine that has booted goes on" {
	local shared=$STATES
	new_states
	LAB_STATE=/proc/none vm echo here
	same "no such folder can be: status, and what was printed" "0 here" "$status $out" && started boot
	mkdir -m 755 "$LAB_STATE"
	vm echo here
	same "a folder that others may enter: status, and what was printed" "0 here" "$status $out" && started boot
	chmod 700 "$LAB_STATE"
	flock "$LAB_STATE/lock" timeout 60 scripts/vm echo here >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- </dev/null
	same "while another saves: what was printed" "here" "$(grep -v '^vm:' "$BATS_TEST_TMPDIR/out")" && started boot
	[ "$EUID" = 0 ] || skip "the rest wants a mount of its own"
	mkdir -p "$BATS_TEST_TMPDIR/small"
	cp -a "$shared" "$LAB_STATE/read-only"
	out=$(unshare --mount --propagation private sh -c 'mount -t tmpfs -o size=50M,mode=700 small "$0/small"
		mount --bind "$1" "$1" && mount -o remount,bind,ro "$1"
		LAB_STATE=$0/small scripts/vm echo no room && LAB_STATE=$1 scripts/vm echo read-only
		ls "$0/small"' "$BATS_TEST_TMPDIR" "$LAB_STATE/read-only" 2>&1 3>&-)
	same "what is printed" "no room read-only lock" "$(grep -v '^vm:' <<<"$out" | xargs)" && started "boot boot"
}

@test "vm: states together have a bound, and the one that was used least lately goes first" {
	local old=$STATES/0123456789abcdef new=$STATES/fedcba9876543210
	mkdir "$old" "$new"
	fallocate --length 300M "$old/memory"
	fallocate --length 280M "$new/memory"
	touch -d '2 days ago' "$old"
	touch -d yesterday "$new"
	vm --append lab.one true
	same "status" 0 "$status"
	[ ! -e "$old" ] && [ -e "$new" ] || { echo "expected the older of two to be gone, observed $(ls "$STATES")" && return 1; }
	within "megabytes" 1 600 "$(du -s --block-size=1000000 "$STATES" | cut -f1)"
	rm -rf "$new" && mkdir "$old"
	fallocate --length 550M "$old/memory"
	vm --append lab.two true
	[ ! -e "$old" ]
	# Again one state.
	for old in "$STATES"/????????????????; do ! grep -qE '^.*lab\.(one|two)' "$old/sums" || rm -r "$old"; done
}

# killed MOMENT...: SIGKILL after so many thousandths of what a whole run takes; what follows runs
killed() {
	local begun moment took client
	begun=${EPOCHREALTIME/./}
	vm true
	took=$((${EPOCHREALTIME/./} - begun))
	for moment; do
		[ -z "${fresh-}" ] || LAB_STATE=$BATS_TEST_TMPDIR/$moment STATES=$BATS_TEST_TMPDIR/$moment
		scripts/vm true </dev/null >/dev/null 2>&1 3>&- &
		client=$!
		sleep "$(printf '%d.%06d' $((took * moment / 1000000000)) $((took * moment / 1000 % 1000000)))"
		kill -KILL $client || :
		wait $client || :
		nothing_left $client || { sleep 1 && nothing_left $client; } || return
		vm echo here
		same "after $moment thousandths: status, and what was printed" "0 here " "$status $out $err"
	done
}

@test "vm: kill -9 while a machine is restored leaves nothing" {
	killed 200 400 600 800
}

@test "vm: kill -9 while a machine boots and is saved leaves nothing" {
	fresh=yes LAB_STATE=$BATS_TEST_TMPDIR/first killed 400 850 950
}

@test "vm: two that save one state at once, and five that restore it, all end well" {
	local i pids=() results=()
	export LAB_STATE=$BATS_TEST_TMPDIR/states XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR/runs
	[ ${#XDG_RUNTIME_DIR} -lt 40 ] || XDG_RUNTIME_DIR=$(mktemp -d /tmp/runs.XXXXXX)
	mkdir -p "$XDG_RUNTIME_DIR"
	for i in 1 2 3 4 5 6 7; do
		scripts/vm sh -c "$draws" >"$BATS_TEST_TMPDIR/$i" 2>&1 </dev/null 3>&- &
		pids+=($!)
		[ "$i" != 2 ] || wait "${pids[@]}"
	done
	for i in "${pids[@]}"; do wait "$i" && results+=(0) || results+=($?); done
	same "statuses" "0 0 0 0 0 0 0" "${results[*]}"
	same "different boot ids" 7 "$(head -qn 1 "$BATS_TEST_TMPDIR"/[1-7] | sort -u | wc -l)"
	STATES=$LAB_STATE
	same "states" 1 "$(states)"
	rmdir "$XDG_RUNTIME_DIR" # with the last machine's run folder went the one that held them
}

# A machine that is about to be saved is nobody's: who attaches waits for the one that is restored from it.
@test "vm: --attach during the first boot runs nothing in the machine that is saved" {
	local first attached='' word=lab.attach-$RANDOM
	new_states
	scripts/vm --append "$word" sh -c 'cat /proc/sys/kernel/random/boot_id; sleep 60' >"$BATS_TEST_TMPDIR/first" 2>&1 </dev/null 3>&- &
	first=$!
	# Held before it has saved anything: the machine boots, and does not answer. --attach finds the newest machine: that
	# is this one for an hour, also where other tests start theirs.
	local run=${XDG_RUNTIME_DIR:-/tmp}/unboxed-$EUID/vm-$first
	for _ in {1..600}; do [ -e "$run/1" ] && break || sleep 0.05; done
	kill -STOP $first
	touch -d '1 hour' "$run/alive"
	local until=$((SECONDS + 10)) early=''
	while [ -z "$early" ] && ((SECONDS < until)); do
		early=$(timeout 8 scripts/vm --attach sh -c 'grep -qw "$0" /proc/cmdline && echo "it ran a command"' "$word" 2>/dev/null 3>&- </dev/null) || sleep 0.1
	done
	kill -CONT $first
	same "the machine that is to be saved" "" "$early"
	for _ in {1..200}; do
		attached=$(timeout 60 scripts/vm --attach sh -c 'grep -qw "$0" /proc/cmdline && cat /proc/sys/kernel/random/boot_id' \
			"$word" 2>/dev/null 3>&- </dev/null) && break
		sleep 0.1
	done
	for _ in {1..60}; do [ ! -s "$BATS_TEST_TMPDIR/first" ] && sleep 0.1; done
	kill $first
	wait $first || :
	same "the machine that --attach finds" "$(head -n 1 "$BATS_TEST_TMPDIR/first")" "$attached"
	vm --append "$word" cat /proc/sys/kernel/random/boot_id
	differ "boot ids of that and of a restored machine" "$attached" "$out"
}

@test "vm: --attach finds machines of its own tree alone, and a shell in one ends with it, with 0" {
	local first other=$BATS_TEST_TMPDIR/client started=$BATS_TEST_TMPDIR/started status=0 pid
	cp build/labvm/client "$other"
	scripts/vm sh -c 'echo started; exec sleep 60' >"$started" 2>/dev/null </dev/null 3>&- &
	first=$!
	for _ in {1..600}; do [ -s "$started" ] && break || sleep 0.1; done
	same "a command in it" yes "$(scripts/vm --attach echo yes </dev/null 3>&- 2>/dev/null)"
	said=$("$other" attach -- echo yes 2>&1 </dev/null 3>&-) || status=$?
	same "by the client of another tree: status" 125 "$status"
	same "what it says is not there" 1 "$(grep -c '^vm: no lab VM of this folder is running' <<<"$said")"
	same "what can be typed" 1 "$(grep -c 'make vm or$' <<<"$said")"
	scripts/vm --attach >"$BATS_TEST_TMPDIR/shell" 2>&1 < <(echo 'echo here'; exec sleep 60 3>&-) 3>&- &
	pid=$!
	for _ in {1..600}; do grep -q '^here' "$BATS_TEST_TMPDIR/shell" && break || sleep 0.1; done
	kill $first
	wait $first || :
	status=0
	wait $pid || status=$?
	same "a shell when its machine has ended: status" 0 "$status"
	same "what it says" 1 "$(grep -c '^vm: the lab has ended' "$BATS_TEST_TMPDIR/shell")"
}

@test "vm: what was built or written last is in the guest; what it writes is not on the disk" {
	local file=$ROOT/scripts/unboxed-test-$$
	echo one >"$file"
	vm cat "/lab/scripts/${file##*/}"
	same "a new file" one "$out"
	echo two >"$file"
	touch -d '1 day ago' "$file"
	vm cat "/lab/scripts/${file##*/}"
	same "a changed file" two "$out"
	rm "$file"
	vm ls "/lab/scripts/${file##*/}"
	same "a removed file: status" 1 "$status"
	vm sh -c 'cd /lab && echo x >file && cat file && echo y >/usr/bin/file && cat /usr/bin/file && stat -c %u:%g scripts/lab build/labs/01-pid-ns /usr/bin/bash'
	same "what can be written, and whose the files are" "x y 0:0 0:0 0:0" "$(xargs <<<"$out")"
}

@test "vm: what comes back has no power here, and replaces only what is of its kind" {
	local place=$BATS_TEST_TMPDIR/back device=''
	mkdir -p "$place/folder" "$place/other"
	echo mine | tee "$place/folder/file" "$place/single" >"$place/other/file"
	[ "$EUID" != 0 ] || device='mknod folder/disk b 8 0; mkfifo folder/fifo;'
	vm --carry "$place" --bring "$place/folder" --bring "$place/single" --bring "$place/other" sh -c 'cd "$0" || exit
		cp /bin/busybox folder/power; mkdir -m 2775 folder/sub; echo theirs >folder/file; '"$device"'
		chown -R 1000:1000 folder; chmod 6755 folder/power
		rm -r single other; ln -s /etc/passwd single; ln -s /etc other' "$place"
	same "status" 125 "$status"
	same "what was written" "theirs" "$(<"$place/folder/file")"
	same "set-id bits and devices" "" "$(find "$place/folder" -perm /6000 -o -type b -o -type p)"
	same "owners" "$EUID" "$(stat -c %u "$place/folder"/* | sort -u)"
	same "what became a link" "mine mine" "$(cat "$place/single" "$place/other/file" | xargs)"
	for said in 'folder/power: without its set-id bits' 'folder/sub: without its set-id bits' 'single: it was a file and is a link' 'other: it was a folder and is a link'; do
		[[ $err = *"$said"* ]] || { echo "expected '$said' on stderr, observed $err" && return 1; }
	done
	same "what is left beside them" "folder other single" "$(find "$place" -mindepth 1 -maxdepth 1 -printf '%P\n' | sort | xargs)"
}

@test "vm: a path that travels twice, below another or through a link is there what it is here" {
	local place=$BATS_TEST_TMPDIR/carry path
	mkdir -p "$place/folder/below"
	ln -s folder "$place/link"
	ln -s "$place/folder/below" "$place/far"
	ln -s ../below/file "$place/folder/below/file-link"
	echo one >"$place/folder/below/file"
	chmod 711 "$place/folder"
	cd "$place"
	run --separate-stderr -0 timeout 120 "$ROOT/scripts/vm" --carry folder/below/file --carry far --carry link --carry ./folder \
		--carry link/../folder --carry far/file-link --bring link --bring far sh -c 'cd "$0" && find . | sort && readlink link && readlink far &&
		stat -c %a folder && cat link/below/file far/file-link && echo two >link/new && echo three >>far/file' "$place" 3>&- </dev/null
	same "what is there" ". ./far ./folder ./folder/below ./folder/below/file ./folder/below/file-link ./link folder $place/folder/below 711 one one" \
		"$(xargs <<<"$output")"
	same "what came back" "two one three" "$(cat folder/new folder/below/file | xargs)"
	same "links, as they were" "folder $place/folder/below" "$(readlink link far | xargs)"
	ln -s loop loop
	ln -s nowhere dangling
	for path in dangling loop; do
		run -2 "$ROOT/scripts/vm" --carry $path true
		same "$path" "vm: --carry $path: no such file or folder" "$output"
	done
}

@test "vm: a guest that prints for ever does not fill the disk, and runs on" {
	local client log run all
	scripts/vm sh -c 'head -c 2000000 /dev/zero >/dev/console; echo printed; read -r line; echo "$line"' \
		>"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- < <(until [ -e "$BATS_TEST_TMPDIR/go" ]; do sleep 0.1; done; echo end) &
	client=$!
	run=${XDG_RUNTIME_DIR:-/tmp}/unboxed-$EUID/vm-$client
	for _ in {1..1200}; do [ -s "$BATS_TEST_TMPDIR/out" ] && break || sleep 0.1; done
	log=$(stat -c %s "$run/console.log") all=$(du -sb "$run" | cut -f1)
	touch "$BATS_TEST_TMPDIR/go"
	wait $client
	same "what the guest printed" "printed end" "$(xargs <"$BATS_TEST_TMPDIR/out")"
	within "bytes of its console" 1048576 1048576 "$log"
	within "bytes of the run folder" 1048576 2200000 "$all"
}

# own_tree PLACE: from now on the test is in PLACE/tree, a copy of what is built, with a cache and states of its own
own_tree() {
	mkdir -p "$1/tree/build/labvm" "$1/cache/unboxed/kernel"
	cp -a GUIDE.md Makefile common labs rootfs scripts tests "$1/tree"
	cp -a build/* "$1/tree/build"
	kernel=$(scripts/labvm/kernel --path)
	cp -a "$kernel" "$1/cache/unboxed/kernel"
	ln -s "${kernel##*/}" "$1/cache/unboxed/kernel/current"
	kernel=$1/cache/unboxed/kernel/${kernel##*/}
	export XDG_CACHE_HOME=$1/cache LAB_STATE=$1/states
	cd "$1/tree" || return
}

@test "vm: a tree, a cache and a run folder whose paths have commas, colons and spaces" {
	local place="/tmp/a,b:c d$$" what
	mkdir -m 700 "$place"
	own_tree "$place"
	export XDG_RUNTIME_DIR=$place
	same "where the kernel is" "$kernel" "$(scripts/labvm/kernel --path)"
	for what in booted restored; do
		vm --carry "$place/tree/GUIDE.md" --bring "$place/$what" sh -c 'cp "$1" "$2"' sh "$place/tree/GUIDE.md" "$place/$what"
		same "$what: status, and what was said" "0 " "$status $err"
		cmp GUIDE.md "$place/$what"
	done
	vm --bare
	same "bare: status, and what was said" "0 " "$status $err"
	! build/labs/18-container-vs-vm --can-run >/dev/null || same "status of lab 18" 0 \
		"$(build/labs/18-container-vs-vm --containers 1 --vms 1 >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- </dev/null && echo 0 || { echo $? && cat "$BATS_TEST_TMPDIR/out"; })"
}

@test "vm: what a machine starts from is made once, also when many begin with it at once" {
	local images before clients=() i
	own_tree "$BATS_TEST_TMPDIR"
	export LAB_STATE=$BATS_TEST_TMPDIR/states
	images=$PWD/build/labvm/${kernel##*/}
	rm -rf "$images" build/labvm/labs.img
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/sh\necho "$*" >>"%s"\nexec "%s" "$@"\n' "$BATS_TEST_TMPDIR/disks" "$(PATH+=:/usr/sbin:/sbin type -P mke2fs)" >"$BATS_TEST_TMPDIR/bin/mke2fs"
	chmod +x "$BATS_TEST_TMPDIR/bin/mke2fs"
	for i in 1 2 3; do
		PATH=$BATS_TEST_TMPDIR/bin:$PATH timeout 300 scripts/vm true >"$BATS_TEST_TMPDIR/out.$i" 2>&1 3>&- </dev/null &
		clients+=($!)
	done
	for i in 1 2 3; do wait "${clients[i - 1]}" || { echo "$i: status $?: $(<"$BATS_TEST_TMPDIR/out.$i")" && return 1; }; done
	same "disks with the tools" 1 "$(grep -c /system.img "$BATS_TEST_TMPDIR/disks")"
	STATES=$LAB_STATE the_state

	# made WHAT EXPECTED: whether they are made where those that were seen before are to be replaced
	made() {
		local last
		last=$(stat -c %z "$images"/*)
		scripts/labvm/image system "$kernel" "$images" "$before"
		same "$1" "$2" "$([ "$last" = "$(stat -c %z "$images"/*)" ] && echo there || echo made)"
	}
	before=$(stat -Lc '%n %s %.9Z' "$images"/{initrd,system.img,names} | paste -sd' ')
	made "nobody has made them since" made
	made "another has" there
	touch scripts/labvm/guest
	made "another has, and then a source has changed" made
	rm "$images/names"
	made "one is missing" made
}

@test "vm: what a machine starts from is not believed once it was cut or changed" {
	local file images expected
	own_tree "$BATS_TEST_TMPDIR"
	export LAB_STATE=no
	vm echo here
	same "whole: status, and what was printed" "0 here" "$status $out"
	images=build/labvm/${kernel##*/}
	# What is made of other files is made again.
	truncate -s 100000 "$images/initrd" "$images/system.img" build/labvm/labs.img
	vm sh -c 'echo here; test -x /lab/build/labs/01-pid-ns && test -x /usr/bin/bats'
	same "images: status, and what was printed" "0 here" "$status $out"
	# Also where the size and the date are as they were.
	printf X | dd of="$images/initrd" bs=1 seek=3000000 conv=notrunc status=none
	touch -r "$images/names" "$images/initrd"
	vm echo here
	same "a byte: status, and what was printed" "0 here" "$status $out"
	cmp -n "$(stat -c %s build/rootfs/base.cpio)" "$images/initrd" build/rootfs/base.cpio
	# What is not is named, with the remedy.
	for file in vmlinux modules.cpio version; do
		cp -a "$kernel/$file" "$BATS_TEST_TMPDIR/before"
		truncate -s 9 "$kernel/$file"
		expected="damaged in $kernel: $file: type make setup"
		vm true
		same "$file: status, and what was said" "125 vm: $expected" "$status $err"
		vm --accel
		same "$file, --accel: status, and what was said" "125 vm: $expected" "$status $err"
		same "$file, scripts/labvm/kernel --check" "scripts/labvm/kernel: $expected" "$(scripts/labvm/kernel --check 2>&1)"
		cp -a "$BATS_TEST_TMPDIR/before" "$kernel/$file"
	done
	for file in build/rootfs/base.cpio build/labvm/client; do
		cp -a "$file" "$BATS_TEST_TMPDIR/before"
		truncate -s 100000 "$file"
		vm true
		same "$file: status, and what was said" "125 vm: $PWD/$file is damaged: type make all" "$status $err"
		cp -a "$BATS_TEST_TMPDIR/before" "$file"
	done
	vm echo here
	same "whole again: status, and what was said" "0 here " "$status $out $err"
	# A guest that does not answer: all is tested again.
	[ -e "$images/seen" ]
	vm --append rdinit=/nothing true
	same "a guest that ends: status" 125 "$status"
	[ ! -e "$images/seen" ]
}
