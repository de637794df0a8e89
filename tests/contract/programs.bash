# shellcheck shell=bash disable=SC2034,SC2154 # who loads it reads what is set here; facts become variables
# The programs that are found in build/labs, and one run of each that the tests of all files share. For who
# has the names of helper.bash.

runs=$BATS_RUN_TMPDIR/labs

# fact NAME VALUE: becomes a variable in read_programs.
fact() {
	printf '%s=%q\n' "$1" "$2" >>"$runs/facts"
}

# find_programs: for setup_suite. Nothing is listed by name.
find_programs() {
	local about program place exclusive shortest quick after parts teaches status written=0 listed=0 programs=() here=() elsewhere=() timed=()
	mkdir "$runs"
	for program in "$LABS"/[0-9]*; do
		[[ $program != *.d && -x $program ]] || continue
		"$program" --about
		written=$((written + 1))
	done >"$runs/about"
	# All with one jq(1), which takes longer to start than a lab; no field is empty, or read would go past it.
	while IFS=$'\t' read -r program place exclusive shortest quick after parts teaches; do
		listed=$((listed + 1))
		! in_vm || [ "$place" != host- ] || continue
		programs+=("$program")
		[ "$exclusive" != cpu- ] || timed+=("$program")
		fact "after_${program//-/_}" "${after#-}"
		fact "parts_${program//-/_}" "${parts#-}"
		fact "teaches_${program//-/_}" "${teaches#-}"
		quick=${quick#-}
		fact "quick_${program//-/_}" "$quick"
		[ "$shortest" = 0 ] || quick=--seconds=$shortest
		fact "brief_${program//-/_}" "$quick"
		! in_vm || [[ " ${LAB_HELD-} " != *" $program "* ]] || continue
		status=0
		"$LABS/$program" --can-run >"$runs/missing.$program" || status=$?
		case $status in
		0) here+=("$program") ;;
		*) elsewhere+=("$program") ;;
		esac
	done < <(jq -r '[(.id | sub("/"; "-")), .place + "-", .exclusive + "-",
		([.options[] | select(.name == "seconds") | .min / 1000] | first // 0),
		(.quick, .after, [.parts[].name], .teaches | "-" + join(" "))] | @tsv' "$runs/about")
	within "programs whose --about can be read" 1 1000 $listed
	same "programs whose --about can be read" $written $listed
	fact seed "${LAB_SEED:-$RANDOM}"
	fact all_of_them "${programs[*]}"
	fact can_run "${here[*]}"
	fact cannot_run "${elsewhere[*]}"
	fact measure_time "${timed[*]}"
}

# read_programs: for setup. Sets programs: those that belong here; here: those of them that can run here, and are
# not held on the host; elsewhere: those that cannot; seed; out and err, for status; and goes to the tree.
read_programs() {
	# shellcheck disable=SC1091 # written by fact()
	. "$runs/facts"
	read -ra programs <<<"$all_of_them"
	read -ra here <<<"$can_run"
	read -ra elsewhere <<<"$cannot_run"
	mark=unboxed-$$-$RANDOM
	RANDOM=$seed
	cd "$ROOT" || return
	out=$BATS_TEST_TMPDIR/out err=$BATS_TEST_TMPDIR/err
}

# What is wrong, in all programs, before a test gives up.
wrong=()
wrong() {
	wrong+=("$*")
}
none_wrong() {
	[ ${#wrong[@]} = 0 ] && return
	printf '%s\n' "${wrong[@]}"
	return 1
}

# some_of LAST: sets some to the numbers from 1 on; in the lab VM, where a run costs seconds, to one of them, which
# LAB_SEED chooses.
some_of() {
	if in_vm; then some=($((RANDOM % $1 + 1))); else mapfile -t some < <(seq "$1"); fi
}

# status COMMAND...: its exit status; stdout and stderr go to $out and $err. Bounded: 124 is a hang.
status() {
	local result=0
	timeout --kill-after=5 120 "$@" >"$out" 2>"$err" 3>&- </dev/null || result=$?
	echo "$result"
}

# its_turn PROGRAM: this run looks at its verdict. LAB_MEASURES lets only those have one that measure time, where
# nothing else runs (only), or the others (no); scripts/check/test.
its_turn() {
	case ${LAB_MEASURES-} in
	only) [[ " $measure_time " = *" $1 "* ]] ;;
	no) [[ " $measure_time " != *" $1 "* ]] ;;
	esac
}

