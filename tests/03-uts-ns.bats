#!/usr/bin/env bats
# 03-uts-ns, seen from outside while it waits: the namespaces of its processes,
# the names that a process sees which is let into one, and the calls as strace
# sees them. "# check:" names the lab's check whose fact is obtained here again.

load helper
program=03-uts-ns

# "hostname domainname" by the kernel's own files, which show the reader's namespace.
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

setup_file() {
	"$LABS/$program" --can-run || return 0
	fact own_ns "$(ns_of self uts)"
	fact names_before "$(names)"
	lab_start "$LABS/$program"

	lab_go_to 1 || :
	fact host_ns "$(ns_of "$lab" uts)"
	fact host_names "$(names_in "$lab")"

	lab_go_to 3 || :
	web=$lab_pid
	fact web_ns "$(ns_of "$web" uts)"
	fact web_names "$(names_in "$web")"
	fact web_parent "$(status_of "$web" PPid)"
	fact lab "$lab"
	fact host_ns_then "$(ns_of "$lab" uts)"
	fact host_names_then "$(names_in "$lab")"
	fact names_meanwhile "$(names)"
	lab_end
	fact status "$lab_status"
	cp "$lab_dir/jsonl" "$BATS_FILE_TMPDIR/jsonl"

	strace -f -qq -s 128 -e trace=unshare,setns,sethostname,setdomainname,capset \
		-o "$BATS_FILE_TMPDIR/calls" "$LABS/$program" --format=jsonl >/dev/null 2>&1 3>&- || :
	fact names_after "$(names)"
}

setup() {
	needs_lab "$program"
	read_facts
	calls=$BATS_FILE_TMPDIR/calls
}

@test "03-uts-ns: the lab's host is a namespace of its own, this machine keeps its names" {
	# check: the host's namespace
	differ "the lab's host beside this machine" "$own_ns" "$host_ns"
	# check: control: not this machine's
	same "names of this machine, while the lab renames" "$names_before" "$names_meanwhile"
	same "names of this machine, after it" "$names_before" "$names_after"
	same "names of the lab's host" "host host.example" "$host_names"
}

@test "03-uts-ns: control: without a namespace of its own a child renames its host" {
	# check: control: the host's names
	# The lab's first renaming is made by a child that has asked for no namespace.
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
	# check: a namespace of its own
	differ "the container's namespace beside its host's" "$host_ns" "$web_ns"
	differ "the container's namespace beside this machine's" "$own_ns" "$web_ns"
	same "the container's parent" "$lab" "$web_parent"
	# check: inside: the names
	same "names inside" "web lab.example" "$web_names"
	# check: outside: the names
	same "names of its host" "host host.example" "$host_names_then"
	same "namespace of its host" "$host_ns" "$host_ns_then"
	# By hand.
	same "the host of a shell that renames in its own" host "$(unshare "${userns_make[@]}" --uts \
		sh -c 'hostname host
			unshare --uts sh -c "hostname web"
			read -r name </proc/sys/kernel/hostname; echo $name')"
	# And with a command of one's own, whose name is an option.
	same "hostname of a COMMAND" db "$("$LABS/$program" --hostname db -- uname -n 2>/dev/null)"
	same "names of this machine, after that" "$names_before" "$(names)"
}

@test "03-uts-ns: a new namespace begins as a copy" {
	# check: it begins as a copy
	# The first call of the container after unshare() is the renaming: nobody else has set a name.
	container=$(grep -E 'sethostname\("web", 3\) += 0' "$calls" | tail -n 1)
	container=${container%% *}
	same "calls of the container" "unshare(CLONE_NEWUTS) sethostname(\"web\", setdomainname(\"lab.example\"," \
		"$(awk -v pid="$container" '$1 == pid { printf "%s%s", sep, $2; sep = " " }' "$calls")"
	# By hand: the names in a new one, before anybody writes them.
	same "names in a new namespace" "$names_before" "$(unshare "${userns_make[@]}" --uts sh -c \
		'read -r host </proc/sys/kernel/hostname; read -r domain </proc/sys/kernel/domainname; echo "$host $domain"')"
}

@test "03-uts-ns: a third process enters by setns(2) and sees the names of the inside" {
	# check: after setns(): the names
	# This test is that third process too: names_in() goes through nsenter(1).
	same "names that nsenter sees" "web lab.example" "$web_names"
	guest=$(caller_of 'setns\([0-9]+, CLONE_NEWUTS\) += 0')
	same "names set by the guest" "" "$(grep -E "^$guest +set(host|domain)name" "$calls" || :)"
}

@test "03-uts-ns: what is refused: 65 bytes, and no CAP_SYS_ADMIN" {
	# check: sethostname() of 64 bytes
	refused=$(caller_of 'sethostname\("x{64}", 64\) += 0')
	# check: sethostname() of 65 bytes
	same "65 bytes, by" "$refused" "$(caller_of 'sethostname\(.*, 65\) += -1 EINVAL')"
	# check: a namespace to try it in
	same "its own namespace, by" "$refused" "$(grep -E "^$refused +unshare\(CLONE_NEWUTS\) += 0" "$calls" | cut -d' ' -f1)"
	# check: without CAP_SYS_ADMIN
	same "without the capability, by" "$refused" "$(caller_of 'sethostname\("mine", 4\) += -1 EPERM')"
	# By hand: a process of this test, with all capabilities but this one, and with it.
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

@test "03-uts-ns: where the limits of namespaces cannot be written, more of it says so, to root as well" {
	# In a user namespace of this test's own: none is allowed below it, or /proc/sys is as in a container.
	for place in "echo 0 >/proc/sys/user/max_user_namespaces" "mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro,nosuid,nodev,noexec none /proc/sys"; do
		run unshare --user --map-root-user --mount sh -c "$place && exec \"\$0\" --can-run" "$LABS/$program-more"
		same "$place: status" 77 "$status"
		[[ $output == "no user namespace (ENOSPC); "* || $output == *"/proc/sys/user, may not be written (EROFS); "* ]]
	done
}

@test "03-uts-ns: and its verdict is pass" {
	same "its status" 0 "$status"
}
