#!/usr/bin/env bats
# bats file_tags=programs
# What every lab has in its own source, and that each has its folder, its tests and its chapter.

load ../helper
load programs

setup() {
	read_programs
}

# ---- Visibility --------------------------------------------------------------------------------

# Sources without comments, their macros not expanded; of a lab with the headers that lie in a lab's folder.
bare_source() {
	local file
	for file in $(gcc -std=gnu11 -MM -MG -I common -I build/made "$@" 2>/dev/null |
		tr -d '\134' | tr ' ' '\n' | grep -E '\.[ch]$' | sort -u | grep -E '^labs/' || echo "$@"); do
		gcc -fpreprocessed -dD -E -P "$file" 2>/dev/null
	done
}

@test "source: what a lab teaches stands in its own source" {
	host_only "the lab VM has no sources and no compiler"
	for program in "${programs[@]}"; do
		read -ra files < <(make -s -C "$ROOT" "sources-$program")
		file=${files[0]}
		text=$(bare_source "${files[@]}")
		# What stands in a string calls nothing.
		code=$(sed -E 's/"([^"\\]|\\.)*"//g' <<<"$text")
		about "$program"
		for word in "${teaches[@]}"; do
			call=${word%%:*} flag=
			[[ $word != *:* ]] || flag=${word#*:}
			if [ "$call" = file ]; then
				grep -qF "$flag" <<<"$text" || wrong "$program teaches $word: the name is not in $file"
				continue
			fi
			grep -qE "\b($call ?\(|(SYS|__NR)_$call\b)" <<<"$code" ||
				wrong "$program teaches $word: $file does not make that call"
			[ -z "$flag" ] || grep -qw "$flag" <<<"$text" || wrong "$program teaches $word: $flag is not in $file"
		done
	done
	none_wrong
}

@test "source: no object of common/ makes a call that teaches, but the three that hold nothing else" {
	host_only "the lab VM has no objects and no sources"
	calls='unshare|setns|clone|clone3|__clone|mount|umount|umount2|pivot_root|chroot|sethostname|setdomainname'
	objects=0
	for source in common/*/*.c; do
		name=${source##*/}
		name=${name%.c}
		case $name in mounts | probe | spawn) continue ;; esac
		objects=$((objects + 1))
		object=build/${source%.c}.o
		undefined=$(nm -u "$object") || wrong "$object is not built"
		found=$(grep -woE "$calls" <<<"$undefined" | xargs)
		[ -z "$found" ] || wrong "$source refers to: $found"
		text=$(bare_source "$source")
		found=$(grep -oE "\b(SYS|__NR)_($calls)\b" <<<"$text" | xargs)
		[ -z "$found" ] || wrong "$source: $found"
		# A call by its number has to be named, or it could be any of them.
		found=$(grep -oE '\bsyscall\([^,)]*' <<<"$text" | grep -vE '\((SYS|__NR)_[a-z0-9_]+$' | xargs)
		[ -z "$found" ] || wrong "$source: a call without its name: $found"
	done
	[ $objects -gt 3 ] || wrong "only $objects objects were looked at"
	# mounts.o: the two calls of its name, with their flags, and nothing else.
	text=$(bare_source common/kernel/mounts.c)
	same "calls in mounts.c" "mount unshare" "$(grep -oE '\b(unshare|setns|clone3?|u?mount2?|pivot_root|chroot|sethostname|setdomainname)\(' <<<"$text" | tr -d '(' | sort -u | xargs)" || wrong "see above"
	same "flags in mounts.c" "CLONE_NEWNS MS_PRIVATE MS_REC" "$(grep -oE '\b(CLONE|MS)_[A-Z_]+' <<<"$text" | sort -u | xargs)" || wrong "see above"
	# spawn.o: one clone3, with that one flag, and nothing else.
	text=$(bare_source common/kernel/spawn.c)
	same "calls by number in spawn.c" "SYS_clone3" "$(grep -oE '\b(SYS|__NR)_[a-z0-9_]+' <<<"$text" | xargs)" || wrong "see above"
	same "flags in spawn.c" "CLONE_INTO_CGROUP" "$(grep -oE '\bCLONE_[A-Z_]+' <<<"$text" | sort -u | xargs)" || wrong "see above"
	none_wrong
}

