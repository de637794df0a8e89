# shellcheck shell=bash disable=SC2034,SC2154 # scripts/exercise, which loads this file, shares its variables
# The loop of make practice: checks what is saved, and has keys.

# next_exercise AFTER: the first that is not done, of those after it and then of those before.
next_exercise() {
	progress | sed '$d' | { cat && echo "$1"; } | awk -v after="$1" '
		{ name[++n] = $1; word[n] = $2 }
		END { n--; for (i = 1; i <= n; i++) if (name[i] == after) at = i
			for (i = 1; i <= n; i++) { k = (at + i - 1) % n + 1; if (word[k] != "done") { print name[k]; exit } } }'
}

# Each check is a process of its own, with numbers of its own, and takes no keys.
practice() {
	local events key file keys='n next   h hint   l list   r run   q quit'
	command -v inotifywait >/dev/null ||
		{ echo "scripts/exercise: practice needs inotifywait, of inotify-tools; type: make setup" >&2 && exit 77; }
	id=$(next_exercise '')
	[ -n "$id" ] || { echo "All exercises are done." && progress && return; }
	source=$work/$id.c
	begin
	exec {events}< <(exec inotifywait --monitor --quiet --event close_write,moved_to --format %f "$work" 2>&1)
	watcher=$!
	trap 'kill $watcher 2>/dev/null || :' EXIT
	trap 'exit 130' INT TERM
	show() {
		echo
		"$@" </dev/null || :
		echo "$keys"
	}
	show "$self" check "$id"
	while :; do
		key='' file=''
		if read -rsn 1 -t 0.3 key; then
			case $key in
			n)
				key=$(next_exercise "$id")
				[ -n "$key" ] || { show progress && echo "All exercises are done." && continue; }
				id=$key source=$work/$key.c
				begin
				while read -r -t 0.2 -u "$events" _; do :; done # that was us
				show "$self" check "$id"
				;;
			h) show "$self" hint "$id" ;;
			l) show progress ;;
			r) show "$self" check "$id" ;;
			q)
				echo
				break
				;;
			*) echo "$keys" ;;
			esac
		elif [ $? -le 128 ]; then
			break # the end of its input
		fi
		# An editor writes more than once; what is saved is what is worked on.
		while read -r -t 0.05 -u "$events" file; do
			[[ $file == *.c && -e labs/${file%.c}/solution.c ]] && key=saved id=${file%.c}
		done
		[ "$key" != saved ] || show "$self" check "$id"
	done
}
