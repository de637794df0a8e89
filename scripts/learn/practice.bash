# shellcheck shell=bash disable=SC2034,SC2154 # scripts/exercise, which loads this file, shares its variables
# The loop of make practice: checks what is saved, and has keys.

# turn_to ID: work on it. What was done with the solution a week ago or more begins anew.
turn_to() {
	local standing
	set_exercise "$1"
	standing_of "$id"
	if [ "$standing" = 'to do again' ]; then
		echo "You have seen the solution of $id; write it once more, without it."
		reset
	fi
	begin
}

# Each check is a process of its own, with numbers of its own, and takes no keys.
practice() {
	local events event key file next got blind='' keys='n next   h hint   l list   r run   q quit'
	command -v inotifywait >/dev/null ||
		{ echo "scripts/exercise: practice needs inotifywait, of inotify-tools; type: make setup" >&2 && exit 77; }
	find_next ''
	[ -n "$next" ] || { progress && return; }
	turn_to "$next"
	exec {events}< <(exec setpriv --pdeathsig TERM inotifywait --monitor --quiet --event close_write,moved_to,delete_self,move_self \
		--format '%e %f' "$work" 2>&1)
	watcher=$!
	trap 'kill $watcher 2>/dev/null || :' EXIT
	trap 'exit 130' INT TERM
	export IN_PRACTICE='the key n' # for the words of a check
	unset SOURCE
	# Ctrl-C is a key like q while a key is waited for, so that make has nothing to complain of.
	terminal=$(stty -g 2>/dev/null) || terminal=''
	[ -z "$terminal" ] || { trap 'kill $watcher 2>/dev/null || :; stty "$terminal"' EXIT && stty -echo intr undef; }
	show() {
		echo
		[ -z "$terminal" ] || stty "$terminal" -echo
		"$@" </dev/null || :
		[ -z "$terminal" ] || stty -echo intr undef
		echo "$keys"
	}
	# unwatched: said once, where nothing that is saved is seen any more.
	unwatched() {
		[ -z "$blind" ] || return 0
		blind=yes
		echo "$work is not watched${1:+ ($1)}; type r to check what you have saved."
	}
	show "$self" check "$id"
	while :; do
		key='' file=''
		if read -rsn 1 -t 0.3 key; then
			case $key in
			n)
				find_next "$id"
				[ -n "$next" ] || { show progress && echo "All exercises are done." && continue; }
				turn_to "$next"
				while read -r -t 0.2 -u "$events" _; do :; done # that was us
				show "$self" check "$id"
				;;
			h) show "$self" hint "$id" ;;
			l) show progress ;;
			r) show "$self" check "$id" ;;
			q | $'\x03')
				echo
				break
				;;
			*) echo "$keys" ;;
			esac
		elif [ $? -le 128 ]; then
			break # the end of its input
		fi
		# An editor writes more than once; what is saved is what is worked on.
		got=0
		while [ -z "$blind" ]; do
			read -r -t 0.05 -u "$events" event file || { got=$? && break; }
			case $event in
			*_SELF*) unwatched "the folder was replaced" && continue ;;
			*[!A-Z_,]*) unwatched "$event $file" && continue ;; # inotifywait's own words
			esac
			[[ $file == *.c && -e labs/${file%.c}/exercise.sh ]] && key=saved && set_exercise "${file%.c}"
		done
		if [ $got != 0 ] && [ $got -le 128 ]; then unwatched; fi
		[ "$key" != saved ] || show "$self" check "$id"
	done
}
