#!/usr/bin/env bats
# make machines, as far as it can be tried without a machine: its words, its table, its errors, and that nothing is left
# of a run that was ended.
# bats file_tags=apart

load ../helper

setup() {
	host_only "guests are made on the host"
	cd "$ROOT" || return
	export MACHINES_CACHE=$BATS_TEST_TMPDIR/cache
	bin=$BATS_TEST_TMPDIR/bin
	mkdir "$bin"
	for tool in mmdebstrap newuidmap mke2fs qemu-system-x86_64 ssh; do stand_in "$tool" "echo 'the real $tool was not asked for'; exit 1"; done
	PATH=$bin:$PATH
}

# stand_in TOOL TEXT: a script is found in the place of the tool
stand_in() {
	printf '#!/bin/bash\n%s\n' "$2" >"$bin/$1"
	chmod +x "$bin/$1"
}

# image: sets out, err and status
image() {
	status=0
	timeout 60 scripts/machines/image debian-13 >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- </dev/null || status=$?
	out=$(<"$BATS_TEST_TMPDIR/out") err=$(<"$BATS_TEST_TMPDIR/err")
}
says() {
	[[ $err == *"$1"* ]] && return
	printf 'expected %q in:\n%s\n' "$1" "$err"
	return 1
}
left() {
	find "$MACHINES_CACHE" -mindepth 1 -maxdepth 1 -printf '%f\n' 2>/dev/null || :
}
# result MACHINE WHO WHAT VERDICT [WORDS]: a line of results
result() {
	printf '%s\t2030-01-02\tDebian 99, Linux 9.8.7\t%s\t%s\t%s\t1\t%s\n' "$1" "$2" "$3" "$4" "${5-}"
}

# begin: scripts/machines/image in the background, until its mmdebstrap runs; sets made, and asked, what that waits in
begin() {
	needs_ids
	asked=unboxed-test-$$-$BATS_TEST_NUMBER
	stand_in mmdebstrap "exec -a $asked sleep 100"
	scripts/machines/image debian-13 >/dev/null 2>"$BATS_TEST_TMPDIR/err" 3>&- </dev/null &
	made=$!
	for ((tries = 200; tries; tries--)); do
		! pgrep -f "^$asked" >/dev/null || return 0
		sleep 0.1
	done
	cat "$BATS_TEST_TMPDIR/err"
	return 1
}
# tree: a small repository of these scripts, in which results may be written; with an image, and stand-ins that boot it.
# The guest answers what it is asked, by ssh; QEMU waits, and has the name that qemu says.
tree() {
	needs_ids
	local tree=$BATS_TEST_TMPDIR/tree
	mkdir -p "$tree/tests/machines"
	cp -r scripts README.md "$tree"
	cp -r tests/machines/guests "$tree/tests/machines"
	rm -f "$tree"/tests/machines/guests/doctor-*
	cd "$tree" || return
	git init -q
	git add -A
	git -c user.name=test -c user.email=test@example.org commit -qm test
	stand_in mmdebstrap 'cd "$TMPDIR" && : >vmlinuz && : >initrd && : >resolv.conf && echo 9.8.7-a >version && echo "Debian 99" >system
		mkdir -p empty/etc && tar -c -C empty . >root.tar'
	stand_in mke2fs ':'
	qemu=unboxed-test-$$-$BATS_TEST_NUMBER
	stand_in qemu-system-x86_64 "echo 'the console' >console; for word; do [[ \$word != file:* ]] || echo 'the last word' >\"\${word#file:}\"; done
		exec -a $qemu sleep 100"
	stand_in ssh 'case ${*: -1} in
		*"guest setup"*) printf "user\tmake all\tpass\t1\t\n" ;;
		"sudo "*"guest labs") printf "sudo\tlab 01-a\tpass\t2\t\nsudo\tlab 02-b\tnot done\t0\tit is too slow\n" ;;
		*"guest labs") printf "user\tlab 01-a\tpass\t2\t\nuser\tlab 02-b\tskip\t2\tit wants root\n" ;;
		*uname*) echo "#1 SMP Debian 9.8.7-1 (2030-01-02)" ;;
		*"tar -c said") tar -c --files-from /dev/null ;;
		*census | *systemctl*) ;;
		*) cat >/dev/null ;;
	esac'
}
# needs_ids: skips the test where nobody could make an image
needs_ids() {
	[ "$EUID" = 0 ] || unshare --user --map-auto --map-root-user true 2>/dev/null || skip "no range of IDs in /etc/subuid"
}

# ended NAME: within ten seconds it is gone
ended() {
	local tries
	for ((tries = 100; tries; tries--)); do
		pgrep -f "^$1" >/dev/null || return 0
		sleep 0.1
	done
	echo "$1 still runs"
	return 1
}

