#!/usr/bin/env bats
# 03-uts-ns, seen from outside while it waits: the namespaces of its processes,
# the names that a process sees which has joined one, and the calls as strace sees
# them. "# check:" names the lab's check whose fact a test obtains a second time.

load helper
program=03-uts-ns

# "hostname domainname" from files of the kernel, which show the namespace of the reader.
names() {
	local host domain
	read -r host </proc/sys/kernel/hostname
	read -r domain </proc/sys/kernel/domainname
	echo "$host $domain"
}

names_in() {
	inside "$1" uts sh -c 'read -r host </proc/sys/kernel/hostname
		read -r domain </proc/sys/kernel/domainname
		echo "$host $domain"' 2>&1
}

setup() {
	needs_lab "$program"
}

teardown() {
	lab_stop
}

# Sets calls, a file with the calls of a whole story.
trace() {
	calls=$BATS_TEST_TMPDIR/calls
	strace -f -qq -s 128 -e trace=unshare,setns,sethostname,setdomainname,capset \
		-o "$calls" "$LABS/$program" --format=jsonl >/dev/null 2>&1 3>&- || :
}

@test "03-uts-ns: the lab's host is a namespace of its own, this machine keeps its names" {
	before=$(names)
	lab_at "control: the host's names" "$LABS/$program"
	# check: the host's namespace
	# check: control: not this machine's
	differ "the lab's host beside this machine" "$(ns_of self uts)" "$(ns_of "$lab" uts)"
	same "names of this machine, while the lab sets others" "$before" "$(names)"
	lab_go_until "outside: the names"
	same "names of the lab's host" "host host.example" "$(names_in "$lab")"
	lab_end
	same "names of this machine, after the lab" "$before" "$(names)"
}

@test "03-uts-ns: control: without a namespace of its own a child renames its host" {
	lab_at "control: the host's names" "$LABS/$program"
	# check: control: the host's names
	same "names of the lab's host" "web lab.example" "$(names_in "$lab")"
	# The first to set that name is a child that has asked for no namespace.
	trace
	renamer=$(grep -E 'sethostname\("web", 3\) += 0' "$calls" | head -n 1)
	renamer=${renamer%% *}
	host=$(grep -E 'sethostname\("host", 4\) += 0' "$calls" | head -n 1)
	differ "who renames, beside the lab" "${host%% *}" "$renamer"
	same "its namespaces" "" "$(grep -E "^$renamer +(unshare|setns)" "$calls" || :)"
	# By hand, in a namespace that plays the host.
	same "the host of a plain shell that renames" web "$(unshare "${userns_make[@]}" --uts \
		sh -c 'sh -c "hostname web"; read -r name </proc/sys/kernel/hostname; echo $name')"
}

@test "03-uts-ns: with CLONE_NEWUTS the names change inside and not outside" {
	lab_at "outside: the names" "$LABS/$program"
	# check: a namespace of its own
	differ "the container's namespace beside its host's" "$(ns_of "$lab" uts)" "$(ns_of "$lab_pid" uts)"
	differ "the container's namespace beside this machine's" "$(ns_of self uts)" "$(ns_of "$lab_pid" uts)"
	same "the container's parent" "$lab" "$(status_of "$lab_pid" PPid)"
	# check: inside: the names
	# check: after setns(): the names
	# names_in() goes through nsenter(1), so this test is the third process that joins.
	same "names inside" "web lab.example" "$(names_in "$lab_pid")"
	# check: outside: the names
	same "names of its host" "host host.example" "$(names_in "$lab")"
}

@test "03-uts-ns: a command gets the hostname of the option, and this machine keeps its own" {
	before=$(names)
	same "hostname of a COMMAND" db "$("$LABS/$program" --hostname db -- uname -n 2>/dev/null)"
	same "names of this machine" "$before" "$(names)"
	# By hand.
	same "the host of a shell that renames in its own" host "$(unshare "${userns_make[@]}" --uts \
		sh -c 'hostname host
			unshare --uts sh -c "hostname web"
			read -r name </proc/sys/kernel/hostname; echo $name')"
}

