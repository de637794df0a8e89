#!/usr/bin/env bats
# bats file_tags=measures
# 18-container-vs-vm, seen from outside while it waits: its children in /proc, the files in the /proc of
# each container by /proc/PID/root, and by strace what the virtual machines print. "# check:" names the
# lab's check whose fact is obtained here a second time.

# shellcheck disable=SC2154,SC2086 # the helper's variables; lists of PIDs are to be split

load helper
program=18-container-vs-vm
boot_id=/proc/sys/kernel/random/boot_id osrelease=/proc/sys/kernel/osrelease

# Of all children of PID, the grandchildren.
grandchildren_of() {
	local child list=''
	for child in $(children_of "$1"); do
		list+=" $(children_of "$child")"
	done
	echo $list
}

# inside_of FILE PID...: what stands in FILE for them: the different contents, and how many of each.
inside_of() {
	local pid
	for pid in "${@:2}"; do
		cat "/proc/$pid/root$1"
	done 2>&1 | sort | uniq -c | awk '{ print $1, $2 }'
}

# How many numbers NSpid has, for each PID: "2 2 2".
pids_of() {
	local pid list=''
	for pid; do
		list+=" $(status_of "$pid" NSpid | wc -w)"
	done
	echo $list
}

# Shells in our /proc whose arguments have the lab's mark of this kind.
shells() {
	local process found=0
	while read -r process; do
		[[ $(tr '\0' ' ' <"$process" 2>/dev/null) != sh\ -c* ]] || found=$((found + 1))
	done < <(grep -lsE "lab18\.$1\.$2" /proc/[0-9]*/cmdline)
	echo $found
}

# KiB: the Pss of all of PID...
pss_of() {
	local pid sum=0
	for pid; do
		sum=$((sum + $(awk '$1 == "Pss:" { print $2 }' "/proc/$pid/smaps_rollup")))
	done
	echo $sum
}

# traced_at CHECK OPTION...: the lab under strace, at the wait after that check. Sets me, the lab's PID.
traced_at() {
	calls=$BATS_TEST_TMPDIR/calls
	lab_at "$1" strace -qq -s 512 -e trace=read -o "$calls" "$LABS/$program" "${@:2}"
	me=$(children_of "$lab")
}

# walk_to CHECK OPTION...: sets pids to all that the lab has started by then.
walk_to() {
	lab_at "$1" "$LABS/$program" "${@:2}"
	pids="$(children_of "$lab") $(grandchildren_of "$lab")"
}

setup() {
	needs_lab "$program"
	ours=$(<$boot_id)
}

teardown() {
	lab_stop
}

needs_vms() {
	{ "$ROOT/scripts/labvm/kernel" --path && command -v "qemu-system-$(uname -m)"; } >/dev/null 2>&1 ||
		skip "there is no QEMU or no kernel for a virtual machine here: make setup"
}

# What SIGKILL leaves in /tmp is the runner's to sweep.
teardown_file() {
	"$ROOT/build/bin/supervise" "$LABS/$program" --version >/dev/null
}