# run_of FILE: sets run, the program with the options of its shortest run. brief FILE: the same where it is not
# the verdict that is looked at: what measures over windows of --seconds has then such in which nothing can be
# measured, and may end with 1 (ended_well).
run_of() {
	options_of "$1" quick
}
brief() {
	options_of "$1" brief
}
options_of() {
	local fact=${1##*/}
	fact=$2_${fact//-/_}
	read -ra run <<<"${!fact}"
	run=("$1" "${run[@]}")
}
# about PROGRAM: sets after, parts and teaches, which are lists.
about() {
	local word
	for word in after parts teaches; do
		fact=${word}_${1//-/_}
		read -ra "${word?}" <<<"${!fact}"
	done
}
# as_user PROGRAM: sets as, for an ordinary user, and run with a copy that she may start. ordinary_user PROGRAM: the same;
# false where she cannot run it.
as_user() {
	as=(setpriv --reuid=1000 --regid=1000 --clear-groups env HOME=/tmp)
	local after parts teaches copy=/tmp/$mark/labs/$1
	mkdir -p "/tmp/$mark/labs"
	chmod 755 "/tmp/$mark" "/tmp/$mark/labs"
	cp "$LABS/$1" "$copy"
	# What it builds on lies beside it: it may start that.
	about "$1"
	for after in "${after[@]}"; do
		[ ! -x "$LABS/$after" ] || cp "$LABS/$after" "/tmp/$mark/labs"
	done
	# The root of the labs' containers lies beside the labs.
	if [ ! -d "/tmp/$mark/rootfs" ]; then
		mkdir -m 755 "/tmp/$mark/rootfs"
		cp -R "$ROOT/build/rootfs/tree" "/tmp/$mark/rootfs/tree"
	fi
	run_of "$copy"
}
ordinary_user() {
	as_user "$1"
	"${as[@]}" "${run[0]}" --can-run >/dev/null 2>&1
}
teardown() {
	[ -z "${mark-}" ] || rm -rf "/tmp/$mark"
}
ended_well() {
	[ "$2" = 0 ] || [[ $2 = 1 && " $measure_time " = *" $1 "* ]]
}

# story PROGRAM, events PROGRAM: the file with those of one run; its status is in FILE.status. Who says that others
# left it no time is run again, at most twice, and again when the next test asks for it. whole PROGRAM: the events of
# one with no option, where its shortest run leaves something out.
story() {
	run_once "$1" story --plain
}
events() {
	with_time "$1" jsonl
}
with_time() { # PROGRAM KIND
	local file tries
	for tries in {1..3}; do
		file=$(run_once "$1" "$2" --format=jsonl)
		if [ "$tries" = 3 ] || ! grep -q 'machine too busy' "$file"; then break; fi
		rm "$file.status"
	done
	echo "$file"
}
# steps PROGRAM: how many there are.
steps() {
	grep -cE '^ ?[0-9]+\. ' "$(story "$1")"
}
whole() {
	local file
	file=$(events "$1")
	run_of "$LABS/$1"
	if [ ${#run[@]} -gt 1 ] && jq -es 'any(.[]; .verdict? == "skip")' "$file" >/dev/null; then
		file=$(with_time "$1" whole)
	fi
	echo "$file"
}
# In the lab VM the events are those of a run in a group below the root's, as a login session's is.
session=/sys/fs/cgroup/session
run_once() {
	local file=$runs/$2.$1 result=0 enter=()
	if [ ! -e "$file.status" ]; then
		case $2 in
		whole) run=("$LABS/$1") ;;
		story) brief "$LABS/$1" ;;
		*)
			run_of "$LABS/$1"
			# shellcheck disable=SC2016
			! in_vm || enter=(bash -c 'mkdir -p "$0" && echo $$ >"$0/cgroup.procs" && exec "$@"' "$session")
			;;
		esac
		timeout --kill-after=5 120 "${enter[@]}" "${run[@]}" "${@:3}" >"$file" 2>"$file.err" </dev/null 3>&- || result=$?
		echo "$result" >"$file.status"
	fi
	echo "$file"
}
