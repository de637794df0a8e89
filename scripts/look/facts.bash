# shellcheck shell=bash disable=SC2034 # the script that loads this file reads what is set here
# What the kernel tells of a process in /proc, where scripts/map compares two of them. To compare one thing more, add a
# line to the table; a new kind of SOURCE is a function read_KIND.

# GROUP | NAME | SOURCE, of /proc/PID | LAB that explains it
#   ns NAME          the namespace's number, namespaces(7)
#   root             device and inode of its root folder, proc_pid_root(5)
#   mount            what is mounted there: its type, ro or rw, proc_pid_mountinfo(5)
#   key NAME         a value of status, proc_pid_status(5)
#   caps NAME        the same, a set of capabilities, capabilities(7)
#   file NAME        the words of a file
#   groups           its groups, cgroups(7)
#   limit FILE NONE  of its group, and of the next group above that has one. NONE: what stands there without a limit
table='
namespaces|pid namespace|ns pid|01
namespaces|mount namespace|ns mnt|02
namespaces|uts namespace|ns uts|03
namespaces|ipc namespace|ns ipc|04
namespaces|user namespace|ns user|05
namespaces|net namespace|ns net|06
namespaces|cgroup namespace|ns cgroup|07
namespaces|time namespace|ns time|11
root|root folder|root|02
root|root mount|mount|14
groups|groups|groups|07
groups|memory.max|limit memory.max max|10
groups|memory.high|limit memory.high max|10
groups|memory.swap.max|limit memory.swap.max max|10
groups|pids.max|limit pids.max max|08
groups|cpu.max|limit cpu.max max|09
groups|cpu.weight|limit cpu.weight 100|09
groups|CPUs allowed|key Cpus_allowed_list|09
groups|io.max|limit io.max none|12
groups|oom_score_adj|file oom_score_adj|10
ids|uid|key Uid|15
ids|gid|key Gid|15
ids|uid map|file uid_map|05
ids|gid map|file gid_map|05
privileges|effective caps|caps CapEff|15
privileges|bounding caps|caps CapBnd|15
privileges|ambient caps|caps CapAmb|15
privileges|no_new_privs|key NoNewPrivs|15
privileges|seccomp|key Seccomp|15
privileges|seccomp filters|key Seccomp_filters|15
privileges|security label|file attr/current|15
'

# The bits of a set of capabilities, from 0 on; linux/capability.h
capabilities=(chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable
	net_bind_service net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace
	sys_pacct sys_admin sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease audit_write audit_control
	setfcap mac_override mac_admin syslog wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore)

# What v1 calls a file of v2: CONTROLLER FILE, and what stands there without a limit.
declare -A v1=([memory.max]='memory memory.limit_in_bytes 9223372036854771712'
	[cpu.max]='cpu cpu.cfs_quota_us -1' [pids.max]='pids pids.max max' [cpu.weight]='cpu cpu.shares 1024')

# ---- Mounts of cgroup file systems, as this script sees them ----