# from KIND: what came from these, as the lab's read() had it, a few letters at a time: "BOOT_ID RELEASE".
from() {
	awk 'match($0, /^read\([0-9]+, "/) {
		fd = $1
		$0 = substr($0, RLENGTH + 1)
		if (match($0, /", [0-9]+\) += [0-9]+$/)) said[fd] = said[fd] substr($0, 1, RSTART - 1)
	}
	END { for (fd in said) print said[fd] }' "$calls" |
		grep -oE "lab18\.$me\.$1 [^ $]+ [^ \\]+" | cut -d' ' -f2- | sort -u
}

@test "18-container-vs-vm: control: a plain process has one PID and this machine's boot id" {
	traced_at "process: shells with one PID" --containers=1 --vms=0
	local process
	process=$(children_of "$me")
	# check: process: with this machine's boot id
	same "boot ids in its /proc" "1 $ours" "$(inside_of $boot_id $process)"
	same "what it printed" "$ours $(uname -r)" "$(from process)"
	[ "/proc/$process/root/etc" -ef /etc ]
	# check: process: shells with one PID
	same "its PIDs" 1 "$(pids_of $process)"
	same "its children, as a process that waits for a container would have" "" "$(children_of $process)"
	lab_go_until "containers: shells with two PIDs"
	all_gone $process || same "the process while containers run" gone "still there"
	lab_end
	same "the lab's status" 0 "$lab_status"
}

@test "18-container-vs-vm: containers are processes of this kernel" {
	traced_at "containers: shells with two PIDs" --containers=10 --vms=0
	local runtimes containers
	runtimes=$(children_of "$me") containers=$(grandchildren_of "$me")
	same "processes that the lab has started" 10 "$(wc -w <<<"$runtimes")"
	# check: containers: different boot ids
	# check: containers: with this machine's boot id
	same "boot ids in their own /proc" "10 $ours" "$(inside_of $boot_id $containers)"
	# check: containers: osrelease
	same "osrelease there" "10 $(uname -r)" "$(inside_of $osrelease $containers)"
	same "what they printed" "$ours $(uname -r)" "$(from container)"
	# check: containers: shells in our /proc
	same "shells in our /proc" 10 "$(shells "$me" container)"
	# check: containers: shells with two PIDs
	same "PIDs of each" "2 2 2 2 2 2 2 2 2 2" "$(pids_of $containers)"
	same "their PID namespaces" 10 "$(for pid in $containers; do ns_of "$pid" pid; done | sort -u | wc -l)"
	lab_end
	all_gone $runtimes $containers || same "the containers after the lab" gone "still there"
	same "the lab's status" 0 "$lab_status"
}

@test "18-container-vs-vm: a virtual machine has its own kernel, and costs more than ten containers" {
	needs_vms
	local containers vms kib kvm shown
	traced_at "containers: shells with two PIDs" --containers=10 --vms=2
	containers="$(children_of "$me") $(grandchildren_of "$me")"
	kib=$(($(pss_of $containers) / 10))
	lab_go_until "VMs: Pss, beside a container's"
	vms=$(children_of "$me")
	same "virtual machines, in the last series" 2 "$(wc -w <<<"$vms")"
	# The lab started one, and then two.
	# check: VMs: different boot ids
	same "boot ids that they printed" 3 "$(from vm | cut -d' ' -f1 | sort -u | wc -l)"
	# check: VMs: with this machine's boot id
	same "ours among these" 0 "$(from vm | grep -c "$ours" || :)"
	# check: VMs: osrelease
	same "their osrelease" "$(<"$("$ROOT/scripts/labvm/kernel" --path)/version")" "$(from vm | cut -d' ' -f2 | sort -u)"
	# check: VMs: shells in our /proc
	same "their shells in our /proc" 0 "$(shells "$me" vm)"
	# check: VMs: processes, all of them QEMU
	same "the program of each" "qemu-system-$(uname -m)" "$(for pid in $vms; do basename "$(readlink "/proc/$pid/exe")"; done | sort -u)"
	same "their PIDs" "1 1" "$(pids_of $vms)"
	same "their children" "" "$(grandchildren_of "$me")"
	# check: VMs: Pss, beside a container's
	within "KiB of a container, with the process that waits for it" 20 8192 "$kib"
	within "KiB of a virtual machine" $((10 * kib)) $((1024 * 1024)) "$(($(pss_of $vms) / 2))"
	kvm=$(for pid in $vms; do readlink "/proc/$pid"/fd/*; done | grep -c '^/dev/kvm$\|kvm-vm' || :)
	lab_end
	all_gone $vms || same "the virtual machines after the lab" gone "still there"
	same "the lab's status" 0 "$lab_status"
	shown=$(jq -r 'select(.event == "end").table[] | select(.[0] == "to the first line")[2]' "$lab_dir/jsonl")
	if [ "$kvm" = 0 ]; then
		[[ $shown == *", emulated" ]] || same "the table, without an open /dev/kvm" emulated "$shown"
	else
		[[ $shown == *", KVM" ]] || same "the table, with /dev/kvm open" KVM "$shown"
	fi
}

# The contract answers the questions of the shortest run, which boots no virtual machine.
@test "18-container-vs-vm: what is said of a virtual machine's memory has its right answer, the others their reasons" {
	needs_vms
	command -v script >/dev/null || skip "on the host only: there is no script(1) here to make a terminal"
	question=$("$LABS/$program" --about | jq -c '.questions[1]')
	local right=0
	for n in 1 2 3; do
		TERM=xterm timeout --kill-after=5 200 script -qec "stty -echo
			'$LABS/$program' --containers 1 --vms 1 --predict --format=jsonl >'$BATS_TEST_TMPDIR/out' 2>'$BATS_TEST_TMPDIR/told'" \
			/dev/null <<<$'1\n'$n >/dev/null 2>&1 3>&-
		jq -se --argjson question "$question" --argjson n "$n" --rawfile told "$BATS_TEST_TMPDIR/told" '
			([.[] | select(.event == "prediction")] | last) as $event | $question.choices[$n - 1] as $picked
			| last.questions == 2 and $event.question == $question.name and $event.predicted == $picked.value
			and (last.score == 2 or (last.score == 1 and ($picked.misconception | length > 20)
				and ($told | contains($picked.misconception))))' "$BATS_TEST_TMPDIR/out" >/dev/null ||
			{ echo "choice $n: $(tail -n 2 "$BATS_TEST_TMPDIR/out")" && return 1; }
		right=$((right + $(jq -s 'last.score - 1' "$BATS_TEST_TMPDIR/out")))
	done
	same "right choices" 1 "$right"
}

@test "18-container-vs-vm: none outlives the lab, however that ends" {
	walk_to "containers: shells with two PIDs" --containers=3 --vms=0
	same "processes beside the containers check" 6 "$(wc -w <<<"$pids")"
	kill -KILL "$lab"
	lab_end
	all_gone $pids || same "after SIGKILL, beside containers" gone "still there"
	walk_to "containers: shells with two PIDs" --containers=3 --vms=0
	kill -TERM "$lab"
	lab_end
	same "its status after SIGTERM" 130 "$lab_status"
	all_gone $pids || same "after SIGTERM, beside containers" gone "still there"
	needs_vms
	walk_to "VMs: Pss, beside a container's" --containers=1 --vms=1
	same "processes beside the VMs check" 1 "$(wc -w <<<"$pids")"
	kill -KILL "$lab"
	lab_end
	all_gone $pids || same "after SIGKILL, beside a virtual machine" gone "still there"
	# While it boots, of which the lab says nothing.
	"$LABS/$program" --containers=1 --vms=1 >/dev/null 2>&1 3>&- &
	lab=$!
	tries=400
	until pids=$(children_of "$lab") && grep -qs "^qemu" "/proc/${pids%% *}/comm"; do
		((tries-- > 0)) || same "QEMU among its children" yes no
		sleep 0.05
	done
	kill -TERM "$lab"
	wait "$lab" || ended=$?
	same "its status after SIGTERM, while it boots" 130 "$ended"
	all_gone $pids || same "after SIGTERM, while it boots" gone "still there"
}

@test "18-container-vs-vm: what cannot boot is one named skip, and no failure" {
	copy=$BATS_TEST_TMPDIR/build
	mkdir -p "$copy/labs" "$copy/rootfs"
	cp "$LABS/$program" "$LABS/16-container" "$copy/labs"
	cp -R "$ROOT/build/rootfs/tree" "$copy/rootfs"
	run "$copy/labs/$program" --containers=1 --format=jsonl
	same "its status" 0 "$status"
	same "skipped, and checked" "1 7" "$(jq -rR 'fromjson? | select(.event == "end") | "\(.skipped) \(.checks)"' <<<"$output")"
	# Without lab 16 beside it there is no container, and that is no skip.
	rm "$copy/labs/16-container"
	run "$copy/labs/$program" --containers=1
	same "its status" 3 "$status"
	[[ $output == *16-container*ENOENT* ]] || same "what it says" "16-container: ENOENT" "$output"
}

@test "18-container-vs-vm: COMMAND runs in one fresh container" {
	in_it=$("$LABS/$program" -- sh -c "cat $boot_id; readlink /proc/self/ns/pid; echo \$\$; ls /" 2>/dev/null)
	mapfile -t line <<<"$in_it"
	same "its boot id" "$ours" "${line[0]}"
	differ "its PID namespace beside ours" "$(ns_of self pid)" "${line[1]}"
	same "its PID" 1 "${line[2]}"
	run -42 "$LABS/$program" -- sh -c 'exit 42'
	run -127 "$LABS/$program" -- no-such-command
	# One line on stderr says where it runs, and no more.
	same "lines on stderr" 1 "$("$LABS/$program" -- true 2>&1 | wc -l)"
}
