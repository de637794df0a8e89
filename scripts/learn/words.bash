# shellcheck shell=bash disable=SC2034,SC2154 # scripts/exercise, which loads this file, has set what is read here
# What helps a student: hints, the solution (the worked example), and both programs side by side.

# wrap: stdin, in lines for a screen of 80 columns. A long line goes on below its own beginning.
wrap() {
	local line indent
	while IFS= read -r line; do
		indent=${line%%[! ]*}
		fold -s -w $((78 - ${#indent})) <<<"${line#"$indent"}" | sed "s/^/$indent/; s/ *\$//"
	done
}

# words_of NAME: task, look or because, which exercise.sh sets.
words_of() {
	# shellcheck source=labs/03-uts-ns/exercise.sh
	(. "labs/$id/exercise.sh" && echo "${!1-}")
}

# unwritten HOLE: the file still has its YOUR TURN, and behind it nothing new.
unwritten() {
	awk -v hole="$1" '
		FNR == NR { if (/\/\* YOUR TURN: /) { if (++holes == hole) { mark = $0; want = 1 } } else if (want && NF) { next_line = $0; want = 0 }; next }
		seen && NF { found = $0 == next_line; exit }
		mark != "" && $0 == mark { seen = 1 }
		END { exit !found }' <(scripts/learn/cut "labs/$id/solution.c") "$source"
}

# calls_of HOLE: what the lines that belong there are made of, in their order.
calls_of() {
	local lines calls constants files
	if [ ! -e "labs/$id/solution.c" ]; then # the kit of a class
		sed -n "s/^$1\t//p" "labs/$id/calls"
		return
	fi
	lines=$(scripts/learn/cut --hole "$1" "labs/$id/solution.c" | sed '1d; /err(/d; s,/\*.*\*/,,')
	names() { grep -oE "$1" | grep -vxE "${2-}" | awk '!seen[$0]++' | paste -sd '~' | sed 's/~/, /g'; }
	calls=$(names '\<[a-z_0-9]+\(' '(if|for|while|do|return|sizeof)\(' <<<"$lines" | sed 's/(/()/g') || :
	constants=$(names '\<[A-Z][A-Z0-9_]+\>' <<<"$lines") || :
	files=$(names '"[a-z/]+[./][a-z_/]+"' <<<"$lines" | tr -d '"') || :
	[ -z "$calls" ] || echo "Calls, in the order in which you need them: $calls."
	[ -z "$constants" ] || echo "Constants: $constants."
	[ -z "$files" ] || echo "Files: $files."
}

# hint: where to look; then for one YOUR TURN after the other its calls, and its lines. It runs nothing: what was
# wrong is what the last check saw.
hint() {
	local verdict hash seen_seed passes holes hole part left=() begun=() all given parts=(calls lines)
	if [ "$(setting hints)" = false ]; then
		echo "This class works without hints; make exercise-$short says what is wrong, and why."
		exit 1
	fi
	[ -e "labs/$id/solution.c" ] || parts=(calls)
	[ -e "$source" ] || [ -L "$source" ] || { echo "$id: not begun; type: make exercise-$short" && exit 1; }
	regular
	read_state "$id"
	if [ "$verdict" = pass ] && [ "$hash" = "$(checksum "$source")" ]; then
		echo "$id: all holds; there is nothing to hint at."
		return
	elif [ ! -r "$state.last" ]; then
		echo "$id: not checked yet; make exercise-$short says what is wrong."
	else
		echo "$id, in the last check (SEED=$seen_seed):"
		cat "$state.last"
		[ "$hash" = "$(checksum "$source")" ] || echo "The file has changed since then; to check it again: make exercise-$short"
	fi
	# What is still to be written comes first.
	holes=$(scripts/learn/cut "labs/$id/solution.c" | grep -c '/\* YOUR TURN: ')
	for ((hole = 1; hole <= holes; hole++)); do
		if unwritten $hole; then left+=("${parts[@]/%/ $hole}"); else begun+=("${parts[@]/%/ $hole}"); fi
	done
	all=(look "${left[@]}" "${begun[@]}")
	mapfile -t given < <(cat "$state.hints" 2>/dev/null)
	for part in "${all[@]}" ''; do [[ "|$(printf '%s|' "${given[@]}")" = *"|$part|"* ]] || break; done
	echo
	if [ -z "$part" ]; then
		if [ -e "labs/$id/solution.c" ]; then
			echo "Those were all ${#all[@]} hints. The worked example, with its reasons: make solution-$short"
		else
			wrap <<<"Those were all ${#all[@]} hints. Read make guide-$short once more; then ask your instructor, with your file and with what stands above."
		fi
		return
	fi
	echo "Hint $((${#given[@]} + 1)) of ${#all[@]}."
	hole=${part#* }
	{
		case $part in
		look) echo "Where to look: $(words_of look) The chapter: make guide-$short" ;;
		*) echo "YOUR TURN $hole of $holes: $(scripts/learn/cut --hole "$hole" "labs/$id/solution.c" | head -n 1)." ;;
		esac
		case $part in
		calls*) calls_of "$hole" ;;
		lines*)
			echo "The lines to write:"
			scripts/learn/cut --hole "$hole" "labs/$id/solution.c" | sed 1d | expand -t 4
			;;
		esac
	} | wrap
	put "$state.hints" "$(printf '%s\n' "${given[@]}" "$part" | sed '/^$/d')"
}

