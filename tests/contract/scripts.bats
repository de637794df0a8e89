#!/usr/bin/env bats
# What is typed: each script works from any folder, through a link and with a CDPATH, and says in one line what it
# did not expect; and what was damaged since it was built is named and built again.
# bats file_tags=apart

load ../helper

setup() {
	host_only "the lab VM has no make"
	cd "$ROOT" || return
}

teardown() {
	rm -f "$ROOT/build/typed.yaml"
	[ -z "${own-}" ] || rm -rf "$own" "$ROOT/build/labvm/${own##*/}"
}

# What each script is asked that costs little; exercise, grade and box have tests of their own.
asked() {
	cat <<-'TXT'
		lab 03 --about
		labs 99
		guide 10
		labvm/kernel --path
		vm --accel
		welcome
		map nonsense
		doctor --help
		check/test --help
		setup nonsense
		check/lint nonsense
		check/sizes nonsense
		check/edits nonsense
		check/coverage nonsense
		measure/bench nonsense
		measure/bench --beside /nonsense
		measure/compare nonsense
		check/campaign nonsense
		check/transcripts nonsense
		check/fuzz nonsense
		make/sums nonsense
	TXT
}

# answers COMMAND: status and standard output of each, started as COMMAND FOLDER/NAME ARG...
answers() {
	local name words status
	while read -r name words; do
		status=0
		# shellcheck disable=SC2086 # words
		out=$("$1" "$2/$name" $words 2>"$BATS_TEST_TMPDIR/err" </dev/null 3>&-) || status=$?
		printf '%s: %s %s\n' "$name" "$status" "$out"
		[ "$status" != 2 ] || printf '%s lines on stderr\n' "$(grep -vc 'getcwd' "$BATS_TEST_TMPDIR/err")"
	done < <(asked)
}

@test "scripts: from any folder, through a link, with a CDPATH and where the folder is gone they do the same" {
	local plain name
	plain=$(answers env "$ROOT/scripts")
	same "of those, wrong usage" 14 "$(grep -c ': 2 ' <<<"$plain")"
	same "lines that it takes" 14 "$(grep -c '^1 lines on stderr' <<<"$plain")"
	same "of those, right" 7 "$(grep -c ': 0 ' <<<"$plain")"
	CDPATH=/tmp:$ROOT same "with a CDPATH" "$plain" "$(export CDPATH=/tmp:$ROOT && answers env scripts)"
	mkdir -p "$BATS_TEST_TMPDIR"/links/{labvm,check,measure,make} "$BATS_TEST_TMPDIR/gone"
	while read -r name _; do ln -s "$ROOT/scripts/$name" "$BATS_TEST_TMPDIR/links/$name"; done < <(asked | sort -u -k 1,1)
	same "through a link" "$plain" "$(cd / && answers env "$BATS_TEST_TMPDIR/links")"
	cd "$BATS_TEST_TMPDIR/gone"
	rmdir "$BATS_TEST_TMPDIR/gone"
	same "where the folder is gone" "$plain" "$(answers env "$ROOT/scripts" 2>/dev/null)"
	same "and a lab" 0 "$("$ROOT/scripts/lab" 03 >/dev/null 2>&1 </dev/null 3>&- && echo 0 || echo $?)"
	same "and the lab VM" "here" "$("$ROOT/scripts/vm" echo here 2>/dev/null </dev/null 3>&-)"
}