@test "guests: a machine or a step that is not there is status 2, and nothing is made" {
	run -2 scripts/machines/run debian-13 debian-99
	[[ $output == *"no machine debian-99; expected some of: debian-13 "* ]]
	STEPS="labs dance" run -2 scripts/machines/run debian-13
	[[ $output == *"no step dance; expected some of: doctor labs unit bats"* ]]
	BUILT=there run -2 scripts/machines/run debian-13
	[[ $output == *"BUILT=there: expected here or nothing"* ]]
	run -2 scripts/machines/image
	run -2 scripts/machines/one debian-99 labs
	run -2 scripts/machines/guest dance
	run -2 scripts/machines/table --dance
	run -2 scripts/machines/setup --dance
	same "the cache" "" "$(left)"
}

@test "guests: without mmdebstrap the verb that installs it is named" {
	local tools=$BATS_TEST_TMPDIR/tools
	mkdir "$tools"
	ln -s /usr/bin/* /usr/sbin/* "$tools" 2>/dev/null || :
	rm -f "$tools/mmdebstrap" "$bin/mmdebstrap"
	# The scripts look in /usr/sbin and /sbin too, where it never is.
	PATH=$bin:$tools image
	same "status" 1 $status
	same "what is said" "missing for make machines: mmdebstrap; type: make setup-machines" "$err"
	same "the cache" "" "$(left)"
}

@test "guests: without room on the disk nothing is begun" {
	needs_ids
	stand_in df "printf 'Avail\n 123M\n'"
	image
	same "status" 1 $status
	says "has 123 MB free, and making an image takes 5000"
	same "the cache" "" "$(left)"
}

@test "guests: without a network that is what is said, and nothing is left" {
	needs_ids
	stand_in mmdebstrap "echo 'E: Failed to fetch http://example.org/InRelease  Could not resolve host'; exit 100"
	image
	same "status" 1 $status
	says "could not be fetched: is there a network? MIRROR=URL names another place"
	same "what is printed" "" "$out"
	same "the cache" "" "$(left)"
}

@test "guests: a full disk is told as one" {
	needs_ids
	stand_in mmdebstrap "echo 'tar: root: Cannot write: No space left on device'; exit 1"
	image
	same "status" 1 $status
	says "there is no room left below $MACHINES_CACHE"
	same "the cache" "" "$(left)"
}

@test "guests: SIGTERM ends what was begun, and leaves nothing" {
	begin
	local since=$SECONDS
	kill "$made"
	status=0
	wait "$made" || status=$?
	same "status" 143 $status
	within "seconds until it ended" 0 30 $((SECONDS - since))
	ended "$asked"
	same "the cache" "" "$(left)"
}

@test "guests: SIGKILL ends what was begun, and the next run removes its folder, but not one that is in use" {
	begin
	kill -KILL "$made"
	wait "$made" 2>/dev/null || :
	ended "$asked"
	[[ $(left) == run.* ]]
	mkdir "$MACHINES_CACHE/run.used"
	exec {used}<"$MACHINES_CACHE/run.used"
	flock "$used"
	stand_in mmdebstrap "exit 1"
	image
	same "the cache" run.used "$(left)"
}

@test "guests: of runs that begin at one time none takes another's folder for that of one which was killed" {
	local i lost=$BATS_TEST_TMPDIR/lost
	for ((i = 0; i < 40; i++)); do
		bash -ec 'root=$PWD; . scripts/machines/common.bash; begin_run; sleep 0.3; [ -d "$scratch" ]' >/dev/null 2>&1 3>&- || echo lost &
	done >"$lost"
	wait
	same "folders that were lost" "" "$(xargs <"$lost")"
	[[ $(left) != *run.* ]]
}

@test "guests: a change of the scripts makes another image" {
	mkdir -p "$BATS_TEST_TMPDIR/tree/scripts"
	cp -r scripts/machines scripts/labvm scripts/setup "$BATS_TEST_TMPDIR/tree/scripts"
	made_for() { # the folder that is looked for, by a stand-in of sha256sum's reader
		(cd "$BATS_TEST_TMPDIR/tree" && bash -c 'content=$1 suite=$2; self=scripts/machines/image; eval "$(sed -n "/^made_of() {/,/^}/p" $self)"; made_of | sha256sum' bash "$1" "$2")
	}
	local bare whole
	bare=$(made_for bare trixie) whole=$(made_for "set up" trixie)
	differ "two contents" "$bare" "$whole"
	differ "two suites" "$bare" "$(made_for bare forky)"
	echo '# more' >>"$BATS_TEST_TMPDIR/tree/scripts/setup"
	same "the bare one, after a change of setup" "$bare" "$(made_for bare trixie)"
	differ "the other one, after a change of setup" "$whole" "$(made_for "set up" trixie)"
}

@test "guests: an image is made once" {
	tree
	image
	same "status" 0 $status
	[[ $out == "$MACHINES_CACHE/trixie-bare-"* && -e $out/disk.img ]]
	stand_in mmdebstrap "echo 'it was asked again'; exit 1"
	local first=$out
	image
	same "the second time" "0 $first" "$status $out"
	same "the cache" "${first##*/}" "$(left)"
	scripts/machines/image --clean
	same "the cache, cleaned" "" "$(left)"
}

