# shellcheck shell=bash disable=SC2034,SC2154 # read and set by scripts/learn/box and scripts/exercise
task="Run COMMAND with its own hostname and NIS domain name; the machine keeps both of its names."
look="labs/03-uts-ns/main.c, the step with unshare(); sethostname(2) and setdomainname(2)."
because="unshare() comes first, because sethostname() changes the namespace in which its caller is at that moment. The length is strlen(), without the final NUL, because the kernel takes exactly that many bytes as the name."

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
		"The machine has new names, because they were set in its namespace: unshare(CLONE_NEWUTS) comes before sethostname()."
	expect "its UTS namespace" "its own" "$(own uts)" "COMMAND is still in the machine's UTS namespace: call unshare(CLONE_NEWUTS) before execvp()."
	local inside
	inside=$(names "$it")
	expect "its hostname" "$name" "${inside%% *}" \
		"COMMAND sees another hostname. A new namespace begins as a copy; sethostname() takes the number of bytes, without the final NUL."
	expect "its domain" "$domain" "${inside#* }" "COMMAND sees another domain name. There are two names in a UTS namespace: call setdomainname() as well."
}