@test "lab: a path is meant in the folder in which one types, on this machine, in the lab VM and after make -C" {
	local place=$BATS_TEST_TMPDIR/typed images said words
	mkdir -p "$place/here/d" "$place/here/keep" "$place/other/sub"
	cd "$place/here"
	ln -s ../other/sub far
	echo one >d/file
	ln -s d link
	ln -s "$ROOT/build/rootfs/tree" tree
	cat >pod.yaml <<-'TXT'
		apiVersion: v1
		kind: Pod
		metadata: {name: typed}
		spec:
		  restartPolicy: Never
		  containers:
		  - {name: one, image: one, command: ["true"], resources: {limits: {memory: 16Mi}}}
		  - {name: two, image: two, command: ["true"]}
	TXT
	images="--image one=tree --image=two=./tree/../tree"
	# shellcheck disable=SC2086 # words
	said=$("$ROOT/scripts/lab" 17 --explain $images pod.yaml)
	[[ $said = *16777216* ]] || { echo "expected 16 MiB to be explained, observed $said" && return 1; }
	for words in "-C $ROOT" "-sC $ROOT" "--directory=$ROOT"; do
		# shellcheck disable=SC2086 # words
		same "make $words" "$said" "$(make $words lab-17 ARGS="--explain $images pod.yaml" 3>&- | grep -v '^make: ')"
	done
	cp pod.yaml "$ROOT/build/typed.yaml"
	images="--image one=build/rootfs/tree --image two=build/rootfs/tree"
	same "make in the tree, with a PWD that is stale" 2 \
		"$(env -C "$ROOT" PWD="$place/here" make lab-17 ARGS="--explain $images build/typed.yaml" 3>&- | grep -c 'memory.max <- 16777216')"
	run -2 make -C "$ROOT" lab-17 ARGS="--explain nowhere.yaml"
	[[ $output = *"MANIFEST nowhere.yaml: expected a file that can be read"* ]]
	export WHERE=vm images="--image one=tree --image=two=./tree/../tree"
	# Two images of one folder, that is a link besides.
	# shellcheck disable=SC2086 # words
	run -0 timeout 120 "$ROOT/scripts/lab" 17 --format=jsonl $images pod.yaml 3>&- </dev/null
	# An option's path behind its letter, after =, and as a word of its own; a folder, that folder again, and a link to it.
	run -0 timeout 120 "$ROOT/scripts/lab" 16 -v./d:/a --volume=../here/d:/b:ro -iv ./link:/c --keep keep -- \
		sh -c 'cat /a/file /b/file /c/file; echo two >>/c/file; echo kept >/kept' 3>&- </dev/null
	same "what the container read" "one one one" "$(grep -x one <<<"$output" | xargs)"
	same "what it wrote" "one two kept" "$(cat d/file keep/upper/kept | xargs)"
	[ -L link ]
	# A COMMAND that is a file here; ".." is of where the link leads.
	printf '%s\n' '#!/bin/sh' 'echo it ran' >../other/mine
	chmod +x ../other/mine
	same "a COMMAND" "it ran" "$("$ROOT/scripts/lab" 03 -- far/../mine 2>/dev/null 3>&- </dev/null)"
}

@test "exercise: SOURCE and WORK are meant in the folder in which one types" {
	mkdir -p "$BATS_TEST_TMPDIR/mine/desk"
	cd "$BATS_TEST_TMPDIR/mine"
	cp "$ROOT/labs/03-uts-ns/solution.c" mine.c
	SOURCE=mine.c run -0 timeout 200 "$ROOT/scripts/exercise" check 03 3>&- </dev/null
	WORK=desk run -1 timeout 200 "$ROOT/scripts/exercise" check 03 3>&- </dev/null
	[ -s desk/03-uts-ns.c ]
}

