# shellcheck shell=bash disable=SC2034,SC2154 # read and set by scripts/learn/box and scripts/exercise
task="Run COMMAND as a member of GROUP, in a cgroup namespace that begins there."
look="labs/07-cgroup-ns/main.c, the step with CLONE_NEWCGROUP; cgroup_namespaces(7) on where a namespace begins."

check() {
	local group
	group=$groups/$(word group)
	# The program begins where a namespace of its own shows all of GROUP, so where no controller may be.
	echo "-cpu -io -memory -pids" >"$groups/cgroup.subtree_control"
	start_in=$groups
	mkdir "$group" "$group/beside"
	delegate "$group" "$group"/cgroup.procs "$group"/beside/cgroup.procs
	expect "before: members of GROUP" 0 "$(wc -l <"$group/cgroup.procs")" ""
	start "/sys/fs/cgroup/${group##*/}"
	expect_command
	expect "its group" "0::/${group##*/}" "$(group_of "$it")" \
		"A process is put into a group by its PID in GROUP/cgroup.procs; 0 is the one who writes."
	expect "its cgroup namespace" "its own" "$(own cgroup)" "unshare(CLONE_NEWCGROUP), before COMMAND is executed."
	expect "its group, as it sees it" "0::/" "$(at "$it" cgroup cat "$proc/$it/cgroup")" \
		"The namespace begins at the group that its maker is in at that moment: cgroup.procs comes first."
}
