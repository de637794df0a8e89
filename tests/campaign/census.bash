# shellcheck shell=bash disable=SC2154 # mark is set by who loads it
# What is left behind: all that a lab might leave or change, before and after. For who has the names of
# helper.bash, and mark, which is MARK in the environment of what was started.

# On the host others mount things too, at places that are theirs; the lab VM is ours alone.
mounts() {
	if in_vm; then
		cat /proc/self/mountinfo
	else
		grep -E ' /tmp/lab[0-9]' /proc/self/mountinfo || :
		grep -vE ' /(tmp|mnt|media|home|root|var|srv|opt|run)/[^ ]* ' /proc/self/mountinfo
	fi
}

# What a lab might leave or change, apart from processes: one thing a line.
census() {
	echo "names: $(</proc/sys/kernel/hostname) $(</proc/sys/kernel/domainname)"
	printf 'file: %s\n' /tmp/lab[0-9]* /dev/shm/* /dev/mqueue/*
	printf 'link: %s\n' /sys/class/net/*
	mounts
	awk '{ print FILENAME, $1, $2 }' /proc/sysvipc/*
	! in_vm || awk '$2 > 0 { print "hierarchy of cgroup v1: " $1 }' /proc/cgroups
	find /sys/fs/cgroup -type d -name 'lab[0-9]*' -printf 'group: %p\n' 2>/dev/null ||
		find /sys/fs/cgroup -type d -name 'lab[0-9]*' 2>/dev/null
}

# change BEFORE AFTER: what is new (>), and what is gone (<) that was not an older run's.
change() {
	# Not diff(1): busybox's has a format of its own.
	awk 'NR == FNR { before[$0]++; next }
		before[$0]-- <= 0 { print "> " $0 }
		END { for (line in before) for (; before[line] > 0; before[line]--) print "< " line }' \
		<(printf '%s\n' "$1") <(printf '%s\n' "$2") | grep -vE '^< .*/lab[0-9]{2}-|^[<>] file: .*\*$' || :
}

# Processes that were started with MARK=$mark in their environment.
marked() {
	grep -ls "MARK=$mark" /proc/[0-9]*/environ || :
}

# left_behind BEFORE [TRIES]: what is there still, or is gone, one second (10 tries) after the end.
left_behind() {
	local tries=${2-10} now processes change
	while
		now=$(census) processes=$(marked) change=
		[ "$now" = "$1" ] || change=$(change "$1" "$now")
		[ -n "$change$processes" ]
	do
		if ((tries-- == 0)); then
			[ -z "$change" ] || echo "$change"
			for process in $processes; do
				echo "${process%/environ}: $(tr '\0' ' ' <"${process%environ}cmdline")"
			done
			return 0
		fi
		sleep 0.1
	done
}
