# shellcheck shell=bash disable=SC2034 # the tests read what is set here
# What the bats files share. They run on this machine and in the lab VM, as root
# or as an ordinary user, and look at the labs from outside: /proc, /sys/fs/cgroup
# and other processes, never the words of a story and nothing of common/.

bats_require_minimum_version 1.5.0

export LC_ALL=C.UTF-8 PATH="$PATH:/usr/sbin:/sbin"
unset NO_COLOR WHERE

ROOT=${BATS_TEST_DIRNAME%/tests*}
LABS=${LABS_FROM-$ROOT/build/labs} # LABS_FROM: a folder with programs that become these

# strace, with the names that calls have on every machine.
[[ $HOSTTYPE != i?86 || $PATH == "$ROOT/tests/alike":* ]] || PATH=$ROOT/tests/alike:$PATH

in_vm() {
	[ -e /etc/unboxed-vm ]
}

# An ordinary user has to enter the user namespace that the lab made for him as well.
userns_join=() userns_make=()
if [ "$EUID" != 0 ]; then
	userns_join=(--user --preserve-credentials) userns_make=(--user --map-root-user)
fi

# ---- What this place cannot do ----

# needs_lab PROGRAM: skips the test with the words of the lab's own probe.
needs_lab() {
	local missing status=0
	missing=$("$LABS/$1" --can-run) || status=$?
	case $status in
	0) ;;
	77) skip "$1: ${missing//$'\n'/, }" ;;
	*)
		echo "$1 --can-run: expected status 0 or 77, got $status"
		return 1
		;;
	esac
}

# On the host there are the sources, a compiler and a terminal to be had.
host_only() {
	! in_vm || skip "on the host only: $1"
}
# Inside of an emulated machine a lab VM is too slow; make machines says so.
boots_vm() {
	host_only "it boots a lab VM of its own"
	[ "${LAB_VM-}" != no ] || skip "LAB_VM=no: no lab VM can be booted here"
}

# ---- Expected beside observed ----

same() {
	[ "$2" = "$3" ] && return
	printf '%s: expected %q, observed %q\n' "$1" "$2" "$3"
	return 1
}

differ() {
	[ -n "$2" ] && [ -n "$3" ] && [ "$2" != "$3" ] && return
	printf '%s: expected two that differ, observed %q and %q\n' "$1" "$2" "$3"
	return 1
}

within() {
	[[ $4 =~ ^[0-9]+$ ]] && [ "$2" -le "$4" ] && [ "$4" -le "$3" ] && return
	printf '%s: expected %s to %s, observed %q\n' "$1" "$2" "$3" "$4"
	return 1
}

