# shellcheck shell=bash disable=SC2034,SC2154 # read and set by scripts/learn/box and scripts/exercise
task="Run COMMAND as root of a user namespace of its own, in which user and group 0 are yours."
look="labs/05-user-ns/main.c, where the maps are written; user_namespaces(7), on gid_map and setgroups."

# map KIND: of users or groups, as the stage would read it.
map() {
	local inside outside count
	while read -r inside outside count; do
		echo "$inside $(inner "$outside") $count"
	done <"$proc/$it/$1_map" | xargs
}

check() {
	id=1000
	start
	expect_command
	expect "its user namespace" "its own" "$(own user)" "unshare(CLONE_NEWUSER), before COMMAND is executed."
	expect "uid_map" "0 1000 1" "$(map uid)" \
		"One line: the first id inside, the first id outside, how many. Without it you are 65534, nobody."
	expect "setgroups" deny "$(cat "$proc/$it/setgroups")" "Who has no privilege outside must give up setgroups() first."
	expect "gid_map" "0 1000 1" "$(map gid)" \
		"Groups have a map of their own, which may be written once setgroups says deny."
	expect "its capabilities in there" all "$(awk '/^CapEff/ { has = $2 } /^CapBnd/ { print has == $2 ? "all" : has }' \
		"$proc/$it/status")" \
		"exec() gives all of them to user 0 only: the map has to be there before execvp()."
}
