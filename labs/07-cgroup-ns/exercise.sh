# shellcheck shell=bash disable=SC2034,SC2154 # read and set by scripts/learn/box and scripts/exercise
task="Run COMMAND in GROUP, and in a cgroup namespace that begins at GROUP."
look="labs/07-cgroup-ns/more-view.c, the function with CLONE_NEWCGROUP; cgroup_namespaces(7) on where a namespace begins."
because="The process joins GROUP before unshare(), because a cgroup namespace begins at the group in which its creator is. The 0 in cgroup.procs stands for the process that writes it, and COMMAND keeps that group across execvp()."

check() {
	local group
	group=$groups/$(word group)
	# The program starts in the group above GROUP, so that a namespace made too early shows /GROUP. No
	# controller may be enabled there, because a group with processes cannot have one enabled for its children.
	echo "-cpu -io -memory -pids" >"$groups/cgroup.subtree_control"
	start_in=$groups
	mkdir "$group" "$group/beside"
	delegate "$group" "$group"/cgroup.procs "$group"/beside/cgroup.procs
	expect "before: members of GROUP" 0 "$(wc -l <"$group/cgroup.procs")" ""
	start "/sys/fs/cgroup/${group##*/}"
	expect_command
	expect "its group" "0::/${group##*/}" "$(group_of "$it")" \
		"COMMAND runs in another group. A process moves when its PID is written to GROUP/cgroup.procs; 0 stands for the writer itself."
	expect "its cgroup namespace" "its own" "$(own cgroup)" "COMMAND still has the old cgroup namespace. Call unshare(CLONE_NEWCGROUP) before COMMAND is executed."
	expect "its group, as it sees it" "0::/" "$(at "$it" cgroup cat "$proc/$it/cgroup")" \
		"The namespace begins at another group. It begins where the process is when it calls unshare(): cgroup.procs comes first."
}
