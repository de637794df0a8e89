#!/usr/bin/env bats
# bats file_tags=apart
# The compiler's box. A hostile source meets the compiler in the lab VM only, which is given this machine's: by
# Landlock, and by namespaces where its kernel has none.

load ../helper

setup() {
	host_only "the lab VM has no compiler; it is booted from here"
	cd "$ROOT" || return
	compile=$ROOT/build/bin/compile
	folder=$BATS_TEST_TMPDIR
}

# A compiler for the lab VM, with what it is linked to and what a program of ours includes.
setup_file() {
	local tool to libgcc folder=$BATS_FILE_TMPDIR
	! in_vm || return 0
	libgcc=$(dirname "$(gcc -print-libgcc-file-name)")
	{
		for tool in gcc as ld "$(gcc -print-prog-name=cc1)" "$(gcc -print-prog-name=collect2)"; do
			tool=$(command -v "$tool")
			echo "$tool"
			ldd "$tool" | grep -o '/[^ :]*'
		done
		ls -d "$libgcc"/{crt*.o,libgcc*.a,include} "$(gcc -print-file-name=liblto_plugin.so)" "$(gcc -print-file-name=libc.a)" "$(gcc -print-file-name=crt1.o)" \
			"$(gcc -print-file-name=crti.o)" "$(gcc -print-file-name=crtn.o)" /usr/include/{stdc-predef,stdio}.h
	} | while read -r tool; do
		to=$folder/root$(realpath "$(dirname "$tool")")
		mkdir -p "$to" && cp -RL "$tool" "$to"
	done
	(cd "$folder/root" && find . | cpio --quiet -o -H newc | gzip -1) >"$folder/compiler.gz"
	rm -r "$folder/root"
}

# in_guest OPTION... -- COMMAND: with the compiler there, its secrets, and the sources in $folder/source.
in_guest() {
	local options=() source
	while [ "$1" != -- ]; do options+=("$1") && shift; done
	mkdir -p "$folder/source"
	for source in "$ROOT"/tests/learn/hostile/source/*.source; do
		sed "s,@FOLDER@,$folder/source,; s,@ROOT@,$folder," "$source" >"$folder/source/$(basename "$source" .source).c"
	done
	mkdir -p "$folder/labs/01-pid-ns"
	cp "$ROOT/labs/01-pid-ns/solution.c" "$folder/labs/01-pid-ns"
	cat >"$folder/begin" <<-SH
		set -u
		(cd / && gzip -dc $BATS_FILE_TMPDIR/compiler.gz | cpio -idm -H newc 2>/dev/null)
		rm $BATS_FILE_TMPDIR/compiler.gz
		export TMPDIR=/tmp/t && mkdir -m 777 /tmp/t
		echo a-secret >/etc/hostname && echo a-secret >/etc/shadow
		cd $folder/source && chmod 755 $folder/source && mkfifo fifo && ln -s /etc/hostname link
		echo 'int neighbour;' >../neighbour.c
		echo 'int main(void) { return 0; }' >honest.c
		echo 'int main(void) { return honest; }' >wrong.c
	SH
	echo "${*:2}" >"$folder/command"
	timeout 300 scripts/vm --memory 1500M "${options[@]}" --carry "$BATS_FILE_TMPDIR/compiler.gz" --carry "$folder/source" --carry "$folder/labs" \
		--carry "$folder/begin" --carry "$folder/command" bash -c ". $folder/begin; . $folder/command" </dev/null 2>&1
}

# all_refused OPTION...: each hostile source by the box, as root and as a user, and the honest one is compiled.
all_refused() {
	run in_guest "$@" -- 'for by in "" "setpriv --reuid=1000 --regid=1000 --clear-groups"; do
		chmod 777 .
		for source in *.c; do
			echo "@ $source"
			$by /lab/build/bin/compile "$source" ./out -static 2>&1
			echo "= $? left: $(ls /tmp/t)"
			[ ! -e out ] || echo "program: $(./out)"
		done
	done
	gcc -static embeds-hostname.c -o out
	echo "control: $(./out)"'
	[[ $output == *"control: a-secret" ]] || { grep -v "^  *from" <<<"$output" && return 1; }
	output=${output%control: *}
	[[ $output != *secret* ]] || { grep -v "^  *from" <<<"$output" && return 1; }
	local names=(tests/learn/hostile/source/*.source)
	same "sources refused" $((2 * (${#names[@]} + 1))) "$(grep -c '^= 1 left: $' <<<"$output")"
	same "sources compiled" 2 "$(grep -c '^= 0 left: $' <<<"$output")"
	same "programs" 2 "$(grep -c '^program: ' <<<"$output")"
	# A reason stands before each status but the honest one's.
	same "without a reason" "" "$(awk '/^@/ { name = $2; said = 0; next } /^= 1/ && !said { print name } /[a-z]/ { said = 1 }' <<<"$output")"
	[[ $output == *"wrong.c:1:25: error: "* ]]
}

@test "compile: by Landlock, what is not the compiler's is refused, as root and as a user; nothing is left" {
	all_refused
}

@test "compile: without Landlock, by namespaces, the same" {
	all_refused --append lsm=yama
}

@test "compile: without both it is not done: status 77 and the remedy" {
	run in_guest --append lsm=yama -- 'echo 0 >/proc/sys/user/max_user_namespaces
	/lab/build/bin/compile honest.c ./out -static; echo "= $?"; ls /tmp/t out'
	[[ $output == *"user.max_user_namespaces"*"= 77"*"out: No such file"* ]] || { grep -v "^  *from" <<<"$output" && return 1; }
}

@test "compile: killed in the middle, its folder and its compiler are gone" {
	run in_guest -- '/lab/build/bin/compile fills-memory.c ./out -static &
	until pidof cc1 >/dev/null; do sleep 0.01; done
	kill -KILL $!
	for ((tries = 200; tries; tries--)); do
		[ -n "$(ls /tmp/t)$(pidof cc1)" ] || break
		sleep 0.05
	done
	echo "left: $(ls /tmp/t)$(pidof cc1)."'
	[[ $output == *"left: ." ]] || { grep -v "^  *from" <<<"$output" && return 1; }
}

@test "compile: what is no regular file is refused before it is opened, and the output is nobody's link" {
	mkfifo "$folder/fifo" && echo 'int main(void) { return 0; }' >"$folder/good.c" && ln -s good.c "$folder/link.c"
	for source in fifo link.c . missing.c; do
		run timeout 20 "$compile" "$folder/$source" "$folder/out"
		same "$source: status" 2 "$status"
	done
	echo kept >"$folder/kept" && ln -s kept "$folder/out"
	run "$compile" "$folder/good.c" "$folder/out"
	same "status" 0 "$status"
	same "what the link named" kept "$(cat "$folder/kept")"
	"$folder/out"
}

@test "compile: what the compiler says of a program is the same each time" {
	printf '%s\n' '__asm__("\n\n\n.incbin \"no-such\"\n");' 'int main(void) { return 0; }' >"$folder/x.c"
	cd "$folder"
	run -1 "$compile" x.c out
	same "the second time" "$output" "$("$compile" x.c out 2>&1)"
	[[ $output == *"Error: file not found: no-such"* ]]
}
