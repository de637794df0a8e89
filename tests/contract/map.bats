#!/usr/bin/env bats
# scripts/map: what it says of a process is what the kernel says, asked a second time by another way.

load ../helper

setup() {
	cd "$ROOT" || return
	started=()
}
teardown() {
	[ ${#started[@]} = 0 ] || kill -KILL "${started[@]}" 2>/dev/null || :
	if in_vm; then
		sleep 0.2
		rmdir /sys/fs/cgroup/labmap-$$/below /sys/fs/cgroup/labmap-$$ 2>/dev/null || :
	fi
}

# begin COMMAND...: starts it, waits until it is sleep(1), sets pid.
begin() {
	"$@" >/dev/null 2>&1 3>&- &
	started+=($!) pid=$!
	disown $!
	for ((tries = 200; tries; tries--)); do
		[ "$(cat "/proc/$pid/comm" 2>/dev/null)" != sleep ] || return 0
		sleep 0.05
	done
	echo "expected $* to become sleep, observed $(cat "/proc/$pid/comm")" && return 1
}
# as_json ARG...: sets map
as_json() {
	map=$(scripts/map --json "$@" 3>&-)
}
# row NAME FIELD
row() {
	jq -r --arg name "$1" ".rows[] | select(.name == \$name).$2" <<<"$map"
}
# lab_of NN: sets lab to its program
lab_of() {
	local found=(build/labs/"$1"-*)
	lab=${found[0]}
}
differing() {
	jq -r '[.rows[] | select(.differs).name] | join(", ")' <<<"$map"
}

@test "map: the namespaces that unshare(1) made differ, by their numbers, and no others do" {
	local name
	begin unshare --user --map-root-user --uts --ipc --net sleep 300
	as_json --beside $$ "$pid"
	same "which differ" "uts namespace, ipc namespace, user namespace, net namespace" \
		"$(jq -r '[.rows[] | select(.group == "namespaces" and .differs).name] | join(", ")' <<<"$map")"
	for name in pid mnt uts ipc user net cgroup time; do
		[ -e /proc/self/ns/$name ] || continue
		shown=$([ $name = mnt ] && echo mount || echo $name)
		same "$name here" "$(readlink "/proc/$pid/ns/$name")" "$name:[$(row "$shown namespace" here)]"
		same "$name there" "$(readlink /proc/$$/ns/$name)" "$name:[$(row "$shown namespace" there)]"
	done
	same "its uid map" "$(xargs <"/proc/$pid/uid_map")" "$(row "uid map" here)"
	same "labs" "03 04 05 06" "$(jq -r '[.labs[].id | select(test("-ns$"))[:2]] | sort | join(" ")' <<<"$map")"
	same "their titles" "$(lab_of 03 && "$lab" --about | jq -r '"\(.id) \(.title)"')" "$(jq -r '.labs["03"] | "\(.id) \(.title)"' <<<"$map")"
}

@test "map: a plain process differs in nothing, and every line of the table is there once with a lab that is" {
	local lab
	begin sleep 300
	as_json --beside $$ "$pid"
	same "what differs" "" "$(differing)"
	same "what could not be read" "" "$(jq -r '.rows[] | select(.differs == null and (.problem | test("this kernel") | not)).name' <<<"$map")"
	same "rows" "$(sed -n "/^table='/,/^'/p" scripts/look/facts.bash | grep -c '|')" "$(jq '.rows | map(.name) | unique | length' <<<"$map")"
	for lab in $(jq -r '.rows[].lab' <<<"$map" | sort -u); do
		lab_of "$lab"
		[ -x "$lab" ]
	done
	[[ $(scripts/map --beside $$ "$pid" 3>&-) = *"Nothing that could be read differs"*"The same in both: "* ]]
}

@test "map: groups and limits are those of the files; one above it counts, and a root of its own is told" {
	in_vm || skip "in the lab VM only: it makes a group and a root"
	local top=/sys/fs/cgroup/labmap-$$
	mkdir "$top"
	echo '+memory +pids +cpu' >"$top/cgroup.subtree_control"
	mkdir "$top/below"
	echo 64M >"$top/below/memory.max"
	echo 200M >"$top/memory.max"
	echo 17 >"$top/pids.max"
	echo '25000 100000' >"$top/below/cpu.max"
	begin unshare --mount sh -c 'mount -t tmpfs -o ro labmap /mnt && cd /mnt && exec sleep 300'
	echo "$pid" >"$top/below/cgroup.procs"
	as_json "$pid"
	same "what differs" "mount namespace, groups, memory.max, pids.max, cpu.max" "$(differing)"
	same "its group" "/labmap-$$/below" "$(row groups here)"
	same "memory.max" "$((64 << 20)); above it, in /labmap-$$: $((200 << 20))" "$(row memory.max here)"
	same "pids.max" "max; above it, in /labmap-$$: 17" "$(row pids.max here)"
	same "cpu.max" "25000 100000" "$(row cpu.max here)"
	same "process 1" "max max max" "$(row memory.max there) $(row pids.max there) $(row cpu.max there)"
	begin chroot build/rootfs/tree /bin/sleep 300
	as_json "$pid"
	same "of a chroot" "root folder, root mount" "$(differing)"
	same "its root" "$(stat -c %d:%i build/rootfs/tree)" "$(row "root folder" here)"
}

@test "map: capabilities, no_new_privs and seccomp are those of status" {
	[ "$EUID" = 0 ] || skip "root alone can give capabilities away"
	begin setpriv --no-new-privs --bounding-set=-all,+chown,+kill,+net_raw --inh-caps=-all sleep 300
	as_json --beside $$ "$pid"
	same "what differs" "effective caps, bounding caps, no_new_privs" "$(differing)"
	same "the set" "3: chown kill net_raw" "$(row "effective caps" here)"
	same "bits" "$(printf '%016x' $((1 | 1 << 5 | 1 << 13)))" "$(awk '$1 == "CapEff:" { print $2 }' "/proc/$pid/status")"
	same "no_new_privs" "1 0" "$(row no_new_privs here) $(row no_new_privs there)"
	begin setpriv --bounding-set=-all --inh-caps=-all sleep 300
	as_json --beside $$ "$pid"
	same "no capability" none "$(row "bounding caps" here)"
}

@test "map: what only root may read is named, and no difference is made of it" {
	[ "$EUID" = 0 ] || skip "it wants a process of another user's"
	begin sleep 300
	map=$(setpriv --reuid 1000 --regid 1000 --clear-groups scripts/map --json "$pid" 3>&-)
	same "the namespaces' numbers" "null" "$(jq -c '.rows[] | select(.group == "namespaces").here' <<<"$map" | sort -u)"
	same "why" "ns/uts: root is needed" "$(row "uts namespace" problem)"
	same "what differs" "uid, gid" "$(jq -r '[.rows[] | select(.differs and .group == "ids").name] | join(", ")' <<<"$map")"
	same "beside whom" "bash" "$(jq -r .beside.command <<<"$map")"
	[[ $(setpriv --reuid 1000 --regid 1000 --clear-groups scripts/map "$pid" 3>&-) = *"sudo scripts/map $pid"* ]]
}

@test "map: in a PID namespace, beside its first process, which is said" {
	[ "$EUID" = 0 ] || skip "root alone mounts a /proc here"
	run -0 unshare --pid --fork --mount-proc sh -c 'sleep 300 & until grep -qx sleep /proc/$!/comm; do :; done; scripts/map --json $!; exit' 3>&-
	map=$output
	same "who" "2 sleep, 1 sh" "$(jq -r '"\(.process.pid) \(.process.command), \(.beside.pid) \(.beside.command)"' <<<"$map")"
	same "its notes" true "$(jq '.notes | any(test("not the machine.s first PID namespace"))' <<<"$map")"
	same "what differs" "" "$(differing)"
}

@test "map: no such process, one that ended, one that ends meanwhile, and a wrong word are one line each" {
	local none=$(($(cat /proc/sys/kernel/pid_max) + 1)) real zombie
	run -2 scripts/map $none
	same "no such process" "scripts/map: PID $none: expected a process; there is none, or /proc does not show it to you" "$output"
	run -2 scripts/map --beside $none $$
	for words in '' '0' '-1' '1x' '1 2' '--beside x 1' '--beside' '--format=json 1'; do
		# shellcheck disable=SC2086 # words
		run -2 scripts/map $words
		same "scripts/map $words: lines" 1 ${#lines[@]}
		[[ $output = *expected* ]]
	done
	# Its parent never waits for it: it is sleep(1), and no shell any more, when this one ends.
	begin bash -c '(until grep -qx sleep /proc/$$/comm; do :; done) & echo $! >"$0"; exec sleep 300' "$BATS_TEST_TMPDIR/zombie"
	zombie=$(<"$BATS_TEST_TMPDIR/zombie")
	until grep -q '^State:.Z' "/proc/$zombie/status"; do sleep 0.05; done
	run -1 scripts/map "$zombie"
	same "one that ended" "scripts/map: PID $zombie has ended, so it has no namespaces or groups to show" "$output"
	# stat(1) is what scripts/map runs in the middle: this one ends the process first.
	begin sleep 300
	real=$(type -P stat)
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/bash\nkill -KILL %s\nwhile [ -e /proc/%s/ns/uts ] && [[ $(</proc/%s/status) != *State:?Z* ]]; do :; done\nexec %s "$@"\n' \
		"$pid" "$pid" "$pid" "$real" >"$BATS_TEST_TMPDIR/bin/stat"
	chmod +x "$BATS_TEST_TMPDIR/bin/stat"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH run -1 scripts/map --beside $$ "$pid"
	same "one that ends meanwhile" "scripts/map: PID $pid has ended, so it has no namespaces or groups to show" "$output"
}

@test "map: a hostile name breaks neither 80 columns nor the picture" {
	local name text picture
	name=$(printf '<b>&"\033[31m')
	cp "$(find build/rootfs/tree -name pause -type f)" "$BATS_TEST_TMPDIR/$name"
	"$BATS_TEST_TMPDIR/$name" 3>&- &
	started+=($!) pid=$!
	disown $!
	for ((tries = 200; tries; tries--)); do
		[ "$(cat "/proc/$pid/comm")" != "$name" ] || break
		sleep 0.05
	done
	same "its name" "$name" "$(cat "/proc/$pid/comm")"
	text=$(scripts/map --beside $$ "$pid" 3>&-)
	same "characters that are not plain" "" "$(LC_ALL=C tr -d '\n\040-\176' <<<"$text")"
	same "lines that are too long" 0 "$(awk 'length > 80' <<<"$text" | wc -l)"
	picture=$(scripts/map --svg --beside $$ "$pid" 3>&-)
	same "its title" "<title>process $pid beside process $$</title>" "$(grep '<title>' <<<"$picture")"
	[[ $picture = *'&lt;b&gt;&amp;&quot;?[31m'* && $picture != *'<b>'* ]]
	same "elements that are open" 0 $(($(grep -o '<[a-z][^>]*[^/]>' <<<"$picture" | wc -l) - $(grep -o '</[a-z]*>' <<<"$picture" | wc -l)))
	as_json --beside $$ "$pid"
	same "rows in the picture" "$(jq '.rows | length' <<<"$map")" "$(grep -c '^<text x="16"[^>]*>[^L]' <<<"$picture")"
}

@test "map: of a container and of a Pod it tells what their own words are" {
	in_vm || skip "in the lab VM only: it runs a container"
	local seen first second lab container
	lab_of 16
	container=$lab
	lab_of 17
	"$container" --name mapped --memory 48M --pids-limit 33 --hostname mapped -- sleep 300 >/dev/null 2>&1 </dev/null 3>&- &
	started+=($!)
	for ((tries = 200; tries; tries--)); do
		seen=$("$container" inspect mapped 2>/dev/null) && [ "$(cat "/proc/$(jq '.[0].State.Pid' <<<"$seen")/comm")" = sleep ] && break
		sleep 0.1
	done
	as_json "$(jq '.[0].State.Pid' <<<"$seen")"
	for name in pid uts ipc net cgroup; do
		same "$name" "$(jq ".[0].Namespaces.$name" <<<"$seen")" "$(row "$name namespace" here)"
	done
	same "limits" "$((48 << 20)) 33" "$(row memory.max here) $(row pids.max here)"
	same "labs" "01 02 03 04 06 07 08 10 14 15" "$(jq -r '.labs | keys | join(" ")' <<<"$map")"
	same "its user namespace" false "$(row "user namespace" differs)"
	"$container" kill mapped >/dev/null 2>&1
	wait "${started[@]}" || :
	cat >"$BATS_TEST_TMPDIR/pod.yaml" <<-'TXT'
		apiVersion: v1
		kind: Pod
		metadata: {name: mapped}
		spec:
		  containers:
		  - {name: one, image: busybox, command: [sleep, "300"]}
		  - {name: two, image: busybox, command: [sleep, "300"]}
	TXT
	"$lab" "$BATS_TEST_TMPDIR/pod.yaml" >/dev/null 2>&1 </dev/null 3>&- &
	started=($!)
	for ((tries = 60; tries; tries--)); do
		mapfile -t seen < <(grep -lsx sleep /proc/[0-9]*/comm | sed 's|/proc/||; s|/comm||')
		sleep 0.2
		[ ${#seen[@]} = 2 ] || continue
		first=${seen[0]} second=${seen[-1]}
		[ "$(readlink "/proc/$first/ns/mnt")" = "$(readlink "/proc/$second/ns/mnt")" ] || break
	done
	as_json --beside "$first" "$second"
	same "two of a Pod: net, ipc" "false false" "$(row "net namespace" differs) $(row "ipc namespace" differs)"
	same "two of a Pod: mount, groups" "true true" "$(row "mount namespace" differs) $(row groups differs)"
}