@test "labs: a machine that fails, or a program that does, is a row with its reason" {
	local kernel modules tree=$BATS_TEST_TMPDIR/tree
	# The machine cannot boot: no kernel; a QEMU that ends.
	KERNEL=/nowhere run --separate-stderr -1 scripts/labs 07
	[[ ${lines[1]} = "07-cgroup-ns  "*" broken "* && ${lines[2]} = *"broken  vm: KERNEL=/nowhere: no such file"* ]] || same rows "a broken 07" "$output"
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/sh\nexit 5\n' >"$BATS_TEST_TMPDIR/bin/qemu-system-$(uname -m)"
	chmod +x "$BATS_TEST_TMPDIR/bin/"*
	LAB_ACCEL=tcg LAB_STATE=no PATH=$BATS_TEST_TMPDIR/bin:$PATH run --separate-stderr -1 scripts/labs 08 10
	same "rows of 08 and 10" "08-pids-max broken, 10-oom-demo broken" "$(awk '$2 == "broken" && $1 ~ /^[01]/ { print $1, $2 }' <<<"$output" | paste -sd, | sed 's/,/, /')"
	same "reasons" 2 "$(grep -c 'broken  vm: expected the lab VM to answer; QEMU ended with status 5' <<<"${output//$'\n'   /}")"
	# A program that cannot go on, among others that can.
	mkdir -p "$tree/build"
	cp -a scripts "$tree"
	cp -a build/bin build/labs "$tree/build"
	printf '#!/bin/sh\ncase " $* " in *" --about "* | *" --can-run "*) exec "%s" "$@" ;; esac\necho "03-uts-ns/more: broken: out of cheese" >&2\nexit 3\n' \
		"$ROOT/build/labs/03-uts-ns-more" >"$tree/build/labs/03-uts-ns-more"
	run --separate-stderr -1 "$tree/scripts/labs" 01 03
	[[ $output = *"01-pid-ns  "*" pass "*"03-uts-ns  "*" broken "*"   broken  03-uts-ns/more: out of cheese"* ]] || same rows "a broken 03" "$output"
	# A machine without what a part needs: that is told, and the part is skipped.
	kernel=$(scripts/labvm/kernel --path)
	modules=$BATS_TEST_TMPDIR/m/lib/modules/$(<"$kernel/version")
	mkdir "$BATS_TEST_TMPDIR/m"
	(cd "$BATS_TEST_TMPDIR/m" && cpio -i -d --quiet <"$kernel/modules.cpio")
	find "$modules" \( -name 'zram.ko' -o -name 'modules.dep*' \) -delete
	export XDG_CACHE_HOME=$BATS_TEST_TMPDIR LAB_STATE=no KERNEL=$kernel/vmlinux MODULES=$modules
	own=$(scripts/labvm/kernel --path 2>/dev/null)
	[[ $own = */own-* ]]
	run --separate-stderr -0 timeout 200 scripts/labs 10
	[[ $output = *"10-oom-demo  "*" pass "*"skip  part swap: "* ]] || same rows "10 with a skip" "$output"
	[[ $stderr = *"vm: the lab VM has no swap (modprobe: "*zram* ]] || same "what is told" "no swap" "$stderr"
}

@test "scripts: COLUMNS that is no number is as none" {
	local plain
	plain=$(COLUMNS=80 scripts/guide 10)
	for COLUMNS in abc '' 0 -1 99999999999999999999; do
		export COLUMNS
		same "COLUMNS=$COLUMNS, scripts/guide" "$plain" "$(scripts/guide 10 2>&1)"
	done
	differ "COLUMNS=40, scripts/guide" "$plain" "$(COLUMNS=40 scripts/guide 10)"
}

@test "make: a lab's name is no pattern: one line with the names, and nothing done" {
	local goal
	for goal in 'lab-*' 'lab-%' 'lab-[0-9]*' 'more-?3' 'guide-*' 'shell-1*' lab-nonsense; do
		run -2 make "$goal"
		same "$goal: lines" 1 "${#lines[@]}"
		[[ $output = *"there is no $goal; expected"*01-pid-ns*18-container-vs-vm* ]]
	done
	# A chapter that is no lab has a word.
	run -0 make guide-Teaching
	[[ ${lines[0]} = *"Teaching a class"* && $output != *"does not start"* ]]
	run -0 make guide-hpa
	[[ ${lines[0]} = *"HPA: usage"* ]]
	run -2 scripts/guide nonsense
	[[ ${#lines[@]} = 1 && $output = *03-uts-ns*HPA*Teaching* ]]
	run -2 scripts/labs 03 nonsense
	[[ ${#lines[@]} = 1 && $output = *"there is no lab nonsense"*03-uts-ns* ]]
	run -2 env WHERE=nowhere scripts/labs 03
	[[ ${#lines[@]} = 1 && $output = *"WHERE=nowhere"* ]]
}

@test "make: what was damaged since it was built is built again, and nothing else is" {
	local tree=$BATS_TEST_TMPDIR/tree lab before after
	mkdir "$tree"
	cp -a Makefile common labs rootfs scripts tests build "$tree"
	cd "$tree"
	run -0 make all
	before=$(cksum build/labs/1[0-9]* build/bin/* build/rootfs/base.cpio | grep -v supervise)
	truncate -s 100000 build/labs/03-uts-ns
	: >build/labs/04-ipc-ns
	chmod a-x build/labs/05-user-ns
	printf X | dd of=build/labs/06-net-ns-more bs=1 seek=200000 conv=notrunc status=none
	truncate -s 1000000 build/rootfs/base.cpio
	rm build/rootfs/tree/bin/busybox
	printf X >>build/bin/supervise
	# Until then, one line each.
	for lab in 03 04 05; do
		run -3 scripts/lab $lab
		same "$lab: lines" 1 "${#lines[@]}"
		[[ $output = *"build/labs/$lab-"*" is damaged: type make all" ]]
	done
	run -3 scripts/lab 03 --help
	run -139 build/bin/supervise build/labs/03-uts-ns
	same "supervise: lines" 1 "${#lines[@]}"
	[[ $output = *"build/labs/03-uts-ns ended by signal 11"*make* ]]
	run -0 make all
	same "damaged" "03-uts-ns 04-ipc-ns 05-user-ns 06-net-ns-more base.cpio supervise" \
		"$(sed -n 's|^  MEND .*/||p' <<<"$output" | LC_ALL=C sort | xargs)"
	same "built again" "03-uts-ns 04-ipc-ns 05-user-ns 06-net-ns-more" "$(sed -n 's|^  LAB .*/||p' <<<"$output" | sort | xargs)"
	after=$(cksum build/labs/1[0-9]* build/bin/* build/rootfs/base.cpio | grep -v supervise)
	same "the others" "$before" "$after"
	for lab in 03-uts-ns 04-ipc-ns 05-user-ns 06-net-ns-more; do "build/labs/$lab" --about >/dev/null; done
	[ -x build/labs/05-user-ns ] && [ -x build/rootfs/tree/bin/busybox ]
	run -0 make all
	same "the second time" "" "$output"
	# Another C library, though its files are older than what was built.
	touch -d 2020-01-01 build/common/libc.o.from
	run -0 make build/labs/03-uts-ns
	same "with another C library" "libc.o 03-uts-ns" "$(sed -nE 's/^  (LD|LAB) .*\///p' <<<"$output" | xargs)"
	run -0 make build/labs/03-uts-ns
	same "with the same" "" "$(sed -nE 's/^  (LD|LAB) .*\///p' <<<"$output" | xargs)"
	# A build that fails has built the rest.
	echo '#error no' >>labs/01-pid-ns/main.c
	touch common/lib.a labs/02-mnt-ns/main.c
	run -2 make -k all
	[[ $output = *"LAB  build/labs/02-mnt-ns"* && $output != *MEND* ]]
	run -2 make -k all
	[[ $output != *02-mnt-ns* && $output != *MEND* ]]
}

@test "lab: a group of systemd's is asked for so that the words of COMMAND stay as they are" {
	host_only "it is the host's systemd that is meant"
	local bin=$BATS_TEST_TMPDIR/bin called=$BATS_TEST_TMPDIR/called option
	mkdir "$bin"
	# It has a group for everybody, and notes what is to be started there.
	printf '#!/bin/sh\ncase " $* " in *" --help "*) echo "$knows" ;; *" --can-run "*) ;; *) printf "%%s\\n" "$@" >"%s" ;; esac\n' \
		"$called" >"$bin/systemd-run"
	chmod +x "$bin/systemd-run"
	for option in --scope --expand-environment=BOOL; do # of systemd 252, and since 254
		# A machine with systemd and no group of ours.
		run -0 unshare "${userns_make[@]}" --mount --propagation private sh -c 'mount -t tmpfs run /run && mkdir -p /run/systemd/system &&
			mount -t tmpfs none /sys/fs/cgroup && exec "$@"' sh env "PATH=$bin:$PATH" "knows=$option" WHERE=host scripts/lab 10 -- sh -c 'echo $HOME'
		same "$option: the last word" 'echo $HOME' "$(tail -n 1 "$called")"
		same "$option: what it is told" "$([ "$option" = --scope ] || echo --expand-environment=no)" "$(grep expand "$called" || :)"
	done
}

# In a tree of its own, with a package manager that has everything.
@test "setup: what only developers need is fetched by make setup-dev alone" {
	local tree=$BATS_TEST_TMPDIR/tree bin=$BATS_TEST_TMPDIR/bin called=$BATS_TEST_TMPDIR/called
	mkdir -p "$tree/scripts/labvm" "$tree/tests/peers" "$bin"
	cp "$ROOT/scripts/setup" "$tree/scripts/"
	cp -r "$ROOT/tests/peers/schema" "$tree/tests/peers/"
	printf '#!/bin/sh\n' | tee "$tree/scripts/labvm/kernel" >"$bin/apt-get"
	printf '#!/bin/sh\necho installed\n' >"$bin/dpkg-query"
	printf '#!/bin/sh\necho "npm $1" >>"%s"\n' "$called" >"$bin/npm"
	chmod +x "$bin"/* "$tree/scripts/labvm/kernel"
	run -0 env "PATH=$bin:$PATH" "$tree/scripts/setup"
	same "what make setup calls" "" "$(cat "$called" 2>/dev/null || :)"
	same "its word" "setup: nothing to install" "${lines[-1]}"
	run -0 env "PATH=$bin:$PATH" "$tree/scripts/setup" --dev
	same "what make setup-dev calls" "npm ci" "$(cat "$called")"
}

# other_system OS-RELEASE MANAGER...: sets bin to a PATH with all of this machine's programs but jq, bats and its package
# managers; with those of another system, which note what they are asked for in called. as_there COMMAND... has that
# system's /etc/os-release, in a mount table of this test's own.
other_system() {
	local tool
	called=$BATS_TEST_TMPDIR/called bin=$BATS_TEST_TMPDIR/bin there=$BATS_TEST_TMPDIR/there
	rm -rf "$bin" "$called" "$there"
	mkdir -p "$bin" "$there/scripts/labvm"
	ln -sf -t "$bin" /usr/local/bin/* /usr/bin/* 2>/dev/null || :
	# What takes their place below is no file of this machine's: nothing is written through a link.
	rm -f "$bin"/{jq,bats,apt,apt-get,apt-cache,dpkg,dpkg-query,dnf,pacman,apk,sudo,id}
	cp -r scripts/setup scripts/make "$there/scripts/"
	cp -r labs README.md "$there/"
	printf '#!/bin/sh\n' >"$there/scripts/labvm/kernel"
	printf '%s\n' "$1" >"$BATS_TEST_TMPDIR/os-release"
	for tool in "${@:2}"; do printf '#!/bin/sh\necho "%s $*" >>"%s"\n' "$tool" "$called" >"$bin/$tool"; done
	if [[ " $* " == *" apt-get "* ]]; then # all but two packages are there
		printf '#!/bin/sh\ncase " $* " in *" jq "* | *" bats "*) exit 1 ;; esac\necho installed\n' >"$bin/dpkg-query"
		printf '#!/bin/sh\necho 0\n' >"$bin/id"
	else
		ln -s "$(type -P id)" "$bin/id"
	fi
	find "$bin" -type f -exec chmod +x {} +
	chmod +x "$there/scripts/labvm/kernel"
}
as_there() {
	unshare "${userns_make[@]}" --mount --propagation private sh -c 'mount --bind "$0" "$(readlink -f /etc/os-release)" && exec "$@"' \
		"$BATS_TEST_TMPDIR/os-release" env "PATH=$bin" "$@" 3>&- </dev/null
}
@test "setup: on Ubuntu it asks apt for what is missing; on Fedora and Arch it tells the command, and does nothing itself" {
	host_only "it is the host's package manager that is meant"
	local packages
	other_system $'ID=ubuntu\nVERSION_ID="24.04"' apt-get
	run -0 as_there "$there/scripts/setup"
	[[ $output = *"nobody has tried this on ubuntu 24.04 yet"*"will install 2 packages"*": bats jq"* ]] || same "Ubuntu" "two packages" "$output"
	same "what apt-get was told to do" "update | install --no-install-recommends bats jq" \
		"$(sed -nE 's/^apt-get -q -y -o DPkg::Lock::Timeout=300 //p' "$called" | paste -sd'|' | sed 's/|/ | /')"
	# README and it say the same.
	other_system $'ID=debian\nVERSION_ID="12"' apt-get
	grep -qE '^\| Debian 12, x86-64 \|.*\| tested on every change(;[^|]*)? \|$' README.md
	run -0 as_there "$there/scripts/setup"
	[[ $output != *"nobody has tried"* ]] || same "Debian 12" "tested" "$output"
	sed -i -E 's/^(\| Debian 12, .*\|) tested [^|]*\|$/\1 should work \|/' "$there/README.md"
	run -0 as_there "$there/scripts/setup"
	[[ $output = *"nobody has tried this on debian 12 yet"* ]] || same "Debian 12" "not tested" "$output"
	other_system ID=debian apt-get # testing and unstable have no VERSION_ID
	run -0 as_there "$there/scripts/setup"
	[[ $output = *"nobody has tried this on debian yet"* ]]
	for packages in "ID=fedora dnf dnf install" "ID=arch pacman pacman -S --needed"; do
		# shellcheck disable=SC2086 # three words
		set -- $packages
		other_system "$1" "$2"
		run -1 as_there "$there/scripts/setup"
		same "$1: commands to paste" "sudo ${*:3}" "$(grep -oE '^sudo [a-z]+ (install|-S --needed)' <<<"$output")"
		[[ $output = *" jq "* && $output = *"still missing here: bats jq"* ]] || same "$1" "bats and jq" "$output"
		[ ! -e "$called" ] || same "what $2 was asked for" nothing "$(<"$called")"
	done
	other_system ID=alpine apk
	run -1 as_there "$there/scripts/setup"
	[[ $output = *musl* && $output != *"sudo "* ]]
	[ ! -e "$called" ]
}

@test "setup: a kernel that was cut is named, and counts as one to be fetched" {
	local kernel
	kernel=$(scripts/labvm/kernel --path)
	mkdir -p "$BATS_TEST_TMPDIR/unboxed/kernel"
	cp -a "$kernel" "$BATS_TEST_TMPDIR/unboxed/kernel/"
	ln -s "${kernel##*/}" "$BATS_TEST_TMPDIR/unboxed/kernel/current"
	export XDG_CACHE_HOME=$BATS_TEST_TMPDIR
	same "whole" "$BATS_TEST_TMPDIR/unboxed/kernel/${kernel##*/}" "$(scripts/labvm/kernel --check)"
	truncate -s 1000 "$XDG_CACHE_HOME/unboxed/kernel/current/modules.cpio"
	run -1 scripts/labvm/kernel --check
	[[ ${#lines[@]} = 1 && $output = *"modules.cpio: type make setup" ]]
	run -0 scripts/doctor
	[[ $output = *modules.cpio* ]]
	# A folder from before there were checksums is believed once, and then noted as it is.
	rm "$XDG_CACHE_HOME/unboxed/kernel/current/sums"
	same "without checksums" "$BATS_TEST_TMPDIR/unboxed/kernel/${kernel##*/}" "$(scripts/labvm/kernel --check)"
	truncate -s 2000 "$XDG_CACHE_HOME/unboxed/kernel/current/vmlinux"
	run -1 scripts/labvm/kernel --check
	[[ $output = *"vmlinux: type make setup" ]]
}

# after_sudo UID COMMAND...: as root, who has no kernel, after sudo by this user, whose home $ada has one. In a mount
# table of this test's own.
after_sudo() {
	unshare --mount --propagation private sh -c 'mount -t tmpfs none /var/cache && mount --bind "$0" /etc/passwd && exec "$@"' \
		"$BATS_TEST_TMPDIR/passwd" env -u XDG_CACHE_HOME HOME=/nonexistent "SUDO_UID=$1" "${@:2}" 3>&- </dev/null
}
@test "sudo: root finds the lab VM's kernel that the user's make setup has fetched, by SUDO_UID or by whose tree it is" {
	host_only "it starts the lab VM"
	[ "$EUID" = 0 ] || skip "sudo makes root"
	local ada=$BATS_TEST_TMPDIR/ada kernel tree=$BATS_TEST_TMPDIR/tree
	kernel=$(scripts/labvm/kernel --path)
	mkdir -p "$ada/.cache/unboxed/kernel" "$tree/scripts/labvm"
	cp -a "$kernel" "$ada/.cache/unboxed/kernel/"
	ln -s "${kernel##*/}" "$ada/.cache/unboxed/kernel/current"
	kernel=$ada/.cache/unboxed/kernel/${kernel##*/}
	printf '%s\n' root:x:0:0::/nonexistent:/bin/sh "ada:x:4321:4321::$ada:/bin/sh" >"$BATS_TEST_TMPDIR/passwd"
	same "control: by nobody" "scripts/labvm/kernel: the lab VM has no kernel yet: type make setup" "$(after_sudo 0 scripts/labvm/kernel --path 2>&1 || :)"
	same "by ada" "$kernel" "$(after_sudo 4321 scripts/labvm/kernel --path)"
	same "in the VM" "it runs" "$(LAB_STATE=no after_sudo 4321 scripts/vm echo it runs 2>/dev/null)"
	run -0 after_sudo 4321 scripts/doctor --all
	[[ $(tr -d ' \n' <<<"$output") = *"labkernel$ada/.cache/unboxed/kernel/currentlabVMyes"* ]] || same "the doctor" "a lab VM" "$output"
	cp scripts/labvm/kernel "$tree/scripts/labvm/"
	chown -R 4321 "$tree"
	same "a tree of ada's" "$kernel" "$(after_sudo "" "$tree/scripts/labvm/kernel" --path)"
}

# A screen is 24 lines of 80 columns, of which the prompt takes one.
@test "make, make help and make doctor fit a screen, and every lab stands in it once" {
	local user command width
	for command in scripts/welcome "scripts/welcome help" scripts/doctor; do
		for user in 0 1000; do
			[ "$user" = 0 ] || [ "$EUID" = 0 ] || continue
			# shellcheck disable=SC2086 # words
			run -0 setpriv --reuid=$((EUID ? EUID : user)) --clear-groups env HOME="$BATS_TEST_TMPDIR" $command
			within "$command as user $user: lines" 10 23 "$(wc -l <<<"$output")"
			same "$command: longer than 80" "" "$(awk 'length > 80' <<<"$output")"
			[ "$command" != scripts/doctor ] || same "labs" "$(basename -a labs/[0-9]* | cut -c 1-2 | xargs)" \
				"$(sed -nE 's/^(labs here|in the lab VM|nowhere) +//p' <<<"$output" | xargs -n 1 | sort | xargs)"
		done
	done
	run -0 scripts/welcome help
	same "help: longer than 79" "" "$(awk 'length > 79' <<<"$output")"
	# What a class and a lecture take is there.
	same "left out of help" "" "$(sed -nE 's/^([a-z%-]+):.*/\1/p' scripts/class/rules.mk | sed 's/%/NN/' | grep -vxFf <(grep -oE '[a-zN-]+' <<<"$output") || :)"
	# --all names each lab, and each cause once: where a lab lacks the same, it says so.
	run -0 scripts/doctor --all
	same "labs" "$(basename -a labs/[0-9]*)" "$(grep -oE '^[0-9]{2}-[a-z0-9-]+  ?' <<<"$output" | tr -d ' ')"
	width=$(basename -a labs/[0-9]* | wc -L)
	same "lines longer than 80, or whose text begins elsewhere" "" \
		"$(awk -v at=$((width + 2)) '/^.* .*$/ && (length > 80 || substr($0, at, 1) != " " || substr($0, at + 1, 1) == " ")' <<<"$output")"
}

@test "make: the labs stand in one order, the course's: there, in README, in GUIDE, in what comes next and in progress" {
	local course id last='' next
	# shellcheck disable=SC2016 # of that shell
	course=$(bash -c 'root=$0 && . scripts/run/find.bash && course' "$ROOT" | xargs)
	same "labs" "$(basename -a labs/[0-9]* | xargs)" "$(tr ' ' '\n' <<<"$course" | sort | xargs)"
	[[ $course = "03-uts-ns 01-pid-ns 02-mnt-ns 05-user-ns 04-ipc-ns 06-net-ns 07-cgroup-ns 08-pids-max 09-cpu-max 10-oom-demo "* ]]
	same "make" "$course" "$(scripts/welcome | sed -nE 's/^ make lab-([0-9]+) ([a-z-]+) .*/\1-\2/p' | xargs)"
	# shellcheck disable=SC2016 # backquotes of Markdown
	same "README" "$course" "$(sed -nE 's/^\| `([0-9]{2}-[a-z-]+)` .*/\1/p' README.md | xargs)"
	same "GUIDE" "$course" "$(sed -nE 's/^## ([0-9]{2}-[a-z0-9-]+): .*/\1/p' GUIDE.md | xargs)"
	same "progress" "$(for id in $course; do [ ! -f "labs/$id/solution.c" ] || echo "$id"; done | xargs)" \
		"$(WORK=$BATS_TEST_TMPDIR scripts/exercise progress | sed -nE 's/^  ([0-9]{2}-[a-z-]+) .*/\1/p' | xargs)"
	# The last lab that a lab, or a further part of it, names as the next is itself or the one after it.
	for id in $course; do
		if [ -n "$last" ]; then
			next=$(sed -n '/\.next = /,/,$/p' "labs/$last/words.h" | tr -d '\n\t"' | grep -oE 'lab[- ][0-9]+' | grep -v "${last%%-*}" | sort -u | xargs)
			same "after $last" "${id%%-*}" "$(grep -oE '[0-9]+' <<<"$next" | sort -u | xargs)"
		fi
		last=$id
	done
	# A README that has another one in "builds on" than the program.
	for id in $course; do
		same "README, what $id builds on" "$("build/labs/$id" --about | jq -r '[.after[][:2]] | sort | join(", ")')" \
			"$(sed -nE "s/^\| \`$id\` .*\| ([0-9, ]*) ?\|\$/\1/p" README.md | tr -d ' ' | tr ',' '\n' | sort | xargs | sed 's/ /, /g')"
	done
}

@test "scripts: bench's rows are medians of one run, and both of wall and of CPU time have to meet the goal" {
	cd "$ROOT/scripts/measure" || return
	local run=$BATS_TEST_TMPDIR/run
	# Three runs of each; what disturbs one is no median.
	{
		printf 'host\tplain\t16, net\t%d\t%d\t70\t20\t1400\t1\n' 2000 1000 2100 1200 90000 80000
		printf 'host\tplain\tequal floor, net\t%d\t1000\t60\t20\t1400\t1\n' 2000 2000 2000
		printf 'host\tplain\tbwrap\t%d\t%d\t60\t20\t1400\t1\n' 3000 5000
		printf 'host\tlabs\tmake lab-01, rebuilt\t%d\t100\t1\t1\t1\t1\n' 450000
		printf 'host\tskipped\trunc\tit is not installed\n'
	} >"$run"
	jq -Rn -L . 'include "rows"; [inputs | split("\t")] | rows("6.1"; "tcg"; 3)' "$run" >"$run.json"
	same "verdicts" "1.05 1.2 missed: CPU
0.7 0.24 missed: time
450 null missed" "$(jq -r '.rows[] | select(.verdict) | "\(.value) \(.cpu) \(.verdict)"' "$run.json")"
	same "left out" "host runc: it is not installed" "$(jq -r '.skipped[] | "\(.place) \(.what): \(.why)"' "$run.json")"
	run -0 jq -r -L . 'include "plot"; text' "$run.json"
	[[ ${lines[1]} = *"1.05 x "*" ======|       missed: CPU" && ${lines[*]} = *"450 ms "*" ======|====== missed"* ]] || { echo "$output" && return 1; }
	for line in "${lines[@]}"; do [ ${#line} -le 110 ]; done
	run -0 jq -r -L . 'include "plot"; svg' "$run.json"
	same "bars, by CPU time thin" "3 2" "$(grep -c 'height="11"' <<<"$output") $(grep -c 'height="3"' <<<"$output")"
}
