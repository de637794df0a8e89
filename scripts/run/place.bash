# shellcheck shell=bash disable=SC2034,SC2154 # the script that loads this file reads what is set here
# Where a program of a lab runs: on this machine or in the lab VM, and why. $root is the folder of the tree, and
# $where is auto, host or vm.

# place_about PROGRAM: reads what the program says of itself with one jq, which is slow to start in an emulated VM.
# Sets about (KEY to VALUE), option_type (of --name and -x), operand_types.
place_about() {
	local key value
	declare -gA about=() option_type=()
	operand_types=()
	while read -r key value; do
		case $key in
		-*) option_type[$key]=$value ;;
		part) about[part --${value% *}]=${value##* } ;;
		operand) operand_types+=("$value") ;;
		*) about[$key]=$value ;;
		esac
	done < <(jq -r '"place \(.place)", "boot \(.boot)", "root \(.root)", "cpus \(.needs.cpus)",
		"hazard \(.hazard)", "groups \(.needs.controllers | length)",
		"provide \([("swap", "block") as $on_demand | select(any(.needs, .parts[].needs; .[$on_demand])) | $on_demand] | join(" "))",
		(.parts[] | "part \(.name) \(.boot)"), (.operands[] | "operand \(.type)"),
		(.options[] | "--\(.name) \(.type)", if .letter then "-\(.letter) \(.type)" else empty end)' <<<"$described")
}

# describe PROGRAM: sets described, what the program says of itself as JSON; asked once. False when it says nothing.
describe() {
	[ "${describes-}" = "$1" ] || described=$("$1" --about 2>/dev/null) || described=
	describes=$1
	[ -n "$described" ]
}

# place_of PROGRAM [WORD...]: decides it, for that command line. Sets
#   place      host, or vm
#   why        the reason, in a few words
#   missing    what it lacks on this machine, a line each; nothing when it can run
#   scope      words to put before the command: on systemd its control groups are asked for, so that nobody
#              else's are touched
#   alone      yes when it wants a machine that is booted for it alone
#   about      what the program says of itself, once that had to be read
# False, with the program's status in status, when its command line is wrong or it is damaged.
place_of() {
	local program=$1 word inside
	shift
	scope=() alone='' missing='' place=host why="it has everything it needs"
	declare -gA about=()
	status=0
	describe "$program" || { status=139 && return 1; }
	missing=$("$program" --can-run "$@") || status=$?
	[[ $status = 0 || $status = 77 ]] || return 1
	# Most labs can run here and are no danger: that is seen without jq.
	if [ $status = 0 ] && [ "$where" != vm ] && [[ ${KERNEL-} != [0-9]* && $described != *'"hazard":true'* && $described != *'"boot":"alone"'* &&
		$described != *'"place":"host"'* ]]; then
		place_reason
		return
	fi
	place_about
	if [ $status = 77 ] && [ "$where" != vm ] && [ -d /run/systemd/system ] && [ "${about[groups]}" -gt 0 ]; then
		scope=(systemd-run --quiet --collect --scope --property=Delegate=yes)
		[ "$EUID" = 0 ] || scope+=(--user)
		# systemd 262 takes a $ in COMMAND's words for one of its own; before 254 there is no such option, and no need.
		[[ $(systemd-run --help 2>/dev/null) != *--expand-environment* ]] || scope+=(--expand-environment=no)
		if inside=$("${scope[@]}" "$program" --can-run "$@" 2>/dev/null); then
			status=0 missing=
		else
			# What is missing in spite of it is what is missing.
			[ $? != 77 ] || missing=$inside
			scope=()
		fi
	fi
	# What changes a machine for good gets one that is booted for it alone, never this one.
	[ "${about[boot]}" != alone ] || alone=yes
	for word; do
		[ "$word" != -- ] || break
		[ "${about[part $word]-}" != alone ] || alone=yes
	done
	place_reason
}

place_reason() {
	if [ "$where" = host ]; then
		why="WHERE=host"
	elif [ -e /etc/unboxed-vm ]; then
		why="this is the lab VM"
	elif [ "${about[place]-}" = host ]; then
		why="it makes sense on this machine only"
	elif [ -n "$alone" ]; then
		place=vm why="it needs a machine that is booted for it alone"
	elif [ "$where" = vm ]; then
		place=vm why="WHERE=vm"
	elif [[ ${KERNEL-} == [0-9]* ]]; then
		place=vm why="KERNEL=$KERNEL"
	elif [ "$status" = 77 ]; then
		place=vm why=${missing%%$'\n'*}
		why=${why%%;*}
	elif [ "${about[hazard]-}" = true ]; then
		place=vm why="it is dangerous; WHERE=host would run it here"
	fi
}

# have_kernel: KERNEL=VERSION is fetched where it is not there yet, in sight.
have_kernel() {
	[[ ${KERNEL-} != [0-9]* ]] || "$root/scripts/labvm/kernel" --path >/dev/null 2>&1 || "$root/scripts/labvm/kernel" >&2
}

# place_lacks_vm: why the lab VM cannot be had, or nothing.
place_lacks_vm() {
	local qemu kernel
	qemu=qemu-system-$(uname -m)
	if [ -e /etc/unboxed-vm ]; then
		echo "this is the lab VM"
	elif ! command -v "$qemu" >/dev/null; then
		echo "$qemu is not installed (make setup)"
	elif ! kernel=$("$root/scripts/labvm/kernel" --check 2>&1); then
		echo "${kernel#scripts/labvm/kernel: }"
	fi
}