@test "guests: what the guests told is the table, and what was not done is named" {
	tree
	STEPS="labs" run -0 scripts/machines/run debian-13
	same "the table's rows" "debian-13 user pass skip; debian-13 sudo pass -" "$(sed -n '2,3s/  */ /gp' build/machines/table.txt | sed 's/ $//' | paste -sd ';' | sed 's/;/; /')"
	[[ $output == *"debian-13: Debian 99, Linux 9.8.7  "* ]]
	same "lines that end in a tab, which lint refuses" "" "$(grep $'\t$' build/machines/results.tsv || :)"
	[[ $output == *"Not done:"*"- doctor: STEPS did not name it"*"- debian-12: MACHINES did not name it"*"- lab 02-b: it is too slow"*"exercises"* ]]
	[[ $output != *"- labs: "* ]]
	ended "$qemu"
	[[ $(left) != *run.* ]]
}

@test "guests: a failure in a guest is the status, and a guest that ends is told with its last words; the next one is tried" {
	tree
	stand_in qemu-system-x86_64 "for word; do [[ \$word != file:* ]] || echo 'the last word' >\"\${word#file:}\"; done; sleep 2"
	stand_in ssh 'exit 255'
	STEPS="labs" run -1 scripts/machines/run debian-13 debian-14
	[[ $output == *"the last word"*"debian-13 ended while it booted"*"debian-14 ended while it booted"*"- the rest of debian-13: it broke off"* ]]
	[[ $(left) != *run.* ]]
}

@test "guests: what a guest said is here after each step, also when it ends in a later one" {
	tree
	echo "another word" >tests/machines/guests/doctor-debian-13-user.txt
	stand_in qemu-system-x86_64 "echo \$\$ >$BATS_TEST_TMPDIR/pid; for word; do [[ \$word != file:* ]] || : >\"\${word#file:}\"; done
		exec -a $qemu sleep 100"
	stand_in ssh "cd $BATS_TEST_TMPDIR"'; case ${*: -1} in
		*"guest unit"*) kill "$(<pid)" 2>/dev/null || sleep 1 ;;
		*uname*) echo "#1 SMP Debian 9.8.7-1 (2030-01-02)" ;;
		*"tar -c said") mkdir -p said/user && echo "a word" >said/user/doctor-all && tar -c said ;;
		*"/guest "* | *systemctl*) ;;
		*) cat >/dev/null ;;
	esac'
	STEPS="doctor unit" run -1 scripts/machines/run debian-13
	[[ $output == *"debian-13 ended during unit"* ]]
	same "what was said" "a word" "$(<build/machines/debian-13/said/user/doctor-all)"
	same "beside what is recorded" "fail < another word > a word" \
		"$(awk -F '\t' '$4 == "user" && $5 == "doctor as recorded" { print $6, $8 }' build/machines/results.tsv)"
}

@test "guests: SIGTERM and SIGKILL of make machines end QEMU, and no folder stays for longer than the next run" {
	local signal tries started
	tree
	stand_in ssh 'sleep 1; exit 255'
	for signal in TERM KILL; do
		STEPS="labs" scripts/machines/run debian-13 >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- </dev/null &
		started=$!
		for ((tries = 200; tries; tries--)); do
			! pgrep -f "^$qemu" >/dev/null || break
			sleep 0.1
		done
		[ "$tries" -gt 0 ] || { cat "$BATS_TEST_TMPDIR/out" && return 1; }
		kill -$signal $started
		wait $started 2>/dev/null || :
		ended "$qemu"
		[ $signal = KILL ] || [[ $(left) != *run.* ]]
	done
	[[ $(left) == *run.* ]]
	# A sleep that the script began may hold its folder for three seconds more.
	rm -rf "$MACHINES_CACHE"/trixie-*
	for ((tries = 10; tries; tries--)); do
		image
		[[ $(left) == *run.* ]] || break
		rm -rf "$MACHINES_CACHE"/trixie-*
		sleep 1
	done
	[ "$tries" -gt 0 ]
}