@test "03-uts-ns: a new namespace begins as a copy" {
	trace
	# check: it begins as a copy
	# The first call of the container after unshare() sets the names: nobody has set them before.
	container=$(grep -E 'sethostname\("web", 3\) += 0' "$calls" | tail -n 1)
	container=${container%% *}
	same "calls of the container" "unshare(CLONE_NEWUTS) sethostname(\"web\", setdomainname(\"lab.example\"," \
		"$(awk -v pid="$container" '$1 == pid { printf "%s%s", sep, $2; sep = " " }' "$calls")"
	# By hand: the names in a new one, before anybody sets them.
	same "names in a new namespace" "$(names)" "$(unshare "${userns_make[@]}" --uts sh -c \
		'read -r host </proc/sys/kernel/hostname; read -r domain </proc/sys/kernel/domainname; echo "$host $domain"')"
}

@test "03-uts-ns: a third process enters by setns(2), and sets no name itself" {
	trace
	third=$(caller_of 'setns\([0-9]+, CLONE_NEWUTS\) += 0')
	same "names set by the third process" "" "$(grep -E "^$third +set(host|domain)name" "$calls" || :)"
}

@test "03-uts-ns: what is refused: 65 bytes, and no CAP_SYS_ADMIN" {
	trace
	# check: sethostname() of 64 bytes
	refused=$(caller_of 'sethostname\("x{64}", 64\) += 0')
	# check: sethostname() of 65 bytes
	same "65 bytes, by" "$refused" "$(caller_of 'sethostname\(.*, 65\) += -1 EINVAL')"
	# check: a namespace to try it in
	same "its own namespace, by" "$refused" "$(grep -E "^$refused +unshare\(CLONE_NEWUTS\) += 0" "$calls" | cut -d' ' -f1)"
	# check: without CAP_SYS_ADMIN
	same "without the capability, by" "$refused" "$(caller_of 'sethostname\("mine", 4\) += -1 EPERM')"
	# By hand: a process with all capabilities but this one, and one that has it.
	same "without CAP_SYS_ADMIN" refused "$(unshare "${userns_make[@]}" --uts setpriv --bounding-set=-sys_admin \
		--inh-caps=-sys_admin hostname mine 2>/dev/null && echo "set" || echo "refused")"
	same "with CAP_SYS_ADMIN" set "$(unshare "${userns_make[@]}" --uts setpriv --bounding-set=-sys_chroot \
		--inh-caps=-sys_chroot hostname mine 2>/dev/null && echo "set" || echo "refused")"
}

@test "03-uts-ns: a child that is killed before its last check is no pass" {
	killed=0
	strace -f -o "$BATS_TEST_TMPDIR/calls" -e trace=capset -e inject=capset:signal=KILL "$LABS/$program" \
		>/dev/null 2>"$BATS_TEST_TMPDIR/stderr" 3>&- || killed=$?
	same "its status" 3 "$killed"
	grep -q "broken: process [0-9]* was to end by itself, and was killed by signal 9" "$BATS_TEST_TMPDIR/stderr"
}

@test "03-uts-ns: where the limits of namespaces cannot be written, more.c says so, to root as well" {
	# In a user namespace of this test's own: none is allowed below it, or /proc/sys is as in a container. Its root is not
	# root of somebody else's home.
	cp "$LABS/$program-more" "$BATS_TEST_TMPDIR"
	for place in "echo 0 >/proc/sys/user/max_user_namespaces" "mount --rbind /proc/sys /proc/sys && mount -o remount,bind,ro,nosuid,nodev,noexec none /proc/sys"; do
		run unshare --user --map-root-user --mount sh -c "$place && exec \"\$0\" --can-run" "$BATS_TEST_TMPDIR/$program-more"
		same "$place: status" 77 "$status"
		[[ $output == "no user namespace (ENOSPC); "* || $output == *"/proc/sys/user, may not be written (EROFS); "* ]]
	done
}

@test "03-uts-ns: the verdict is pass" {
	run -0 "$LABS/$program" --format=jsonl 3>&-
}
