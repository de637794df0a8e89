# shellcheck shell=bash disable=SC2034,SC2154 # read and set by scripts/learn/box and scripts/exercise
task="Run COMMAND as root in a new user namespace, in which user 0 and group 0 are your own user and group."
look="labs/05-user-ns/main.c, map_root_to(); user_namespaces(7), on gid_map and setgroups."
because="The program reads its ids before unshare(), because afterwards both are 65534 until the maps are written. setgroups gets deny before gid_map, because the kernel otherwise refuses a group map from a process without privileges outside."

# map KIND: COMMAND's uid_map or gid_map, with the outer ids as the stage knows them.
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
	expect "its user namespace" "its own" "$(own user)" "COMMAND is in the machine's user namespace: call unshare(CLONE_NEWUSER) before you execute it."
	expect "uid_map" "0 1000 1" "$(map uid)" \
		"COMMAND has another map, or none. The map is one line: first id inside, first id outside, how many. Without a map your id is 65534, nobody."
	expect "setgroups" deny "$(cat "$proc/$it/setgroups")" "A process without privileges outside may map its group only after it has given up setgroups(): write deny to /proc/self/setgroups."
	expect "gid_map" "0 1000 1" "$(map gid)" \
		"COMMAND has another group map, or none. Groups have their own map, gid_map. The kernel accepts it once setgroups says deny."
	expect "its capabilities in there" all "$(awk '/^CapEff/ { has = $2 } /^CapBnd/ { print has == $2 ? "all" : has }' \
		"$proc/$it/status")" \
		"COMMAND was not user 0 when it was executed. execve() keeps all capabilities only for user 0, so write the maps before execvp()."
}
