# shellcheck shell=bash disable=SC2034,SC2154 # read and set by scripts/learn/box and scripts/exercise
task="Run COMMAND with a hostname and a NIS domain name of its own; the machine keeps both of its names."
look="labs/03-uts-ns/main.c, the step with unshare(); sethostname(2), which tells of setdomainname() too."

names() {
	# shellcheck disable=SC2016 # that shell expands it
	at "$1" uts sh -c 'read -r name </proc/sys/kernel/hostname; read -r domain </proc/sys/kernel/domainname; echo "$name $domain"'
}

check() {
	local name domain before
	name=$(word name) domain=$(word domain)
	before=$(names "$self")
	expect "before: the machine has another name" yes "$([[ " $before " = *" $name "* ]] && echo no || echo yes)" ""
	start "$name" "$domain"
	expect_command
	expect "the machine's names" "$before" "$(names "$self")" \
		"The names were set where the machine looks: unshare(CLONE_NEWUTS) comes before sethostname()."
	expect "its UTS namespace" "its own" "$(own uts)" "unshare(CLONE_NEWUTS), before COMMAND is executed."
	local inside
	inside=$(names "$it")
	expect "its hostname" "$name" "${inside%% *}" \
		"A new namespace begins as a copy. sethostname() takes the number of bytes, without the final NUL."
	expect "its domain" "$domain" "${inside#* }" "There are two names in there: setdomainname()."
}
