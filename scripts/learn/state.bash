# shellcheck shell=bash disable=SC2034,SC2154 # scripts/exercise, which loads this file, has set what is read here
# How far the student is. For each exercise work/.state has
#   ID           the last check: its verdict, the checksum of the file, the seed, and how many checks
#                passed at best
#   ID.last      the diagnosis of that check, when it failed
#   ID.hints     the hints that were given since the program last got further
#   ID.solution  the time at which the solution was shown
# A program that passed is a file's content, so another content is not done any more.

week=$((7 * 86400))

# has_room FOLDER: a MiB can be written there.
has_room() {
	local status=0
	head -c 1048576 /dev/zero >"$1/.room.$$" || status=1
	rm -f "$1/.room.$$"
	return $status
} 2>/dev/null
# no_write FOLDER: the one line where something could not be written there. It is nothing that the program has done.
no_write() {
	if [ -d "$1" ] && [ -w "$1" ]; then
		echo "scripts/${0##*/}: $1: no space left" >&2
		exit 3
	fi
	wrong "$1: expected a folder that can be written to"
}

# put FILE TEXT: that becomes its content, whole or not at all. fresh FILE: sets new to an empty one beside it.
fresh() {
	mkdir -p "${1%/*}" && new=$(mktemp "${1%/*}/new.XXXXXX") && chmod "=rw" "$new"
} 2>/dev/null
put() {
	local new=''
	if ! { fresh "$1" && printf '%s\n' "$2" >"$new" && mv -T "$new" "$1"; } 2>/dev/null; then
		[ -z "$new" ] || rm -f "$new"
		no_write "${1%/*}"
	fi
}

# find_exercises: sets exercises, in the order of the course.
find_exercises() {
	local id
	exercises=()
	for id in $(course); do [ ! -e "labs/$id/exercise.sh" ] || exercises+=("$id"); done
}

# read_state ID: sets verdict, hash, seen_seed and passes to what the last check of it left; "none" before one.
read_state() {
	verdict=none hash='' seen_seed='' passes=0
	[ ! -r "$work/.state/$1" ] || read -r verdict hash seen_seed passes <"$work/.state/$1" || :
}
checksum() {
	sha256sum <"$1" | cut -d ' ' -f 1
}

# standing_of ID: sets standing, a few words.
standing_of() {
	local verdict hash seen_seed passes shown=''
	read_state "$1"
	standing='not begun'
	[ ! -f "$work/$1.c" ] || standing=begun
	if [ -r "$work/.state/$1.solution" ]; then
		read -r shown <"$work/.state/$1.solution" || :
		# No number, or a time that has not come, is as good as now.
		[[ $shown =~ ^[0-9]{1,12}$ ]] && ((10#$shown <= EPOCHSECONDS)) || shown=$EPOCHSECONDS
		standing='done with the solution'
		[ $((EPOCHSECONDS - 10#$shown)) -lt $week ] || standing='to do again'
	elif [ "$standing" = begun ] && [ "$verdict" = pass ] && [ "$hash" = "$(checksum "$work/$1.c")" ]; then
		standing='done'
	fi
}

# find_next AFTER: sets next to the first exercise that is left, of those behind AFTER in the course and then of those
# before it; to nothing when all are done.
find_next() {
	local i at=-1 standing
	next=''
	find_exercises
	for i in "${!exercises[@]}"; do [ "${exercises[i]}" != "$1" ] || at=$i; done
	for ((i = 1; i <= ${#exercises[@]}; i++)); do
		next=${exercises[(at + i) % ${#exercises[@]}]}
		standing_of "$next"
		[[ $standing = done* ]] || return 0
	done
	next=''
}

# check_kit: class.json can be read, where there is one.
check_kit() {
	[ -r class.json ] || return 0
	command -v jq >/dev/null || { echo "scripts/${0##*/}: jq is missing; type: make setup" >&2 && exit 77; }
	jq -e 'type == "object"' class.json >/dev/null 2>&1 || wrong "class.json: expected JSON as it was handed out"
}
# What a class has agreed on, where this is its kit (make handout). setting NAME: of class.json.
setting() {
	[ ! -r class.json ] || jq -r --arg name "$1" '.[$name] | if . == null then "" else tostring end' class.json
}
# in_words INSTANT: its day and its clock, with the zone in which it is written, whatever this machine's is.
in_words() {
	local zone=${1:16}
	zone=$(sed -E 's/^(:[0-9]{2}(\.[0-9]+)?)? ?//; s/^Z$//' <<<"$zone")
	LC_ALL=C date -d "${1:0:10}" "+%A, %-d %B %Y, ${1:11:5} (UTC$zone)"
}
tell_due() {
	local due
	due=$(setting due)
	[ -z "$due" ] || echo "  $(setting class): hand in by $(in_words "$due") (make handin)"
}

progress() {
	local id standing bar next count=0 shown=0
	find_exercises
	tell_due
	for id in "${exercises[@]}"; do
		standing_of "$id"
		printf '  %-20s %s\n' "$id" "$standing"
		[[ $standing != done* ]] || count=$((count + 1))
		[ "$standing" != 'done with the solution' ] || shown=$((shown + 1))
	done
	printf -v bar '%*s' $((count * 40 / ${#exercises[@]})) ''
	printf '[%-40s] %d of %d\n' "${bar// /#}" "$count" "${#exercises[@]}"
	[ $shown = 0 ] || echo "$shown with the solution; make practice offers them again a week later"
	[ -z "${IN_PRACTICE-}" ] || return 0
	find_next ''
	if [ -n "$next" ]; then echo "Type next: make exercise-${next%%-*}"; else echo "All exercises are done."; fi
}

# note VERDICT COUNT: of the content that was checked. Who has got further is not given the same hints again.
note() {
	local verdict hash seen_seed passes
	[ -z "${SOURCE-}" ] || return 0
	read_state "$id"
	passes=${passes:-0}
	if [ "$1" = pass ] || [ "$2" -gt "$passes" ]; then rm -f "$state.hints"; fi
	put "$state" "$1 $(checksum "$checked") $seed $(($2 > passes ? $2 : passes))"
	if [ "$1" = pass ]; then rm -f "$state.last"; else put "$state.last" "$(diagnosis)"; fi
}