# solution: the worked example. Who asks for it before they have passed has done the exercise with it, and a person is
# asked first.
solution() {
	local standing again key='' reason=''
	if [ ! -e "labs/$id/solution.c" ]; then
		echo "This class works without worked examples; make hint-$short helps with one thing at a time."
		exit 1
	fi
	standing_of "$id"
	again=$(LC_ALL=C date -d "@$((EPOCHSECONDS + week))" '+%-d %B')
	if [ "$standing" != 'done' ] && [ "$standing" != 'done with the solution' ] && [ -t 0 ] && [ -t 1 ]; then
		wrap <<<"This shows the worked example of $id. The exercise then counts as done with the solution, and make practice offers it again from $again on. make hint-$short helps with one thing at a time."
		printf 'Enter: show it. q: not yet > '
		read -r key || key=q
		[ -z "${key//[[:space:]]/}" ] || return 0
	fi
	[ "$standing" = 'done' ] || reason="$id counts as done with the solution. From $again on, make practice offers it again."
	page "$(
		scripts/learn/cut --whole "labs/$id/solution.c" | expand -t 4
		echo
		wrap <<<"Why it is written so: $(words_of because)"
		[ -z "$reason" ] || wrap <<<"$reason"
	)"
	[ -n "$reason" ] || return 0
	put "$state.solution" $EPOCHSECONDS
}

code_of() {
	tr -d '\000-\010\013-\037\177' | sed '/^[ \t]*\/\*.*\*\/$/d' | expand -t 4
}

# beside_model: the program that was checked and the worked example, where they differ by more than blanks and comments.
beside_model() {
	local differs
	[ -e "labs/$id/solution.c" ] || return 0
	differs=$(diff -w -B -U 0 <(code_of <"$checked") <(scripts/learn/cut --whole "labs/$id/solution.c" | code_of) |
		sed '1,2d; /^@@/d; s/^-/  yours | /; s/^+/example | /' | head -n 60) || :
	if [ -z "$differs" ]; then
		echo "Your program is the worked example, line for line."
	else
		echo "Your program beside the worked example:"
		echo "$differs"
	fi
	wrap <<<"Why the worked example is written so: $(words_of because)"
}

# tell_next: by its name.
tell_next() {
	local next
	find_next "$id"
	if [ -n "$next" ]; then
		wrap <<<"Next: ${IN_PRACTICE:-make exercise-${next%%-*}} ($next: $("build/labs/$next" --about | jq -r .title))"
	else
		echo "All exercises are done."
	fi
}