# value FILE [KEY]: what a file of a group holds; nothing where there is none.
value() {
	local key number
	[ -r "$1" ] || return 0
	if [ $# = 1 ]; then
		printf '%s' "$(<"$1")"
		return 0
	fi
	while read -r key number; do
		[ "$key" != "$2" ] || printf '%s' "$number"
	done <"$1"
}

# caller_of PATTERN: the PID that made the one call in strace's file $calls that looks like this;
# fails unless there is exactly one.
caller_of() {
	local found
	# shellcheck disable=SC2154 # set by setup() of the file
	mapfile -t found < <(grep -E "$1" "$calls")
	if [ ${#found[@]} != 1 ]; then
		echo "calls $1: expected one, observed ${#found[@]}" >&2
		return 1
	fi
	echo "${found[0]%% *}"
}

# where_shared PROGRAM: runs it in a mount table of this test's own in which every mount is shared, as
# systemd has them; most test machines share none. It must end with 0 and change nothing in that table.
where_shared() {
	local result shared
	# shellcheck disable=SC2016 # that shell expands it
	result=$(unshare "${userns_make[@]}" --mount --propagation unchanged sh -c 'mount --make-rshared /
		before=$(cat /proc/self/mountinfo); status=0
		"$0" >/dev/null 2>&1 </dev/null || status=$?
		grep -c " shared:" /proc/self/mountinfo
		[ "$before" = "$(cat /proc/self/mountinfo)" ] && echo "status $status, as before" || cat /proc/self/mountinfo' \
		"$LABS/$1" 3>&-) || :
	shared=${result%%$'\n'*}
	within "shared mounts there" 2 100000 "$shared" && same "the lab, the mounts there" "status 0, as before" "${result#*$'\n'}"
}

# ---- A lab that waits in --step ----

# lab_start COMMAND...: starts it with --step and JSON lines, between two fifos.
# Sets lab, the PID of COMMAND. lab_go then walks.
lab_start() {
	lab_dir=$(mktemp -d "$BATS_FILE_TMPDIR/lab.XXXXXX")
	mkfifo "$lab_dir/keys" "$lab_dir/events"
	"$@" --step --format=jsonl <"$lab_dir/keys" >"$lab_dir/events" 2>"$lab_dir/stderr" 3>&- &
	lab=$!
	lab_waits=0 lab_step='' lab_wait=''
	exec {lab_keys}>"$lab_dir/keys" {lab_events}<"$lab_dir/events"
}

# lab_key KEY: one line of input. A lab that has ended reads no more, which must not end the test.
lab_key() {
	local told=0
	trap '' PIPE
	{ echo "$1" >&"$lab_keys"; } 2>/dev/null || told=1
	trap - PIPE
	return $told
}

# lab_go: on to the next wait; false when the lab has ended. Sets lab_wait, the
# event, and what stands in it: lab_step, lab_pid.
lab_go() {
	local line
	[ "$lab_waits" = 0 ] || lab_key "" || return 1
	lab_wait='' lab_step='' lab_pid=''
	while IFS= read -r -t 120 -u "$lab_events" line; do
		printf '%s\n' "$line" >>"$lab_dir/jsonl"
		if [[ $line =~ ^\{\"event\":\"wait\",\"step\":([0-9]+),\"pid\":([0-9]+), ]]; then
			lab_wait=$line lab_step=${BASH_REMATCH[1]} lab_pid=${BASH_REMATCH[2]}
			lab_waits=$((lab_waits + 1))
			return 0
		fi
	done
	return 1
}

# lab_go_until CHECK: on to the first wait at which the lab has told of the check of that name. A lab that
# ends before is a failure, with what it said.
lab_go_until() {
	while ! grep -qsF "\"what\":\"${1//\"/\\\"}\"," "$lab_dir/jsonl" || [ -z "$lab_wait" ]; do
		lab_go && continue
		printf 'the lab has ended before its check "%s"\n' "$1"
		tail -n 2 "$lab_dir/jsonl"
		cat "$lab_dir/stderr"
		return 1
	done
}

# lab_at CHECK COMMAND...: starts it and goes to that wait. The test's teardown calls lab_stop.
lab_at() {
	lab_start "${@:2}"
	lab_go_until "$1"
}

# lab_stop [GROUP]: ends the lab of lab_start, if there still is one: it quits where it waits. Before that it removes the
# test's own GROUP, for with the lab systemd may remove the group around both.
lab_stop() {
	local removed=yes
	[ ! -d "${1-}" ] || rmdir "$1" || removed=no
	[ -z "${lab-}" ] || { lab_key q || :; lab_end 30; }
	lab=''
	[ $removed = yes ]
}

# Lets it run to its end, or waits for the end that a signal brings. Sets
# lab_status; "hangs" when it was still there after the given seconds.
lab_end() {
	local line tries=$((${1:-120} * 20))
	{ exec {lab_keys}>&-; } 2>/dev/null || :
	while IFS= read -r -t "${1:-120}" -u "$lab_events" line; do
		printf '%s\n' "$line" >>"$lab_dir/jsonl"
	done
	exec {lab_events}<&-
	while [ -e "/proc/$lab" ] && [ "$(status_of "$lab" State)" != "Z (zombie)" ] && ((tries-- > 0)); do
		sleep 0.05
	done
	lab_status=0
	if ((tries < 0)); then
		kill -KILL "$lab" 2>/dev/null || :
		wait "$lab" || :
		lab_status=hangs
	else
		wait "$lab" || lab_status=$?
	fi
}

# ---- /proc. bats looks at its own stack before each command, which is slow in the emulated lab VM: few of them ----

# status_of PID KEY: a line of /proc/PID/status, its tabs as blanks. The file is read as a whole, because the lines of
# a process that wakes up in between do not fit together.
status_of() {
	local status
	status=$(<"/proc/$1/status") || :
	[[ ! $'\n'$status =~ $'\n'"$2:"[$' \t']*([^$'\n']*) ]] || printf '%s' "${BASH_REMATCH[1]//$'\t'/ }"
} 2>/dev/null

children_of() {
	local list=
	{ read -r list <"/proc/$1/task/$1/children"; } 2>/dev/null || :
	printf '%s' "${list% }"
}

# The numbers that the processes in the PID namespace of PID have in there.
members_of() {
	stat -L -c '%i %n' /proc/[0-9]*/ns/pid 2>/dev/null | awk -v wanted="$(ns_of "$1" pid)" '
		"pid:[" $1 "]" == wanted {
			file = $2
			sub(/ns\/pid$/, "status", file)
			while ((getline line <file) > 0) if (line ~ /^NSpid:/) { n = split(line, number); print number[n] }
			close(file)
		}' | sort -nu | xargs
}

ns_of() {
	readlink "/proc/$1/ns/$2" 2>/dev/null || :
}

# The folder of the group that PID is in.
group_of() {
	echo "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$1/cgroup")"
}

# below PID: all its descendants.
below() {
	local child
	for child in $(children_of "$1"); do
		echo "$child"
		below "$child"
	done
}

# inside PID NAMESPACE COMMAND...: in that one namespace of PID, from outside.
inside() {
	nsenter "${userns_join[@]}" --target="$1" "--$2" "${@:3}"
}

alive() {
	[ -e "/proc/$1" ] && [ "$(status_of "$1" State)" != "Z (zombie)" ]
}

# all_gone PID...: within ten seconds
all_gone() {
	local pid tries=200
	for pid; do
		while alive "$pid"; do
			((tries-- > 0)) || return 1
			sleep 0.05
		done
	done
}

# ---- Containers ----

# no_hold COMMAND...: run by COMMAND in a container, nothing that it did not ask for is the host's to write: each bind
# mount is read-only, and the mode, owner and times of what is there do not change.
no_hold() {
	# shellcheck disable=SC2016,SC2154 # its shell expands it; bats sets output
	run -0 --separate-stderr "$@" sh -c 'awk "\$4 != \"/\" { print \$5, \$6 }" /proc/self/mountinfo | while read -r place options; do
			case $options in ro,*) ;; *) echo "$place is writable" ;; esac
			! chmod 600 "$place" && ! chown 7 "$place" && ! touch -d "2001-01-01 00:00" "$place" || echo "$place changes"
			echo bind
		done 2>/dev/null'
	# shellcheck disable=SC2154
	within "bind mounts" 5 100 "$(grep -c '^bind$' <<<"$output")"
	same "what is to be held" "" "$(grep -v '^bind$' <<<"$output" | xargs)"
}

# ---- What --explain says, beside strace ----

# joined FILE: strace's lines, those of a call that another process interrupted put together again.
joined() {
	awk '/<unfinished \.\.\.>$/ { sub(/ *<unfinished \.\.\.>$/, ""); open[$1] = $0; next }
		/^[0-9]+ +<\.\.\. [a-z0-9_]+ resumed>/ { rest = $0; sub(/^[0-9]+ +<\.\.\. [a-z0-9_]+ resumed>/, "", rest); print open[$1] rest; delete open[$1]; next }
		{ print }
		END { for (pid in open) print open[pid] }' "$1" # and who never came back
}

# bytes WORD: as strace shows it in a netlink message where it cannot ask the kernel for the protocol.
bytes() {
	local IFS=.
	# shellcheck disable=SC2086 # an address is four numbers
	if [[ $1 =~ ^[0-9.]+$ ]]; then printf '.x%02x' $1; else printf %s "$1" | od -An -v -tx1 | tr -d '\n' | sed 's/ /.x/g'; fi
}

# pattern_of LINE: a regular expression for the call that a line of --explain tells of.
pattern_of() {
	local word call=$1
	if [[ $call == *" <- "* ]]; then
		echo "write\\([0-9]+<[^>]*/${call%% <- *}>, \"${call##* <- }\""
		return
	fi
	if [[ $call == sendmsg* ]]; then
		for word in $(grep -o '"[^"]*"' <<<"$call" | tr -d '"'); do
			call=${call/"\"$word\""/@$(bytes "$word" | tr . @)@}
		done
	fi
	# shellcheck disable=SC2016 # a dollar sign to be escaped
	sed 's/[][\.*^$(){}?+|/]/\\&/g; s/\\\.\\\.\\\./.*/g; s/RTM_NEWLINK/=0x10 /; s/RTM_NEWADDR/=0x14 /; s/@@/@/g; s/@/./g' <<<"$call" |
		sed -E 's/\.(\.x[0-9a-f]{2})/\1/; s/(x[0-9a-f]{2})\.\.\*/\1.*/g'
}

# trace_calls FILE COMMAND...: the calls that --explain tells of, and what is written to files.
trace_calls() {
	strace -f --seccomp-bpf -qq -v -s 4096 -y -o "$1.raw" -e trace=clone3,setns,mount,?mkdir,mkdirat,write,openat,openat2,open_tree,move_mount,fchdir,prctl,capset,seccomp,setresuid,setresgid,prlimit64,sethostname,chdir,execve,execveat,mount_setattr,bpf,sendmsg,ioctl,pivot_root,rt_sigtimedwait,kill,pidfd_send_signal \
		"${@:2}" >/dev/null 2>&1 3>&- </dev/null || :
	# On arm64 there is mkdirat(2) alone, of which the C library makes mkdir().
	joined "$1.raw" | sed -E 's/^([0-9]+ +)mkdirat\(AT_FDCWD[^,]*, /\1mkdir(/' >"$1"
}

# explained LINES CALLS COLUMN: each line that tells of a call at that column has one like it in CALLS;
# prints how many there were.
explained() {
	local line call name matched=0
	while IFS= read -r line; do
		[ "${line:$3:1}" = " " ] || continue # long words: their call is on the next line
		call=${line:$3}
		call=${call#"${call%%[![:space:]]*}"}
		case $call in *'('* | *' <- '*) ;; *) continue ;; esac
		case $call in nothing* | the\ *) continue ;; esac
		name=${call%%(*}
		[[ $call != *' <- '* ]] || name="write"
		grep -E "^[0-9]+ +$name\\(" "$2" | grep -E -- "$(pattern_of "${call% (*)}")" >/dev/null || {
			printf 'no call like: %s\n%s\n' "$line" "$(pattern_of "${call% (*)}")" >&2
			return 1
		}
		matched=$((matched + 1))
	done <"$1"
	echo "$matched"
}
