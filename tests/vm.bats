#!/usr/bin/env bats
# scripts/vm and its saved states: what has to differ from one restored machine to the next does, and no
# state that is damaged, unfinished or of another machine keeps a command from running.
# bats file_tags=apart

load helper

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

# nothing_left: no process and no file of a client that has ended
nothing_left() {
	same "run folders" "" "$(ls -d "${XDG_RUNTIME_DIR:-/tmp}/unboxed-$EUID/vm-$1" 2>/dev/null)"
	same "unfinished states" "" "$(ls -d "$STATES"/new-"$1" 2>/dev/null)"
	same "processes of its session" "" "$(pgrep -f "unboxed-$EUID/vm-$1[^0-9]" || :)"
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

# damage WORD COMMAND...: after the command on the state's files the machine boots, runs, and has a new state
damage() {
	the_state
	(cd "$state" && "${@:2}")
	vm echo here
	same "$1: status, and what was printed" "0 here" "$status $out"
	[[ $err = *"$(basename "$state")"*"thrown away"* ]] || [ "$3" = -f ] || { echo "$1: observed on stderr: $err" && return 1; }
	vm echo here
	same "$1: the second time" "0 here " "$status $out $err"
}

@test "vm: a state that was cut, changed or taken away in part is thrown away, and the machine boots" {
	local at
	damage "one byte of the memory" sh -c 'printf X | dd of=memory bs=1 seek=20000000 conv=notrunc status=none'
	damage "one bit of the state" sh -c 'byte=$(od -An -tu1 -j 200000 -N1 state); printf "\\$(printf %o $((byte ^ 1)))" | dd of=state bs=1 seek=200000 conv=notrunc status=none'
	damage "memory, of no length" truncate -s 0 memory
	damage "sums, removed" rm -f sums
}

# other_qemu: a QEMU that is another file; it restores with the word $instead for -no-reboot
other_qemu() {
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '%s\n' '#!/bin/bash' '[[ " $* " != *" -incoming "* ]] || set -- "${@/#-no-reboot/${instead--no-reboot}}"' \
		"exec '$(type -P "qemu-system-$(uname -m)")' \"\$@\"" >"$BATS_TEST_TMPDIR/bin/qemu-system-$(uname -m)"
	chmod +x "$BATS_TEST_TMPDIR/bin/"*
	PATH=$BATS_TEST_TMPDIR/bin:$PATH STATES=$BATS_TEST_TMPDIR/states
	export LAB_STATE=$STATES LAB_ACCEL=tcg
	vm echo here
	same "status, and what was printed" "0 here" "$status $out"
	the_state
}

@test "vm: a QEMU or a kernel that was changed since has a state of its own" {
	other_qemu
	touch "$BATS_TEST_TMPDIR/bin/"*
	vm echo here
	same "after QEMU: status, and what was printed" "0 here" "$status $out"
	same "states" 2 "$(ls -d "$STATES"/???????????????? | wc -l)"
	cp "$(scripts/kernel --path)/vmlinux" "$BATS_TEST_TMPDIR/vmlinux"
	KERNEL=$BATS_TEST_TMPDIR/vmlinux XDG_CACHE_HOME=$BATS_TEST_TMPDIR vm true
	[ "$EUID" != 0 ] || rm -rf "$(KERNEL=$BATS_TEST_TMPDIR/vmlinux scripts/kernel --path)"
}

@test "vm: a machine that ends or is silent when it is restored is thrown away, and another boots" {
	other_qemu
	for instead in -no-such-option -S; do # -S: it is restored, and stands still
		export instead
		vm echo here
		same "$instead: status, and what was printed" "0 here" "$status $out"
		[[ $err = *"thrown away"* ]] || { echo "$instead: observed on stderr: $err" && return 1; }
	done
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
	export LAB_STATE=$BATS_TEST_TMPDIR/states
	(ulimit -f 20000 && vm echo here && same "no file so large: status, and what was printed" "0 here" "$status $out")
	LAB_STATE=/proc/none vm echo here
	same "no such folder can be: status, and what was printed" "0 here" "$status $out"
	[ "$EUID" = 0 ] || skip "the rest wants a mount of its own"
	mkdir -p "$BATS_TEST_TMPDIR/small"
	cp -r "$STATES" "$LAB_STATE/read-only"
	out=$(unshare --mount --propagation private sh -c 'mount -t tmpfs -o size=50M,mode=700 small "$0/small"
		mount --bind "$1" "$1" && mount -o remount,bind,ro "$1"
		LAB_STATE=$0/small scripts/vm echo no room && LAB_STATE=$1 scripts/vm echo read-only
		ls "$0/small"' "$BATS_TEST_TMPDIR" "$LAB_STATE/read-only" 2>&1 3>&-)
	same "what is printed" "no room read-only lock" "$(grep -v '^vm:' <<<"$out" | xargs)"
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
	export LAB_STATE=$BATS_TEST_TMPDIR/states
	for i in 1 2 3 4 5 6 7; do
		scripts/vm sh -c "$draws" >"$BATS_TEST_TMPDIR/$i" 2>&1 </dev/null 3>&- &
		pids+=($!)
		[ "$i" != 2 ] || wait "${pids[@]}"
	done
	for i in "${pids[@]}"; do wait "$i" && results+=(0) || results+=($?); done
	same "statuses" "0 0 0 0 0 0 0" "${results[*]}"
	same "different boot ids" 7 "$(head -qn 1 "$BATS_TEST_TMPDIR"/[1-7] | sort -u | wc -l)"
	same "states" 1 "$(ls -d "$LAB_STATE"/???????????????? | wc -l)"
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