declare -A mount_of=() mount_root=() # of "" (v2) and of each controller of v1
find_groups() {
	local fields dash option
	while read -ra fields; do
		for ((dash = 6; dash < ${#fields[@]}; dash++)); do [ "${fields[dash]}" != - ] || break; done
		case ${fields[dash + 1]-} in
		cgroup2) option='' ;;
		cgroup) option=${fields[dash + 3]} ;;
		*) continue ;;
		esac
		while :; do
			[ -n "${mount_of[v${option%%,*}]-}" ] || mount_of[v${option%%,*}]=${fields[4]} mount_root[v${option%%,*}]=${fields[3]}
			[[ $option = *,* ]] || break
			option=${option#*,}
		done
	done </proc/self/mountinfo
}

# ---- One process: each reader sets value, or problem; its working directory is the process's in /proc ----

declare -A status=() space=() group=()

# read_process: what several lines of the table are read from. False when it has ended.
read_process() {
	local line key path
	status=() space=() group=()
	mapfile -t lines <status || return
	for line in "${lines[@]}"; do
		status[${line%%:*}]=${line#*:$'\t'}
	done
	[[ ${status[State]-Z} != [ZX]* ]] || return
	while read -r line; do
		[[ ! $line =~ \ ([a-z_]+)(\ -\>\ [a-z_]+:\[([0-9]+)\])?$ ]] || space[${BASH_REMATCH[1]}]=${BASH_REMATCH[3]}
	done < <(LC_ALL=C ls -l ns 2>/dev/null)
	while IFS=: read -r _ key path; do
		while :; do
			group[v${key%%,*}]=$path
			[[ $key = *,* ]] || break
			key=${key#*,}
		done
	done <cgroup
}

denied() { # the file that cannot be read
	if [ -r stat ]; then problem="$1: root is needed"; else problem="$1: it ended"; fi
}

read_ns() {
	if [ -n "${space[$1]-}" ]; then
		value=${space[$1]}
	elif [ ${#space[@]} -gt 0 ] && [ -z "${space[$1]+here}" ]; then
		problem="this kernel has none"
	else
		denied "ns/$1"
	fi
}

read_root() {
	value=$(stat -L -c '%d:%i' root 2>/dev/null) || denied root
}

read_mount() {
	local fields dash
	while read -ra fields; do
		[ "${fields[4]-}" = / ] || continue
		for ((dash = 6; dash < ${#fields[@]}; dash++)); do [ "${fields[dash]}" != - ] || break; done
		value="${fields[dash + 1]} ${fields[5]%%,*}"
	done 2>/dev/null <mountinfo || :
	[ -n "$value" ] || if [ -r mountinfo ]; then value="a folder, no mount"; else denied mountinfo; fi
}

read_key() {
	value=${status[$1]-}
	[ -n "$value" ] || problem="this kernel does not tell"
	# Four ids: real, effective, saved and of the file system. One, where they are one.
	local ids
	read -ra ids <<<"$value"
	[[ $1 != ?id || "${ids[*]}" != "${ids[0]} ${ids[0]} ${ids[0]} ${ids[0]}" ]] || value=${ids[0]}
}

read_caps() {
	local bits=${status[$1]-} bit names=() all=()
	[ -n "$bits" ] || { problem="this kernel does not tell" && return; }
	for ((bit = 0; bit < 63; bit++)); do
		((0x$bits >> bit & 1)) || continue
		names+=("${capabilities[bit]-cap_$bit}")
	done
	value="${#names[@]}: ${names[*]}"
	[ ${#names[@]} -gt 0 ] || value=none
	# What the kernel has, the bounding set of a process that gave nothing away has too.
	[ ${#names[@]} -lt ${#capabilities[@]} ] || value="all ${#names[@]}"
}

read_file() {
	local lines=() line
	{ mapfile -t lines <"$1"; } 2>/dev/null || { [ -e "$1" ] && denied "$1" || problem="this kernel has none"; }
	for line in "${lines[@]}"; do
		read -ra line <<<"${line//$'\0'/}"
		value+=${value:+, }${line[*]}
	done
	[ -n "$value$problem" ] || value=none
}

read_groups() {
	local path found=
	for path in "${group[@]}"; do [[ " $found " = *" $path "* ]] || found+=${found:+ }$path; done
	value=$(tr ' ' '\n' <<<"$found" | LC_ALL=C sort | paste -sd ' ')
	[ -n "$value" ] || problem="this kernel has no groups"
}

# limit_in FOLDER FILE NONE: sets found to the limit there, or to nothing
limit_in() {
	local lines=()
	found=
	{ mapfile -t lines <"$1/$2"; } 2>/dev/null || return 0
	found=$(IFS=,; echo "${lines[*]}")
	case $found in "$3" | "$3 100000") found= ;; esac
}

read_limit() {
	local file=$1 none=$2 controller='' folder base own words found
	if [ -n "${v1[$1]-}" ]; then
		read -ra words <<<"${v1[$1]}"
		[ -z "${group[v${words[0]}]-}" ] || controller=${words[0]} file=${words[1]} none=${words[2]}
	fi
	base=${mount_of[v$controller]-}
	[ -n "$base" ] || { problem="no groups are mounted here" && return; }
	folder=${group[v$controller]-}
	[ "${mount_root[v$controller]}" = / ] || folder=${folder#"${mount_root[v$controller]}"}
	[[ $folder/ != /../* ]] || { problem="its group is above those that are mounted here" && return; }
	folder=${folder%/}
	[ -d "$base$folder" ] || { problem="its group is not below $base" && return; }
	limit_in "$base$folder" "$file" "$none"
	own=${found:-$2}
	while [ -n "$folder" ]; do
		folder=${folder%/*}
		limit_in "$base$folder" "$file" "$none"
		[ -z "$found" ] || { own+="; above it, in ${folder:-/}: $found" && break; }
	done
	value=$own
}