@test "source: strace of the story shows each call that it teaches, with the flag" {
	command -v strace >/dev/null || skip "there is no strace here: make setup"
	for program in "${here[@]}"; do
		about "$program"
		traced=openat,open
		for word in "${teaches[@]}"; do
			case $word in
			file:*) ;;
			fork*) traced+=,clone,fork,vfork ;; # what the C library's fork() makes
			*) traced+=,${word%%:*} ;;
			esac
		done
		calls=$BATS_TEST_TMPDIR/calls
		brief "$LABS/$program"
		result=0
		timeout 300 strace -f --seccomp-bpf -qq -s 256 -e "trace=$traced" -o "$calls" "${run[@]}" >"$out" 2>"$err" 3>&- </dev/null || result=$?
		ended_well "$program" "$result" || wrong "$program under strace: status $result: $(tail -n 1 "$out")"
		joined "$calls" >"$calls.whole"
		for word in "${teaches[@]}"; do
			call=${word%%:*} flag=
			[[ $word != *:* ]] || flag=${word#*:}
			case $call in
			file) grep -qE "open(at)?\(.*[/\"]$flag\".* = [0-9]+$" "$calls.whole" || wrong "$program teaches $word: no such file was opened" ;;
			*)
				name=$call
				[ "$call" != fork ] || name='(clone|fork|vfork)'
				made=$(grep -E "^[0-9]+ +${name}\(" "$calls.whole" || :)
				[ -n "$made" ] || wrong "$program teaches $word: the story did not make it"
				[ -z "$flag" ] || grep -qw -- "$flag" <<<"$made" || wrong "$program teaches $word: not with that flag: $made"
				;;
			esac
		done
	done
	none_wrong
}

# ---- The tree ----------------------------------------------------------------------------------

@test "source: every lab has its folder, its tests and its chapter, and no list names one" {
	host_only "the lab VM has no sources"
	for folder in "$ROOT"/labs/*/; do
		id=$(basename "$folder")
		[[ $id =~ ^[0-9]{2}-[a-z0-9]+(-[a-z0-9]+)*$ ]] || wrong "labs/$id: expected NN-kebab"
		[ -f "$folder/main.c" ] || wrong "labs/$id has no main.c"
		[ -x "$LABS/$id" ] || wrong "labs/$id is not built"
		for file in "$folder"more.c "$folder"more-*.c; do
			more=${file##*/} more=${more%.c}
			[ ! -f "$file" ] || [ -x "$LABS/$id-$more" ] || wrong "labs/$id/$more.c is not built"
		done
		[ -f "$ROOT/tests/$id.bats" ] || wrong "labs/$id has no tests/$id.bats"
		grep -qE "^## $id( |:|$)" "$ROOT/GUIDE.md" || wrong "GUIDE.md has no chapter ## $id"
		lists=$(cd "$ROOT" && grep -rlF --exclude=scripts.bats -- "$id" Makefile ./*/rules.mk scripts rootfs .ci common tests/helper.bash tests/contract 2>/dev/null || :)
		for list in $lists; do
			# An example in a comment or in a usage text is no list; two labs in one file are.
			others=$(cd "$ROOT" && for other in labs/*/; do grep -lF -- "$(basename "$other")" "$list"; done | wc -l)
			[ "$others" -lt 2 ] && [[ $list != Makefile && $list != *rules.mk ]] || wrong "$list names $id: nothing may list labs"
		done
	done
	for program in "${programs[@]}"; do
		[ -n "$(make -s -C "$ROOT" "sources-$program")" ] || wrong "build/labs/$program has no source any more: make clean"
	done
	for file in "$ROOT"/tests/[0-9]*.bats; do
		id=$(basename "$file" .bats)
		[ -d "$ROOT/labs/$id" ] || wrong "tests/$id.bats is of no lab"
		tags=$(grep -c '^# bats file_tags=measures$' "$file") || :
		same "$id: measures time" "$([[ " $measure_time " = *" $id "* ]] && echo 1 || echo 0)" "$tags" || wrong "see above"
		! grep '^@test' "$file" | grep -v "^@test \"$id: " || wrong "tests/$id.bats: a test's title begins with the lab's id"
	done
	none_wrong
}

@test "source: the facts of every lab are obtained a second time" {
	# In tests/NN-name.bats "# check: WHAT" tags the assertion. Every check of main.c has one.
	for program in "${here[@]}"; do
		[[ $program != *-more* ]] || continue
		file=$ROOT/tests/$program.bats
		if [ ! -f "$file" ]; then
			wrong "$program has no tests/$program.bats"
			continue
		fi
		checks=$(jq -r 'select(.event == "check") | .what' "$(whole "$program")" | sort -u)
		tags=$(sed -n 's/^[[:space:]]*# check: //p' "$file" | sort -u)
		list=$(grep -vxF -e "$checks" <<<"$tags" || :)
		[ -z "$list" ] || wrong "tests/$program.bats tags what is no check of $program: ${list//$'\n'/, }"
		list=$(grep -vxF -e "$tags" <<<"$checks" || :)
		[ -z "$list" ] || wrong "tests/$program.bats has no assertion for: ${list//$'\n'/, }"
		# An assertion is held beside the kernel, not beside the lab's words.
		! grep -nE 'grep.*(story|"?observed"?)|\.observed|\.verdict|select\(.event == "check"' "$file" ||
			wrong "tests/$program.bats reads the lab's own verdicts"
	done
	none_wrong
}
