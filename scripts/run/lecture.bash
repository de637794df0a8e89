# shellcheck shell=bash disable=SC2034,SC2154 # scripts/labs, which loads this file, shares its variables
# A lecture: commands one after the other, each step of a story on a key, with keys that lead from lab to lab.

# plan_rows MINUTES: the rows of that plan in GUIDE.md, a line each: MINUTE, COMMAND and what to ask, with tabs between them.
plan_rows() {
	awk -v minutes="$1" '/^## / { plans = /^## Plans for teaching/ } !plans { next }
		/^### / { mine = $2 == minutes } !mine { next }
		/^- \*\*[0-9]+ min\*\* `/ { minute = $2; sub(/^\*\*/, "", minute)
			command = $0; sub(/^[^`]*`/, "", command); sub(/`$/, "", command) }
		/^  Ask: / { sub(/^  Ask: /, ""); print minute "\t" command "\t" $0 }' "$root/GUIDE.md"
}

# lecture_of [--plan MINUTES | NN[/more-WORD]...]: sets items, the commands, and asks, what to ask before each; ids, the programs
# that they run; plan, the words for another run of this script.
lecture_of() {
	local command ask word course further
	ids=()
	if [ "${1-}" = --plan ]; then
		plan=("$@")
		while IFS=$'\t' read -r _ command ask; do
			[[ $command != make\ lab-* ]] || command="scripts/lab ${command#make lab-} --step"
			items+=("$command") asks+=("$ask")
			word=${command#scripts/lab }
			find_program "${word%% *}" || wrong "$command: $problem"
			ids+=("$name")
		done < <(plan_rows "${2-}")
		[[ $# = 2 && ${#items[@]} -gt 0 ]] ||
			wrong "--plan ${*:2}: expected one of GUIDE.md's: $(sed -nE 's/^### ([0-9]+) minutes:.*/\1/p' GUIDE.md | xargs)"
		return
	fi
	if [ $# = 0 ]; then
		mapfile -t course < <(course)
		for id in "${course[@]}"; do [[ " ${labs[*]} " != *" $id "* ]] || set -- "$@" "$id"; done
	fi
	for word; do
		find_program "$word" || wrong "$problem"
		further=''
		[[ $word != */* ]] || further=/${word#*/}
		plan+=("$id$further") ids+=("$name") items+=("scripts/lab ${id%%-*}$further --step") asks+=("")
	done
}

# go_where KEY: sets at to the item that comes then; false when there is no such lab.
go_where() {
	local to command
	case $1 in
	n) [ $((at + 1)) -lt ${#items[@]} ] || { echo "This was the last of the lecture. q ends it." && return 1; } ;;&
	n | '') at=$((at + 1)) && return ;;
	r) return ;;
	esac
	if ! find_among "$1" "${labs[@]}"; then
		printf 'There is no lab %s. The labs are: %s\n' "$1" "${labs[*]%%-*}"
		return 1
	fi
	command="scripts/lab ${id%%-*} --step"
	for to in "${!items[@]}"; do
		[ "${items[to]}" != "$command" ] || { at=$to && return; }
	done
	# One that is not in the list comes in between.
	at=$((at + 1))
	items=("${items[@]:0:at}" "$command" "${items[@]:at}")
	asks=("${asks[@]:0:at}" "" "${asks[@]:at}")
}

# ask_key WHAT: sets key to what is typed where Enter does that.
ask_key() {
	key=
	[ -t 0 ] || return 0
	while read -rs -t 0.01; do :; done # what was typed before
	printf '\nEnter: %s. n: next. r: again. 03: that lab. q: end > ' "$1"
	read -r key || key=q
	key=${key//[[:space:]]/}
}

# lecture: the commands in items. Ctrl-C, like q, ends all of it.
lecture() {
	local at=0 key keys file status next leads
	file=$(mktemp "${TMPDIR:-/tmp}/unboxed-lecture.XXXXXX")
	# shellcheck disable=SC2064 # the name is known now
	trap "rm -f '$file'" EXIT
	trap 'printf "\nThe lecture ends here.\n"; exit 130' INT
	exec {keys}>>"$file"
	echo "Enter goes on, n: the next lab, r: again, 03: that lab, q: end, ?: all keys."
	while [ "$at" -lt ${#items[@]} ]; do
		printf '\n==== %d of %d: %s\n' $((at + 1)) ${#items[@]} "${items[at]% --step}"
		[ -z "${asks[at]-}" ] || printf '     Ask: %s\n' "${asks[at]}"
		echo
		: >"$file"
		key=
		# A story waits by itself below its first act.
		[[ ${items[at]} = *' --step' ]] || ask_key "run it"
		if [ -z "$key" ]; then
			status=0
			leads="r ${labs[*]%%-*} " # with n there is a next one
			[ $((at + 1)) = ${#items[@]} ] || leads="n $leads"
			LAB_LECTURE="$keys $leads" eval "${items[at]}" || status=$?
			key=$(tail -n 1 "$file")
			[ -n "$key" ] || [ $status != 130 ] || break
			next=${items[at + 1]-the end}
			[ -n "$key" ] || ask_key "${next% --step}"
		fi
		until [ "$key" = q ] || go_where "$key"; do ask_key "${items[at + 1]-the end}"; done
		[ "$key" != q ] || break
	done
	exec {keys}>&-
	echo "The lecture ends here."
}
