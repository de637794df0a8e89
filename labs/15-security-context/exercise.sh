# shellcheck shell=bash disable=SC2034,SC2154 # read and set by scripts/learn/box and scripts/exercise
task="Run COMMAND as user UID, without capabilities, and so that no program it executes can get one."
look="labs/15-security-context/main.c, each knob with its call; prctl(2), capabilities(7) on the bounding set."
because="The bounding set is emptied while the process is still root, because PR_CAPBSET_DROP needs CAP_SETPCAP. setresuid() then takes the capabilities that are left, and no_new_privs keeps a set-uid program from bringing any back."

# of KEY: a line of COMMAND's status.
of() {
	awk -v key="$1:" '$1 == key { print $2 }' "$proc/$it/status"
}

check() {
	local uid
	uid=$(number uid 1000 60000)
	start "$uid"
	expect_command
	expect "its user" "$uid" "$(inner "$(of Uid)")" "COMMAND runs as another user. setresuid() sets all three ids. After dropping CAP_SETUID you may no longer call it."
	expect "its capabilities, CapEff" 0000000000000000 "$(of CapEff)" "COMMAND still has capabilities. A process loses them when it leaves uid 0, and at exec() when its bounding set is empty."
	expect "what it may ever get, CapBnd" 0000000000000000 "$(of CapBnd)" \
		"A set-uid program could still give COMMAND these. Call PR_CAPBSET_DROP for each of them. That takes CAP_SETPCAP, so do it before setresuid()."
	expect "no_new_privs" 1 "$(of NoNewPrivs)" "A program that COMMAND executes may still gain privileges. allowPrivilegeEscalation: false is prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)."
}