@test "guests: the table has a row for a machine and a user, the worst verdict of each lab, and what else failed" {
	local results=$BATS_TEST_TMPDIR/results.tsv
	{
		result debian-13 user "lab 02-b" pass
		result debian-13 user "lab 01-a" skip "it wants root"
		result debian-13 user "lab 03-c" "not done"
		result debian-13 sudo "lab 01-a" pass
		result debian-13 sudo "lab 01-a" left "+ group /sys/fs/cgroup/lab01-1"
		result debian-13 sudo "lab 02-b" broken
		result debian-13 sudo unit fail "1 failed"
	} >"$results"
	run -0 scripts/machines/table "$results"
	same "head" "machine who 01 02 03" "$(xargs <<<"${lines[0]}")"
	same "the user's row" "debian-13 user skip pass -" "$(xargs <<<"${lines[1]}")"
	same "sudo's row" "debian-13 sudo LEFT BRK" "$(xargs <<<"${lines[2]}")"
	[[ $output == *"debian-13: Debian 99, Linux 9.8.7  2030-01-02"*"sudo"*"unit: fail  1 failed"* ]]
}

@test "guests: a row of README says the date, the versions and what was not as predicted" {
	local results=$BATS_TEST_TMPDIR/results.tsv
	{
		for lab in 01 02 03 05; do result debian-13 user "lab $lab-x" pass; done
		result debian-13 user "lab 06-x" skip
		result debian-13 user "lab 07-x" fail
		for lab in 01 02 03 05 06 07; do result debian-13 sudo "lab $lab-x" pass; done
		result debian-13 sudo "lab 07-x" left
		result debian-13 user "lab VM: boot" pass
		result debian-13 sudo "lab VM: boot" fail
	} >"$results"
	run -0 scripts/machines/table --rows "$results"
	same "the row" "| Debian 13, x86-64 | on its kernel 01 to 03, 05, and with sudo 06; the others in the lab VM | tested on 2030-01-02 with Debian 99, Linux 9.8.7; not as predicted as a user: 07; not as predicted with sudo: 07 |" "${lines[0]}"
	[[ ${lines[-1]} == *"| should work; nobody has tried it |" ]]
}

@test "guests: results are recorded of a machine that was tried to its end, and others keep theirs" {
	tree
	mkdir -p build/machines/debian-14/said/user
	echo "Linux 9.8.7" >build/machines/debian-14/said/user/doctor-all
	result debian-12 user "lab 01-a" fail >tests/machines/guests/results.tsv
	for name in debian-13 debian-14; do
		result $name user "lab 01-a" pass
		[ $name = debian-13 ] || result $name sudo "lab 01-a" pass
		result $name user "census of the whole" pass
	done >build/machines/results.tsv
	result debian-12 user "lab 01-a" pass >>build/machines/results.tsv
	scripts/machines/table --record
	same "what is recorded" "debian-12 fail debian-14 pass debian-14 pass debian-14 pass" "$(cut -f 1,6 tests/machines/guests/results.tsv | xargs)"
	same "the doctor's text" "Linux VERSION" "$(cat tests/machines/guests/doctor-debian-14-user.txt)"
	grep -qF '| Debian 14 (testing), x86-64 | on its kernel 01; the others in the lab VM | tested on 2030-01-02 with Debian 99, Linux 9.8.7 |' README.md
	grep -qF '| Debian 13, x86-64 | on its kernel, or in the lab VM | should work' README.md
}

@test "guests: README's rows are those of the results that are recorded" {
	local row
	scripts/machines/table --rows tests/machines/guests/results.tsv >"$BATS_TEST_TMPDIR/rows"
	[ -s "$BATS_TEST_TMPDIR/rows" ]
	while IFS= read -r row; do
		grep -qxF -- "$row" README.md || { echo "README.md lacks: $row; type: scripts/machines/table --record" && return 1; }
	done <"$BATS_TEST_TMPDIR/rows"
}

@test "guests: what the doctor says is compared without versions, sizes and sessions" {
	printf 'kernel  Linux 6.12.118+deb13-amd64, 2964 MiB\ngroup   user-1000.slice/session-12.scope\n' >"$BATS_TEST_TMPDIR/one"
	printf 'kernel  Linux 6.1.0-57-amd64, 3 GiB\ngroup   user-1001.slice/session-c3.scope\n' >"$BATS_TEST_TMPDIR/two"
	sed 's/GiB/MiB/' "$BATS_TEST_TMPDIR/two" >"$BATS_TEST_TMPDIR/three"
	same "two machines" "$(scripts/machines/table --doctor "$BATS_TEST_TMPDIR/one")" "$(scripts/machines/table --doctor "$BATS_TEST_TMPDIR/three")"
	sed -i 's/group/place/' "$BATS_TEST_TMPDIR/three"
	differ "other words" "$(scripts/machines/table --doctor "$BATS_TEST_TMPDIR/one")" "$(scripts/machines/table --doctor "$BATS_TEST_TMPDIR/three")"
}
