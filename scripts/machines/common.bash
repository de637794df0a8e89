# shellcheck shell=bash disable=SC2034,SC2154 # the script that loads this file reads what is set here
# What the scripts of this folder share. $root is the folder of the tree; they run in it.

# The places where scripts/labvm/kernel keeps its own; MACHINES_CACHE=FOLDER is another one.
if [ -n "${MACHINES_CACHE-}" ]; then
	cache=$(realpath -ms -- "$MACHINES_CACHE")
elif [ "$EUID" = 0 ]; then
	cache=/var/cache/unboxed/machines
else
	cache=${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/unboxed/machines
fi

die() {
	printf '%s: %s\n' "$me" "$1" >&2
	exit "${2:-1}"
}

# machines: the names in the list, a line each.
machines() {
	grep -v '^#' "$root/scripts/machines/list" | cut -d '|' -f 1
}
# find_machine NAME: sets machine, suite, content, parameters, title and before; false when there is none of that name.
find_machine() {
	local line
	line=$(grep -v '^#' "$root/scripts/machines/list" | grep -m 1 "^$1|") || return
	IFS='|' read -r machine suite content parameters title before <<<"$line"
}

# Words before a command: it has the user's own range of IDs, so its files may belong to anybody; root needs none.
# alone: it has processes and mounts of its own too, and none of them outlives it.
as_builder=()
[ "$EUID" = 0 ] || as_builder=(unshare --user --map-auto --map-root-user)
alone=(unshare "${as_builder[@]:1}" --pid --fork --kill-child --mount-proc)

# sweep: the folders of runs that were killed go. A run holds a lock on its folder as long as it lives, and one on the
# cache until it has that.
sweep() {
	local folder cache_lock
	[ -d "$cache" ] || return 0
	exec {cache_lock}<"$cache"
	flock "$cache_lock"
	for folder in "$cache"/run.*; do
		[ -d "$folder" ] || continue
		# The lock is tried with the folder itself, so that nothing has to be written into it.
		flock --nonblock "$folder" true 2>/dev/null || continue
		"${as_builder[@]}" rm -rf "$folder"
	done
	exec {cache_lock}<&-
}
# begin_run: sets scratch, a folder in the cache; it goes with this process, or with the next run.
begin_run() {
	mkdir -p "$cache" 2>/dev/null || die "cannot write to $cache"
	sweep
	local cache_lock
	exec {cache_lock}<"$cache"
	flock "$cache_lock"
	scratch=$(mktemp -d "$cache/run.XXXXXX")
	exec {run_lock}<"$scratch"
	flock "$run_lock"
	exec {cache_lock}<&-
	export TMPDIR=$scratch
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	trap end_run EXIT
}
# end_began: what was begun ends before this script does. unshare heeds no SIGTERM.
began=() end_by=TERM
end_began() {
	local pid
	for pid in "${began[@]}"; do kill "-$end_by" "$pid"; done 2>/dev/null || :
	for pid in "${began[@]}"; do wait "$pid"; done 2>/dev/null || :
	:
}
end_run() {
	end_began
	"${as_builder[@]}" rm -rf "$scratch"
}
# run COMMAND...: it ends when this script ends, however that ends, and a signal to this script is not kept waiting.
run() {
	local status=0
	setpriv --pdeathsig KILL "$@" &
	began=("$!")
	wait "$!" || status=$?
	began=()
	return $status
}
