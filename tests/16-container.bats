#!/usr/bin/env bats
# 16-container: its container from outside, while the story waits; then containers with docker run's
# options, each seen from outside or by its exit status; and what must not get out of one. "# check:"
# names the lab's check whose fact is obtained here a second time.

# shellcheck disable=SC2154 # the helper's variables
load helper
program=16-container
container=$LABS/$program

# run_in OPTION... -- COMMAND...: one container; its output and status, as bats' run has them.
run_in() {
	run --separate-stderr timeout 60 "$container" "$@"
}

# held OPTION...: a container that sleeps, in the background, with its init's PID in held_pid. within: what runs it.
within=()
held() {
	"${within[@]}" "$ROOT/build/bin/supervise" "$container" "$@" -- sleep 1000 >/dev/null 2>&1 3>&- &
	held=$! held_pid=
	local tries=600
	while [ -z "$held_pid" ] && ((tries-- > 0)) && alive "$held"; do
		for held_pid in $(below "$held") ''; do
			[ -z "$held_pid" ] || [ "$(cat "/proc/$held_pid/comm" 2>/dev/null)" = sleep ] && break
		done
		[ -n "$held_pid" ] || sleep 0.05
	done
	[ -n "$held_pid" ]
}

let_go() {
	kill -KILL "$held_pid" 2>/dev/null || :
	wait "$held" || :
}

setup() {
	case $BATS_TEST_DESCRIPTION in *"wrong words"* | *"every option of docker"* | *"reaches the host"*) return 0 ;; esac # which need nothing
	needs_lab "$program"
}

teardown() {
	lab_stop
	[ -z "${held-}" ] || let_go
}

# traced_story: sets calls, the file of what strace saw of a whole story. It is made once, by the first test that asks.
traced_story() {
	calls=$BATS_FILE_TMPDIR/calls
	[ ! -s "$calls" ] || return 0
	strace -f -qq -s 200 -e trace=clone3,exit_group,mount,kill,pidfd_send_signal,?rmdir,unlinkat,openat,read,write,mmap \
		-o "$BATS_FILE_TMPDIR/raw" "$container" >/dev/null 2>&1 3>&- || :
	joined "$BATS_FILE_TMPDIR/raw" >"$calls"
	[ -s "$calls" ]
}

@test "16-container: two by two: four children, two with namespaces, two in a group, the two in the group killed" {
	# check: nothing: it sees
	# check: nothing: it gets
	# check: namespaces: it sees
	# check: namespaces: it gets
	# check: group: its memory.max
	# check: group: it sees
	# check: group: it gets
	# check: both: its memory.max
	# check: both: it sees
	# check: both: it gets
	traced_story
	mapfile -t born < <(grep -E '^[0-9]+ +clone3\(' "$calls" | head -n 4)
	same "children" 4 "${#born[@]}"
	local parent=${born[0]%% *}
	mapfile -t pids < <(printf '%s\n' "${born[@]}" | sed -n 's/.*= \([0-9]*\)$/\1/p')
	[[ ${born[0]} != *CLONE_NEW* && ${born[0]} != *CGROUP* ]]
	[[ ${born[1]} == *CLONE_NEWNS* && ${born[1]} == *CLONE_NEWPID* && ${born[1]} == *CLONE_NEWNET* && ${born[1]} != *CGROUP* ]]
	[[ ${born[2]} != *CLONE_NEW* && ${born[2]} == *CLONE_INTO_CGROUP* ]]
	[[ ${born[3]} == *CLONE_NEWPID* && ${born[3]} == *CLONE_INTO_CGROUP* ]]
	# What each said of /proc went through a pipe, and how each ended is strace's to tell.
	for i in 0 1 2 3; do
		said=$(grep -E "^${pids[i]} +write\(" "$calls")
		case $i in 0 | 2) [[ $said == *'"all"'* ]] ;; *) [[ $said == *'"its own"'* ]] ;; esac
		end=$(grep -E "^${pids[i]} +(\+\+\+ killed by SIGKILL|exit_group\(0\))" "$calls")
		case $i in 0 | 1) [[ $end == *'exit_group(0)'* ]] ;; *) [[ $end == *SIGKILL* ]] ;; esac
		grep -qE "^${pids[i]} +mmap\(NULL, 67108864," "$calls"
	done
	grep -qE "^$parent +openat\(.*/group/memory.max\", O_WRONLY" "$calls"
	grep -qE "^$parent +openat\(.*/both/memory.max\", O_WRONLY" "$calls"
}

@test "16-container: a container from outside: six namespaces, a group, a filter, fourteen capabilities" {
	lab_at "inspect: its net namespace" "$container"
	local web=$lab_pid name id
	group=$(group_of "$web")
	# check: web: the host's own in it
	# check: web: namespaces of its own
	for name in mnt pid ipc uts net cgroup; do
		differ "its $name namespace beside ours" "$(ns_of self $name)" "$(ns_of "$web" $name)"
	done
	# check: web: its PID outside, inside
	same "its two PIDs" "$web 1" "$(status_of "$web" NSpid)"
	# check: the bridge's namespace
	differ "the bridge's namespace beside ours" "$(ns_of self net)" "$(ns_of "$lab" net)"
	differ "and beside the container's" "$(ns_of "$web" net)" "$(ns_of "$lab" net)"
	same "cables at the bridge" 1 "$(nsenter --target="$lab" --net ip -o link show master br0 | wc -l)"
	# check: web: the one process of its group
	same "the processes of its group" "$web" "$(value "$group/cgroup.procs")"
	# check: web: memory.max
	same "its limits of memory and swap" "33554432 0" "$(value "$group/memory.max") $(value "$group/memory.swap.max")"
	# check: web: CapBnd
	same "its bounding set: 14 capabilities of Docker's default" 00000000a80425fb "$(status_of "$web" CapBnd)"
	# check: web: Seccomp, 2 is a filter
	same "its filter, no_new_privs" "2 0" "$(status_of "$web" Seccomp) $(status_of "$web" NoNewPrivs)"
	# check: web: its root, an overlay of
	same "its root" overlay "$(awk '$5 == "/" { print $(NF - 2) }' "/proc/$web/mountinfo" | xargs)"
	# check: web: its hostname
	id=$(sed -n '1s/.* - overlay lab16:web:\([0-9a-f]\{64\}\) .*/\1/p' "/proc/$web/mountinfo")
	[ -n "$id" ]
	same "its hostname, the beginning of its id" "${id:0:12}" "$(nsenter --target="$web" --uts hostname)"
	# check: web: cpu.max
	same "--cpus 1.5" "150000 100000" "$(value "$group/cpu.max")"
	# check: inspect: State.Pid
	# check: inspect: Memory
	# check: inspect: NanoCpus
	# check: inspect: its net namespace
	same "what inspect reports" "$web 33554432 1500000000 $(ns_of "$web" net)" "$("$container" inspect web |
		jq -r '.[0] | "\(.State.Pid) \(.HostConfig.Memory) \(.HostConfig.NanoCpus) net:[\(.Namespaces.net)]"')"
}

@test "16-container: a second one is killed, its group goes, and the first does not notice" {
	lab_at "web: it has not noticed" "$container"
	local web=$lab_pid eater
	group=$(group_of "$web")
	# check: eater: its group, after rmdir
	# check: web: it has not noticed
	same "groups of containers, after the kill" "$group" \
		"$(find "${group%/*}" -mindepth 1 -maxdepth 1 -type d | grep -E '/[0-9a-f]{64}$')"
	alive "$web"
	# check: web: 128 + SIGKILL
	lab_end
	same "the first one, after the lab" gone "$(alive "$web" && echo runs || echo gone)"
	[ ! -e "$group" ]
	same "the lab's status" 0 "$lab_status"

	traced_story
	# check: eater: 128 + SIGKILL
	mapfile -t born < <(grep -E '^[0-9]+ +clone3\(.*CLONE_NEWNET.*CLONE_INTO_CGROUP' "$calls")
	same "in all namespaces and a group: a trial, and two containers" 3 "${#born[@]}"
	eater=$(sed -n 's/.*= \([0-9]*\)$/\1/p' <<<"${born[2]}")
	# check: eater: its namespaces
	grep -qE "^$eater +\+\+\+ killed by SIGKILL" "$calls"
	# The only SIGKILL that a process sends is for the first container, and it comes later.
	same "who was sent a SIGKILL" "1 0" "$(grep -cE ' pidfd_send_signal\(.*SIGKILL' "$calls") $(grep -cE " kill\($eater," "$calls" || :)"
	same "the first of the two ends" "$eater" "$(grep -E "^$eater +\+\+\+ killed| pidfd_send_signal\(.*SIGKILL" "$calls" | sed 's/ .*//; q')"
	grep -qE 'pidfd_send_signal\([0-9]+, SIGKILL, NULL, 0\) += 0' "$calls"
	# check: eater: memory.events, oom_kill
	grep -A 3 -E 'openat\(.*/[0-9a-f]{64}/memory\.events"' "$calls" | grep -qE ' read\([0-9]+, "low [^"]*oom_kill 1\\n'
	# At its end the lab removes what is left. Both groups have gone before that, when it looks for them.
	# check: web: its group, after rmdir
	# On arm64 there is one call for both.
	same "groups of the two removed when it looks for the first one's" 2 "$(awk '/ (rmdir\(|unlinkat\(AT_FDCWD, )".*\/[0-9a-f]+"(, AT_REMOVEDIR)?\) += 0/ { gone++ }
		/ write\(.*web: its group, after rmdir/ { print gone + 0; exit }' "$calls")"
}

@test "16-container: the equal floor of make bench makes the same mounts, devices, privileges, network and limits" {
	[ -n "${LAB_GROUP-}" ] || LAB_GROUP=$("$ROOT/build/bin/supervise" sh -c 'echo "$LAB_GROUP"')
	[ -d "${LAB_GROUP-}" ] || skip "no group of cgroup v2 is ours"
	[ "$LAB_GROUP" = /sys/fs/cgroup ] || echo "+cpu +memory +pids" >"$LAB_GROUP/cgroup.subtree_control"
	# What a process sees of itself, but for the overlay's name and its layers' paths.
	# shellcheck disable=SC2016 # that shell expands it
	local says='cut -d" " -f4- /proc/self/mountinfo | sed "s/ overlay .*//"
		grep -E "^(Cap|NoNew|Seccomp:|Uid|Gid|Groups|Umask)" /proc/self/status; ls -ln /dev | cut -c1-34
		ip address | grep inet; ip route; cd /proc/self; cat cgroup oom_score_adj limits
		cat /sys/fs/cgroup/*.max /proc/sys/net/ipv4/ping_group_range'
	run_in --memory 64m --cpus 0.5 --pids-limit 100 -- sh -c "$says"
	[ "$status" = 0 ]
	[ "${#lines[@]}" -gt 60 ]
	local made=$output
	run --separate-stderr timeout 60 "$ROOT/build/bin/floor-container" veth "group=$LAB_GROUP" -- \
		"$ROOT/build/rootfs/tree" /bin/sh -c "$says"
	[ "$status" = 0 ]
	same "floor" "$made" "$output"
}

@test "16-container: exit statuses are Docker's: COMMAND's, 137 with the witness, 126, 127, 125, 128 + n" {
	run_in --memory 32m -- eat 64M
	same "twice its limit" 137 "$status"
	[[ $stderr == *"OOM"*"oom_kill 1"*"memory.max is 33554432"* ]]
	run_in --memory 128m -- eat 64M
	same "half of its limit" 0 "$status"
	[[ $stderr != *OOM* ]]
	run_in -- sh -c 'exit 42'
	same "COMMAND's own" 42 "$status"
	run_in -- /etc/passwd
	same "no program" 126 "$status"
	run -127 --separate-stderr "$container" -- nosuch
	run_in --init -- sh -c 'kill -TERM $$' # a PID 1 would not die of it
	same "128 + SIGTERM, through init" 143 "$status"
	run_in --ip 172.17.0.9 --name first -- true
	same "an address" 0 "$status"
	held --ip 172.17.0.9
	run_in --ip 172.17.0.9 -- true
	same "an address that is taken" 125 "$status"
	[[ $stderr == *"another container's"* ]]
}

@test "16-container: each in a scope of its own, as systemd-run --scope makes one, two are at one bridge" {
	in_vm || skip "in the lab VM only: it makes scopes without systemd; where systemd is, the test before this one has two"
	local one=/sys/fs/cgroup/one.scope two=/sys/fs/cgroup/two.scope
	mkdir "$one" "$two"
	in_group() { bash -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$@"; }
	within=(in_group "$one")
	held --ip 172.17.0.9
	in_two() { run --separate-stderr in_group "$two" timeout 60 "$container" "$@"; }
	in_two -- ping -c 1 -W 10 172.17.0.9
	same "ping" 0 "$status"
	in_two --ip 172.17.0.9 -- true
	same "an address that is taken" 125 "$status"
	# Who owns a scope can give the groups in it any names.
	chown 1000 "$one"
	in_two --ip 172.17.0.9 -- true
	same "beside another user's scope" 0 "$status"
	let_go
	held=
	rmdir "$one" "$two"
}

@test "16-container: --cpus 0.25 is a quarter of a CPU, --pids-limit 32 holds a fork bomb" {
	held --cpus 0.25 --name quarter
	group=$(group_of "$held_pid")
	same "cpu.max" "25000 100000" "$(value "$group/cpu.max")"
	# By the kernel's periods, which pass only while something in the group wants to run: to start it takes time, too.
	for try in first second; do # with one repeat, as every share of time has
		before=$(value "$group/cpu.stat" usage_usec) periods=$(value "$group/cpu.stat" nr_periods)
		"$container" exec quarter -- spin 3 >/dev/null 2>&1 3>&-
		used=$(($(value "$group/cpu.stat" usage_usec) - before)) periods=$(($(value "$group/cpu.stat" nr_periods) - periods))
		throttled=$(value "$group/cpu.stat" nr_throttled)
		differ "periods" 0 "$periods"
		if within "microseconds of CPU per period of 100000" 21250 28750 $((used / periods)); then break; fi
		[ "$try" = first ]
	done
	differ "periods in which it was throttled" 0 "$throttled"
	let_go

	run_in --pids-limit 32 -- forks 100
	same "a hundred at once" 1 "$status"
	held --pids-limit 32 --name bomb
	group=$(group_of "$held_pid")
	same "pids.max" 32 "$(value "$group/pids.max")"
	"$container" exec bomb -- sh -c 'bomb() { bomb | bomb & }; bomb' >/dev/null 2>&1 3>&- || :
	for ((tries = 200; tries > 0; tries--)); do
		[ "$(value "$group/pids.events" max)" = 0 ] || break
		sleep 0.05
	done
	differ "forks that were refused" 0 "$(value "$group/pids.events" max)"
	within "its tasks" 1 33 "$(value "$group/pids.current")"
	"$container" kill bomb
	wait "$held" || result=$?
	same "status after kill" 137 "$result"
	[ ! -e "$group" ]
	held=
}

@test "16-container: no way to the host by --init's program, a link of the image's, or what is mounted below :ro" {
	mode=$(stat -c %a "$container")
	run_in --init -- chmod 4711 /proc/1/exe
	same "chmod of PID 1's program" 1 "$status"
	same "the mode of ours" "$mode" "$(stat -c %a "$container")"
	mkdir -p "$BATS_TEST_TMPDIR/image" "$BATS_TEST_TMPDIR/below" "$BATS_TEST_TMPDIR/data/sub"
	cp -R "$ROOT/build/rootfs/tree/bin" "$BATS_TEST_TMPDIR/image"
	ln -s "$BATS_TEST_TMPDIR/below" "$BATS_TEST_TMPDIR/image/dev"
	run_in --rootfs "$BATS_TEST_TMPDIR/image" -- true
	[[ $status = 125 && $stderr == *"dev in the image is no folder"* ]]
	same "where that link leads" "" "$(ls "$BATS_TEST_TMPDIR/below")"
	rm "$BATS_TEST_TMPDIR/image/dev"
	run_in --rootfs "$BATS_TEST_TMPDIR/image" -- ls /dev/null /proc/self/exe
	same "an image without dev and proc" 0 "$status"
	# shellcheck disable=SC2016 # that shell expands it
	run unshare --mount sh -c 'mount -t tmpfs below "$0/sub" && "$1" -v "$0:/data:ro" -- touch /data/sub/file' "$BATS_TEST_TMPDIR/data" "$container"
	[[ $status = 1 && $output == *"Read-only file system"* ]]
	# The one below another comes after it, whichever was named first.
	touch "$BATS_TEST_TMPDIR/below/file"
	run_in -v "$BATS_TEST_TMPDIR/below:/data/sub" -v "$BATS_TEST_TMPDIR/data:/data" -- ls /data/sub
	same "what lies below" file "$output"
}

@test "16-container: of what is the host's nothing can be changed by a mount that was not asked for" {
	no_hold timeout 60 "$container" --
	no_hold timeout 60 "$container" --cap-add ALL --network none --
	[ "$EUID" != 0 ] || no_hold setpriv --reuid 1000 --regid 1000 --clear-groups "$container" --network none --cgroups=disabled --
}

@test "16-container: a standard descriptor that is closed stays closed, and is no file of the lab's" {
	local number
	for number in 0 1 2; do
		# shellcheck disable=SC2016 # that shell expands it
		run timeout 60 bash -c 'exec "$0" "${@:2}" '$number'>&-' "$container" - --network none -- sh -c ": 9<&$number"
		differ "status of who duplicates descriptor $number" 0 "$status"
		[ "$status" -lt 124 ]
		run timeout 60 "$container" --network none -- sh -c ": 9<&$number"
		same "status where it is open" 0 "$status"
	done
}

@test "16-container: the story is as predicted with other capabilities, an address and a limit of one's own" {
	run_in --cap-drop NET_RAW --cap-add SYS_TIME --ip 172.17.0.77 --memory 20M --format=jsonl
	same "its status" 0 "$status"
}

@test "16-container: each option is what --explain says, by strace of a real run" {
	mkdir "$BATS_TEST_TMPDIR/volume" "$BATS_TEST_TMPDIR/keep"
	options=(--memory 64m --cpus 0.5 --pids-limit 30 --name web --hostname web.example --ip 172.17.0.9
		--tmpfs /run:size=1m --tmpfs /tmp/x -v "$BATS_TEST_TMPDIR/volume:/data:ro" -v "$BATS_TEST_TMPDIR/volume:/rw"
		--keep "$BATS_TEST_TMPDIR/keep" --rootfs "$ROOT/build/rootfs/tree" --read-only -e A=1 -e HOME -w /data
		--cap-add NET_ADMIN --cap-add sys_time --cap-drop chown --cap-drop CAP_KILL --init
		--memory-reservation 8m --cpu-shares 512 --cpuset-cpus 0 --ulimit nofile=100:200 --oom-score-adj 10
		--tmpfs "/y:ro,exec,shared" --security-opt no-new-privileges)
	more=(--cgroups=disabled --network none --user student:100 --security-opt seccomp=unconfined)
	host=(--memory 64m --memory-swap 64m --cpu-quota 50000 --cpu-period 60000 --network host --ipc host --uts host --pid host
		--privileged --cap-drop CHOWN --rm)
	caps=(--network none --cap-add ALL --cap-drop MKNOD --cap-drop net_admin)
	for set in options more caps host; do
		[ $set != host ] || in_vm || continue # what reaches the host is for the lab VM
		declare -n words=$set
		"$container" "${words[@]}" --explain -- true >"$BATS_TEST_TMPDIR/lines"
		for word in "${words[@]}"; do # each option that was given has a line
			[[ $word != --* ]] || grep -q -- "^${word%%=*} " "$BATS_TEST_TMPDIR/lines" || {
				echo "no line for $word"
				return 1
			}
		done
		trace_calls "$BATS_TEST_TMPDIR/calls" "$container" "${words[@]}" -- true
		matched=$(explained "$BATS_TEST_TMPDIR/lines" "$BATS_TEST_TMPDIR/calls" 26)
		within "lines that are calls" 9 100 "$matched"
	done
}

@test "16-container: a line of docker run's with busybox works behind scripts/lab 16" {
	lab=$ROOT/scripts/lab
	# shellcheck disable=SC2016 # that shell expands it
	run --separate-stderr "$lab" 16 --rm docker.io/library/busybox:1.36 sh -c 'printf "%s|" "$@" "$HOSTNAME"' sh 'a  b' --help -- ''
	[[ $status = 0 && $output == 'a  b|--help|--||'[0-9a-f]*'|' ]]
	# shellcheck disable=SC2016 # that shell expands it
	run --separate-stderr "$lab" 16 --net=none -m64m -eA=1 busybox <<<'echo $A from sh; ip -o link | wc -l'
	same "without a program" "1 from sh 1" "$(xargs <<<"$output")"
	run "$lab" 16 nginx:alpine
	[[ $status = 2 && $output == *"--image nginx=DIR"*"build/rootfs/tree"* ]]
	cp -r "$ROOT/build/rootfs/tree" "$BATS_TEST_TMPDIR/image"
	echo mine >"$BATS_TEST_TMPDIR/image/etc/mine"
	run --separate-stderr "$lab" 16 --image other="$BATS_TEST_TMPDIR/image" --image nginx="$BATS_TEST_TMPDIR/image" nginx:alpine cat /etc/mine
	same "another image" mine "$output"

	id=$("$lab" 16 -d --name web busybox sleep 1000 2>/dev/null)
	[[ $id =~ ^[0-9a-f]{64}$ ]]
	held_pid=$("$container" inspect "${id:0:12}" | jq '.[0].State.Pid')
	same "who has that id" "sleep lab16:web:$id" "$(cat "/proc/$held_pid/comm") $(awk '$5 == "/" { print $(NF - 1) }' "/proc/$held_pid/mountinfo")"
	group=$(group_of "$held_pid")
	# Another lab that ends does not take it along.
	same "by exec" "sleep" "$("$lab" 16 exec web cat /proc/1/comm 2>/dev/null)"
	[[ $("$lab" 16 ps 2>/dev/null) == *"${id:0:12}"*web* ]]
	"$lab" 16 kill "${id:0:12}"
	for ((tries = 200; tries > 0; tries--)); do
		[ -e "$group" ] || break
		sleep 0.05
	done
	[ ! -e "$group" ]
	run -127 --separate-stderr "$lab" 16 -d busybox nosuch
	[[ $output != *[0-9a-f]* && $stderr == *nosuch* ]]
	id=$("$lab" 16 -dit busybox 2>/dev/null) # its shell reads a terminal, and goes on
	held_pid=$("$container" inspect "$id" | jq '.[0].State.Pid')
	same "its standard input" /dev/pts/0 "$(readlink "/proc/$held_pid/fd/0")"
	"$lab" 16 kill "$id"
}

@test "16-container: docker's limits are files of the container's group" {
	held --memory 64m --memory-swap 96m --memory-reservation 32m --cpu-shares 1024 --cpu-quota 50000 --cpu-period 200000 \
		--cpuset-cpus 0 --pids-limit 50
	group=$(group_of "$held_pid")
	while read -r file expected; do
		same "$file" "$expected" "$(value "$group/$file")"
	done <<-'LIMITS'
		memory.max 67108864
		memory.swap.max 33554432
		memory.low 33554432
		cpu.weight 39
		cpu.max 50000 200000
		cpuset.cpus 0
		pids.max 50
	LIMITS
	let_go
	held --memory 64m --memory-swap -1 --cpu-shares 2 --cpu-period 50000 --pids-limit -1
	group=$(group_of "$held_pid")
	same "what is not limited, and the least weight" "max max 50000 max 1" \
		"$(value "$group/memory.swap.max") $(value "$group/cpu.max") $(value "$group/pids.max") $(value "$group/cpu.weight")"
	let_go
	held --cpus .3333
	same "--cpus .3333" "33330 100000" "$(value "$(group_of "$held_pid")/cpu.max")"
	let_go
	held --memory 0 --memory-swap 0 --memory-reservation 0 --cpus 0 --cpu-quota 0 --cpu-period 0 --cpu-shares 0 --pids-limit 0
	group=$(group_of "$held_pid")
	same "limits of 0" "max max 0 max 100000 100 max" "$(for file in memory.max memory.swap.max memory.low cpu.max cpu.weight pids.max; do
		value "$group/$file" && echo
	done | xargs)"
}

@test "16-container: --ulimit, --oom-score-adj and --security-opt are in the process's own files" {
	held --ulimit nofile=1024:2048 --ulimit core=0 --oom-score-adj 300 --security-opt no-new-privileges --security-opt seccomp=unconfined
	same "RLIMIT_NOFILE" "1024 2048" "$(awk '/^Max open files/ { print $4, $5 }' "/proc/$held_pid/limits")"
	same "RLIMIT_CORE" "0 0" "$(awk '/^Max core file size/ { print $5, $6 }' "/proc/$held_pid/limits")"
	same "oom_score_adj" 300 "$(<"/proc/$held_pid/oom_score_adj")"
	same "no_new_privs, filter" "1 0" "$(status_of "$held_pid" NoNewPrivs) $(status_of "$held_pid" Seccomp)"
	let_go
	held --security-opt no-new-privileges=false --security-opt apparmor=unconfined
	same "no_new_privs, filter by default" "0 2" "$(status_of "$held_pid" NoNewPrivs) $(status_of "$held_pid" Seccomp)"
	same "oom_score_adj by default" "$(</proc/self/oom_score_adj)" "$(<"/proc/$held_pid/oom_score_adj")"
}

@test "16-container: --network, --ipc, --uts and --pid host: that namespace is the host's, and no other" {
	in_vm || skip "in the lab VM only"
	local kind other before
	before="$(hostname) $(ip -o link show lo)"
	for kind in net ipc uts pid; do
		held "--${kind/net/network}" host
		for other in mnt cgroup net ipc uts pid; do
			if [ $other = $kind ]; then
				same "its $other namespace with --$kind host" "$(ns_of self $other)" "$(ns_of "$held_pid" $other)"
			else
				differ "its $other namespace with --$kind host" "$(ns_of self $other)" "$(ns_of "$held_pid" $other)"
			fi
		done
		let_go
	done
	same "hostname and link of the host" "$before" "$(hostname) $(ip -o link show lo)"
	# What COMMAND has started ends with it all the same.
	run_in --pid host busybox sh -c 'sleep 4711 & echo $!'
	[[ $output =~ ^[0-9]+$ ]]
	same "a process that it left" gone "$(alive "$output" && echo runs || echo gone)"
	run_in --ipc host -v "$BATS_TEST_TMPDIR:/data" busybox sh -c ': >/dev/shm/lab16-of-the-container'
	[ -e /dev/shm/lab16-of-the-container ]
	rm /dev/shm/lab16-of-the-container
}

@test "16-container: --privileged: all capabilities, no filter, nothing masked, every device" {
	in_vm || skip "in the lab VM only"
	held --privileged
	same "its capabilities" "$(status_of self CapBnd)" "$(status_of "$held_pid" CapEff)"
	same "its filter" 0 "$(status_of "$held_pid" Seccomp)"
	same "what is read-only or masked" "" "$(awk '$5 ~ "^/(proc|sys)" && ($6 ~ /^ro/ || $5 ~ "^/proc/.")' "/proc/$held_pid/mountinfo")"
	let_go
	held --privileged --cap-drop ALL --cap-drop MKNOD
	same "its capabilities with --cap-drop" "$(status_of self CapBnd)" "$(status_of "$held_pid" CapEff)"
	let_go
	same "--explain of both" "nothing: --privileged leaves them all" \
		"$("$container" --privileged --cap-drop MKNOD --explain -- true | sed -n 's/^--cap-drop MKNOD *//p')"
	for option in --privileged --cap-add=ALL; do
		run_in $option busybox sh -c 'mknod /disk b 240 0; head -c 1 /disk 2>&1'
		if [ $option = --privileged ]; then [[ $output == *"No such device"* ]]; else [[ $output == *"not permitted"* ]]; fi
	done
	for option in --privileged --pid=host --network=host; do
		run setpriv --reuid 1000 --regid 1000 --clear-groups "$container" $option busybox true
		[[ $status = 77 && $output == *"root of this machine"* ]]
	done
	# An exec may do no more than the container, and no less.
	held --privileged --name all
	same "filter of an exec" 0 "$("$container" exec all awk '$1 == "Seccomp:" { print $2 }' /proc/self/status 2>/dev/null)"
}

@test "16-container: --cap-add ALL leaves all but what --cap-drop names, and --cap-drop ALL what --cap-add names" {
	local all mknod=$((1 << 27)) set told
	all=$((0x$(status_of self CapBnd)))
	while IFS='|' read -r options set told; do
		read -ra words <<<"$options"
		run_in "${words[@]}" --network none -- grep -E 'Cap(Bnd|Eff)' /proc/self/status
		same "$options" "CapEff: $(printf %016x "$set") CapBnd: $(printf %016x "$set")" "$(xargs <<<"$output")"
		run --separate-stderr "$container" "${words[@]}" --explain -- true
		same "--explain of $options" "$told" "$(grep -e '^--cap-drop' <<<"$output" | sed 's/^--cap-drop [^ ]* *//' | uniq | xargs -d '\n')"
	done <<-SETS
		--cap-add ALL --cap-drop MKNOD|$((all & ~mknod))|prctl(PR_CAPBSET_DROP, CAP_MKNOD)
		--cap-drop mknod --cap-add all --cap-drop ALL|$((all & ~mknod))|prctl(PR_CAPBSET_DROP, CAP_MKNOD) nothing: --cap-add counts after it
		--cap-drop CHOWN --cap-add CAP_CHOWN|$((0xa80425fb & all))|nothing: --cap-add counts after it
		--cap-drop NET_ADMIN|$((0xa80425fb & all))|nothing: no container has it by default
		--cap-add MKNOD|$((0xa80425fb & all))|
	SETS
	run_in --cap-drop ALL --cap-add CHOWN --cap-add SYS_TIME --network none -- grep CapBnd /proc/self/status
	same "--cap-drop ALL" "CapBnd: $(printf %016x $((all & (1 << 25 | 1))))" "$(xargs <<<"$output")"
}

@test "16-container: what reaches the host is for the lab VM, or for WHERE=host" {
	host_only "that is asked of a machine which is none"
	for option in --privileged --pid=host --network=host --ipc=host --uts=host; do
		run env -u WHERE "$container" "$option" --can-run busybox true
		[[ $status = 77 && $output == *"WHERE=host"* ]]
	done
}

@test "16-container: docker's words for a tmpfs are flags of mount, and the rest its size and mode" {
	run_in --tmpfs /a:rw,noexec,nosuid,size=16m --tmpfs /b:exec,suid,dev,mode=700,uid=1000 --tmpfs /c:ro,noatime,sync,shared \
		--tmpfs /d busybox cat /proc/self/mountinfo
	of() { awk -v at="$1" '$5 == at { print $6, $7 ~ /shared/ ? "shared" : "-", $NF }' <<<"$output"; }
	same "/a" "rw,nosuid,nodev,noexec,relatime - rw,size=16384k" "$(of /a | sed 's/,inode64//')"
	same "/b" "rw,relatime - rw,mode=700,uid=1000" "$(of /b | sed 's/,inode64//')"
	same "/c" "ro,nosuid,nodev,noexec,noatime shared ro,sync" "$(of /c | sed 's/,inode64//; s/ ro$/ ro,sync/')"
	same "/d" "rw,nosuid,nodev,noexec,relatime - rw" "$(of /d | sed 's/,inode64//')"
}

@test "16-container: -u takes a name from the image's passwd, and never from the host's" {
	run_in -u student busybox sh -c 'echo $(id -u) $(id -g) $HOME'
	same "a name" "1000 1000 /home/student" "$output"
	run_in -u 1000:nogroup busybox sh -c 'id -u; id -g'
	same "a number and a group's name" "1000 $(awk -F: '$1 == "nogroup" { print $3 }' "$ROOT/build/rootfs/tree/etc/group")" "$(xargs <<<"$output")"
	run_in -u 1000620000:2147483647 busybox sh -c 'echo $(id -u) $(id -g) $HOME; touch /tmp/x && stat -c "%u %g" /tmp/x'
	same "numbers beyond 16 bits" "1000620000 2147483647 / 1000620000 2147483647" "$(xargs <<<"$output")"
	# In a user namespace such a number is nobody's.
	for user in 1000620000 0:5; do
		run unshare --user --map-root-user "$container" -u $user busybox true
		[[ $status = 77 && $output == "$program: --user: "*"maps the id 0 alone, and ${user/%20000/20000:0} needs root"* && $output != *$'\n'* ]]
	done
	run setpriv --reuid 1000 --regid 1000 --clear-groups "$container" -u 1000620000 busybox true
	[[ $status = 77 && $output == *"maps the id 0 alone"* ]]
	cp -r "$ROOT/build/rootfs/tree" "$BATS_TEST_TMPDIR/image"
	echo "big:x:1000620000:1000620001::/big:" >"$BATS_TEST_TMPDIR/image/etc/passwd"
	run_in --rootfs "$BATS_TEST_TMPDIR/image" -u big -- sh -c 'echo $(id -u) $(id -g) $HOME'
	same "such a name" "1000620000 1000620001 /big" "$output"
	echo intruder:x:7:7::/: >"$BATS_TEST_TMPDIR/passwd"
	ln -sf "$BATS_TEST_TMPDIR/passwd" "$BATS_TEST_TMPDIR/image/etc/passwd"
	run_in --rootfs "$BATS_TEST_TMPDIR/image" -u intruder -- id -u
	same "status of a name by a link to the host" 2 "$status"
	rm "$BATS_TEST_TMPDIR/image/etc/passwd"
	mkfifo "$BATS_TEST_TMPDIR/image/etc/passwd"
	run_in --rootfs "$BATS_TEST_TMPDIR/image" -u intruder -- id -u
	same "status where passwd is a FIFO" 2 "$status"
}

@test "16-container: as in docker, any user may bind port 80, and make sockets for ping" {
	for network in bridge none; do
		held --network $network -u 1000
		same "sysctls, --network $network" "0 0 2147483647" \
			"$(nsenter --target="$held_pid" --net cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/net/ipv4/ping_group_range | xargs)"
		let_go
	done
	run_in -u 1000 --cap-drop ALL busybox sh -c 'httpd -p 80 && cat /proc/net/tcp /proc/net/tcp6'
	[[ $status = 0 && $output == *":0050 "*" 0A "*" 1000 "* ]]
}

@test "16-container: every option of docker run is run, or refused and explained by a line of its own" {
	host_only "the program is the same in both places"
	local option flag
	wrong=()
	runs=" $("$container" --about | jq -r '.options[].name' | xargs) "
	# docker run --help, version 28. A star: it takes no value.
	for option in add-host annotation attach blkio-weight blkio-weight-device cap-add cap-drop cgroup-parent cgroupns cidfile \
		cpu-period cpu-quota cpu-rt-period cpu-rt-runtime cpu-shares cpus cpuset-cpus cpuset-mems detach\* detach-keys device \
		device-cgroup-rule device-read-bps device-read-iops device-write-bps device-write-iops disable-content-trust\* dns \
		dns-option dns-search domainname entrypoint env env-file expose gpus group-add health-cmd health-interval \
		health-retries health-start-interval health-start-period health-timeout help\* hostname init\* interactive\* ip ip6 ipc \
		isolation kernel-memory label label-file link link-local-ip log-driver log-opt mac-address memory \
		memory-reservation memory-swap memory-swappiness mount name network network-alias no-healthcheck\* \
		oom-kill-disable\* oom-score-adj pid pids-limit platform privileged\* publish publish-all\* pull quiet\* read-only\* \
		restart rm\* runtime security-opt shm-size sig-proxy\* stop-signal stop-timeout storage-opt sysctl tmpfs tty\* \
		ulimit use-api-socket\* user userns uts volume volume-driver volumes-from workdir net-alias dns-opt; do
		flag=${option##*[^*]} option=${option%\*}
		[[ $option != help && $runs != *" $option "* ]] || continue
		words=("--$option")
		[ -n "$flag" ] || words+=(value)
		run "$container" "${words[@]}" busybox true
		[[ $status = 2 && $output == *"--${option/%net-alias/network-alias}"*": not run here: "?????* && $output != *$'\n'* ]] ||
			[ "$option" = dns-opt ] || wrong+=("$option: status $status: $output")
		run "$container" "${words[@]}" --explain busybox true
		[[ $status = 0 && $output == *"${words[*]} "*"nothing here: "* ]] || wrong+=("--explain of $option: status $status: $output")
	done
	for words in "-p 80:80" "-dp 80:80" "-P" "-l a=b" "-q"; do
		# shellcheck disable=SC2086 # words
		run "$container" $words busybox true
		[[ $status = 2 && $output == *": not run here: "* ]] || wrong+=("$words: status $status: $output")
	done
	# Values of options that are run with others; a reason for each.
	while read -r typed reason; do
		for words in "$typed" "--$typed"; do
			[[ $words == --* ]] || words="--${typed%%=*} ${typed#*=}"
			# shellcheck disable=SC2086 # words
			run "$container" $words busybox true
			[[ $status = 2 && $output == "$program: --${typed/=/ }: expected one of: "*"; not run here: "*"$reason"* && $output != *$'\n'* ]] ||
				wrong+=("$words: status $status: $output")
			# shellcheck disable=SC2086 # words
			run "$container" $words --explain busybox true
			[[ $status = 0 && $output == *"--${typed/=/ } "*"nothing here: "*"$reason"* ]] || wrong+=("--explain of $words: status $status: $output")
		done
	done <<-'VALUES'
		network=container:web another container's namespace, setns(2); lab 17
		pid=container:web another container's namespace
		ipc=container:web another container's namespace
		uts=container:web another container's namespace
		ipc=shareable others may join it
		ipc=none without a tmpfs on /dev/shm
		network=mynet a network that docker network create makes
	VALUES
	run "$ROOT/scripts/lab" 16 --network container:web --explain busybox true
	[[ $status = 0 && $output == *"nothing here: another container's"* ]] || wrong+=("by scripts/lab: status $status: $output")
	# Nothing is run: no terminal is needed. Sizes and modes are as docker takes them.
	run "$container" --explain -it -m 1.5g --tmpfs /x:mode=01777 busybox sh </dev/null
	[[ $status = 0 && $output == *"memory.max <- 1610612736"*'"mode=01777"'*TIOCSCTTY* ]] || wrong+=("-it: status $status: $output")
	# 0 is as without the option, and a quota is rounded down to microseconds.
	words="--memory 0 --memory-swap 0 --memory-reservation 0m --cpus 0.0 --cpu-quota 0 --cpu-period 0 --cpu-shares 0 --pids-limit 0"
	# shellcheck disable=SC2086 # words
	run "$container" $words --explain busybox true
	[[ $status = 0 && $(grep -cE '^--[a-z-]+ 0[.0m]* +nothing: 0 is as without it$' <<<"$output") = 8 && $output != *"<- "*max* ]] ||
		wrong+=("$words: status $status: $output")
	while read -r typed line; do
		run "$container" "$typed" --explain busybox true
		[[ $status = 0 && $output == *"$line"* ]] || wrong+=("$typed: status $status: $output")
	done <<-'LINES'
		--cpus=0.3333 cpu.max <- 33330 100000
		--cpus=0.333333333 cpu.max <- 33333 100000
		--cpus=.019999999 cpu.max <- 1999 100000
		--cpu-shares=1024 cpu.weight <- 39 (newer runtimes: 100)
		--cpu-shares=2 cpu.weight <- 1 (newer runtimes: 1)
		--cpu-shares=262144 cpu.weight <- 10000 (newer runtimes: 10000)
		--ip=172.17.0.9 docker has --ip on networks of docker network create alone
		--user=1000620000:2147483647 setresuid(1000620000, 1000620000, 1000620000)
	LINES
	while read -r typed nearest; do
		run "$container" "--$typed" busybox
		[[ $status = 2 && $output == *"--$typed"*"expected --$nearest,"* ]] || wrong+=("$typed: $output")
	done <<-'NEAREST'
		memroy memory
		pubish publish
		cap-ad cap-add
		tempfs tmpfs
		privilege privileged
		oom-score oom-score-adj
	NEAREST
	run "$container" --xyzzy busybox
	[[ $status = 2 && $output == *"--xyzzy"*expected*--help* ]] || wrong+=("xyzzy: $output")
	[ ${#wrong[@]} = 0 ] || {
		printf '%s\n' "${wrong[@]}"
		return 1
	}
}

@test "16-container: ps, inspect, stats and exec tell what the kernel has" {
	held --name web --memory 64m --cpus 1.5 --pids-limit 20
	group=$(group_of "$held_pid")
	id=$(sed -n '1s/.* - overlay lab16:web:\([0-9a-f]\{64\}\) .*/\1/p' "/proc/$held_pid/mountinfo")
	[[ $("$container" ps) == *"${id:0:12}"*"sleep 1000"*"$held_pid"*"web"* ]]
	"$container" inspect web >"$BATS_TEST_TMPDIR/inspect"
	same "id, pid, limits, group" "$id $held_pid 67108864 1500000000 20 $group" \
		"$(jq -r '.[0] | "\(.Id) \(.State.Pid) \(.HostConfig.Memory) \(.HostConfig.NanoCpus) \(.HostConfig.PidsLimit) \(.CgroupPath)"' "$BATS_TEST_TMPDIR/inspect")"
	same "its address" "$(nsenter --target="$held_pid" --net ip -4 -o address show eth0 | awk '{ sub("/.*", "", $4); print $4 }')" \
		"$(jq -r '.[0].NetworkSettings.IPAddress' "$BATS_TEST_TMPDIR/inspect")"
	for name in cgroup ipc mnt net pid user uts; do
		same "its $name namespace" "$(ns_of "$held_pid" $name)" "$name:[$(jq ".[0].Namespaces.$name" "$BATS_TEST_TMPDIR/inspect")]"
	done
	same "by the beginning of its id" "$held_pid" "$("$container" inspect "${id:0:8}" | jq '.[0].State.Pid')"
	same "its name is its hostname's beginning of the id" "${id:0:12}" "$(nsenter --target="$held_pid" --uts hostname)"

	# exec: the same namespaces, group, capabilities and filter.
	same "namespaces of an exec that are not the container's" "" "$("$container" exec web -- sh -c \
		'for n in mnt pid ipc uts net cgroup; do [ "$(readlink /proc/self/ns/$n)" = "$(readlink /proc/1/ns/$n)" ] || echo $n; done' 2>&1 | grep -v ' runs ')"
	run --separate-stderr "$container" exec web -- sh -c 'echo $$ >/dev/null; grep -E "CapEff|Seccomp:|NoNewPrivs" /proc/self/status | xargs; exit 7'
	same "status of an exec" 7 "$status"
	same "what it may do" "CapEff: 00000000a80425fb NoNewPrivs: 0 Seccomp: 2" "$output"
	"$container" exec web -- sleep 100 >/dev/null 2>&1 3>&- &
	exec=$!
	for ((tries = 200; tries > 0; tries--)); do
		[ "$(wc -l <"$group/cgroup.procs")" -lt 2 ] || break
		sleep 0.05
	done
	same "processes in its group, with one by exec" 2 "$(wc -l <"$group/cgroup.procs")"
	kill "$exec"
	wait "$exec" || :
	run "$container" inspect nosuch
	same "one that does not run" 125 "$status"
}

@test "16-container: MEM USAGE is without the file cache: a file that is read raises memory.current and not it" {
	command -v mke2fs >/dev/null || [ -x "$ROOT/build/rootfs/tree/bin/busybox" ]
	[ -b /dev/ram0 ] || skip "needs the lab VM's scratch block device"
	mke2fs() { command mke2fs "$@" 2>/dev/null || "$ROOT/build/rootfs/tree/bin/busybox" mke2fs "$@"; }
	mke2fs -q /dev/ram0 >/dev/null 2>&1 || mke2fs /dev/ram0 >/dev/null
	mkdir "$BATS_TEST_TMPDIR/disk"
	unshare --mount --propagation private sh -c '
		mount -t ext2 /dev/ram0 "$1" && head -c 16777216 /dev/zero >"$1/file" && umount "$1" && mount -t ext2 -o ro /dev/ram0 "$1"
		exec "$2" --name reader --memory 128m -v "$1:/disk" -- sleep 1000' sh "$BATS_TEST_TMPDIR/disk" "$container" >/dev/null 2>&1 3>&- &
	held=$!
	for ((tries = 600; tries > 0; tries--)); do
		pid=$("$container" inspect reader 2>/dev/null | jq '.[0].State.Pid') || pid=
		[ -z "$pid" ] || break
		sleep 0.05
	done
	held_pid=$pid group=$(group_of "$pid")
	usage() { "$container" stats reader | awk 'NR == 2 { print int($4 * 10) }'; } # tenths of MiB
	before=$(value "$group/memory.current") usage_before=$(usage)
	"$container" exec reader -- cat /disk/file >/dev/null 2>&1
	after=$(value "$group/memory.current") usage_after=$(usage)
	# check: stats: the file is read
	# check: stats: memory.current grew, MiB
	# check: stats: MEM USAGE grew, MiB
	within "bytes that memory.current grew by" 14000000 20000000 $((after - before))
	# The process that reads in the story was born in a group.
	traced_story
	reader=$(sed -nE 's/^([0-9]+) +read\(.* = 1048576$/\1/p' "$calls" | sort -u)
	grep -qE "clone3\(.*CLONE_INTO_CGROUP.* = $reader\$" "$calls"
	within "tenths of MiB at first" 1 1280 "$usage_before"
	within "tenths of MiB then" 1 1280 "$usage_after"
	within "tenths of MiB that MEM USAGE grew by" 0 20 $((usage_after > usage_before ? usage_after - usage_before : 0))
}

@test "16-container: volumes, layers, a read-only root, memory for /run, other users" {
	mkdir "$BATS_TEST_TMPDIR/volume" "$BATS_TEST_TMPDIR/keep"
	echo outside >"$BATS_TEST_TMPDIR/volume/file"
	run_in -v "$BATS_TEST_TMPDIR/volume:/data" -- sh -c 'cat /data/file; echo inside >/data/file'
	same "read in it" outside "$output"
	same "written by it" inside "$(<"$BATS_TEST_TMPDIR/volume/file")"
	run_in -v "$BATS_TEST_TMPDIR/volume:/data:ro" -- sh -c 'echo no >/data/file'
	differ "status of a write to :ro" 0 "$status"
	same "the file" inside "$(<"$BATS_TEST_TMPDIR/volume/file")"
	run_in -v "$BATS_TEST_TMPDIR/volume/file:/etc/one" -- cat /etc/one
	same "one file as a volume" inside "$output"

	run_in --keep "$BATS_TEST_TMPDIR/keep" -- sh -c 'echo mine >/new; rm /etc/passwd'
	same "what is kept" mine "$(<"$BATS_TEST_TMPDIR/keep/upper/new")"
	same "a whiteout" "character special file" "$(stat -c %F "$BATS_TEST_TMPDIR/keep/upper/etc/passwd")"
	run_in --keep "$BATS_TEST_TMPDIR/keep" -- sh -c 'cat /new; ls /etc/passwd'
	[[ $output == mine* && $stderr == *"No such file"* ]]
	[ -s "$ROOT/build/rootfs/tree/etc/passwd" ]
	run_in -- ls /new
	differ "status of looking for it in another container" 0 "$status"

	# A link in an image leads nowhere on the host, whose root it would be while the container is made.
	cp -r "$ROOT/build/rootfs/tree" "$BATS_TEST_TMPDIR/image"
	mkdir "$BATS_TEST_TMPDIR/target"
	ln -s "$BATS_TEST_TMPDIR/target" "$BATS_TEST_TMPDIR/image/data"
	ln -s "$BATS_TEST_TMPDIR/target/made" "$BATS_TEST_TMPDIR/image/etc/one"
	for volume in "volume:/data" "volume:/data/below" "volume/file:/etc/one"; do
		run_in --rootfs "$BATS_TEST_TMPDIR/image" -v "$BATS_TEST_TMPDIR/$volume" -- true
		same "status with a link on the way to ${volume#*:}" 125 "$status"
	done
	same "what is there on the host" "" "$(ls "$BATS_TEST_TMPDIR/target")"

	run_in --read-only --tmpfs /run:size=1m -- sh -c 'touch /run/x && ! touch /x && ! head -c 2000000 /dev/zero >/run/big'
	same "status of a container with a read-only root" 0 "$status"
	run_in --user 1000:100 -w /home/student -e COLOR=red -- sh -c 'id -u; id -g; pwd; echo $COLOR $HOSTNAME; grep CapEff /proc/self/status'
	same "a user, its folder, its variables" "1000 100 /home/student red" "$(head -n 4 <<<"$output" | cut -d' ' -f1 | xargs)"
	[[ $output == *0000000000000000 ]]
	run_in --cap-drop ALL --cap-add CHOWN -- grep CapEff /proc/self/status
	[[ $output == *0000000000000001 ]]
	run_in --cap-add SYS_ADMIN -- mount -t tmpfs none /mnt
	same "status of a mount with the capability for it" 0 "$status"
	run_in --network none -- ip -o link
	same "links without a network" 1 "${#lines[@]}"
	held --name other
	address=$("$container" inspect other | jq -r '.[0].NetworkSettings.IPAddress')
	run_in -- ping -c 1 -W 5 "$address"
	same "a ping from one container to another" 0 "$status"
}

@test "16-container: a terminal of its own, with the size of ours; signals are forwarded" {
	host_or_vm_has script
	run timeout 60 script -qec "stty rows 33 cols 99; ${container@Q} -it -- sh -c 'tty; stty size; ps -o pid,tty | tail -n 1'" /dev/null </dev/null
	[[ $output == *"/dev/pts/0"*"33 99"* ]]
	"$container" -- sh -c 'trap "exit 5" USR1; echo ready; while :; do sleep 0.1; done' >"$BATS_TEST_TMPDIR/said" 2>/dev/null 3>&- &
	waits=$!
	for ((tries = 400; tries > 0; tries--)); do
		[ ! -s "$BATS_TEST_TMPDIR/said" ] || break
		sleep 0.05
	done
	kill -USR1 "$waits"
	result=0
	wait "$waits" || result=$?
	same "status of who was told USR1" 5 "$result"
	# Ours as PID 1 has no more than COMMAND has.
	held --init
	same "what an init may do" "00000000a80425fb 00000000a80425fb" \
		"$(status_of "$held_pid" CapEff) $(status_of "$(status_of "$held_pid" PPid)" CapEff)"
	let_go
	held=
	# An orphan's end: with --init it is reaped, else it stays with a PID 1 that does not wait.
	local orphan='mkfifo /tmp/end; (/bin/true & echo $! >/tmp/pid; exec sleep 0.1) & parent=$!
		ended() { [ ! -e /proc/$1 ] || grep -q "^State:.Z" /proc/$1/status; }
		(until ended $parent && ended $(cat /tmp/pid); do sleep 0.1; done
		for i in $(seq 30); do ps | grep -q "\[true\]" || break; sleep 0.1; done
		ps | grep -c "\[true\]"; : >/tmp/end) & exec cat /tmp/end'
	run_in --init -- sh -c "$orphan"
	same "zombies with --init" 0 "$output"
	run_in -- sh -c "$orphan"
	same "zombies without" 1 "$output"
}

@test "16-container: wrong words: each is one line that says what was expected, status 2, and nothing is done" {
	host_only "the program is the same in both places"
	wrong=()
	refused() {
		local result=0 said
		said=$("$container" "$@" 2>&1 >/dev/null) || result=$?
		[ "$result" = 2 ] && [[ $said == "$program: "*expected* && $said != *$'\n'* ]] || wrong+=("$*: status $result: $said")
	}
	for value in '' x -5 1.5M 12Q 64mm 99999999999999999999 5m 2P; do refused --memory "$value" -- true; done
	for value in '' x -1 . 0. 0.001 .001 0.009999999 0.0000000001 0.5000000000 2000 1e3; do refused --cpus "$value" -- true; done
	for value in '' x - -2 99999999 1.5; do refused --pids-limit "$value" -- true; done
	for value in '' 'a b' a/b "$(printf '%064d' 0)"; do refused --hostname "$value" -- true; done
	for value in '' x -web 'a b' a/b "$(printf '%064d' 0)"; do refused --name "$value" -- true; done
	for value in '' 'none bridge'; do refused --network "$value" -- true; done
	for value in '' x 10.0.0.1 172.17.0.0 172.17.0.1 172.17.255.255 172.17.0.256 172.17.0.9/16 ::1; do refused --ip "$value" -- true; done
	for value in '' nobody-such -1 1000: :1000 2147483648 1000:2147483648 4294967296 1000:1000:1000 1e3 student:nosuch 99999999999999999999; do refused --user "$value" -- true; done
	for value in '' run / /. /.. /../etc /a/../../b /run: "/run:rw," /run:bind /run:size /run:size=x /run:size=1q /run:mode=8 /run:mode=010000 /run:uid=x; do refused --tmpfs "$value" -- true; done
	for value in '' /tmp /tmp: :/data /tmp:data /tmp:/ /tmp:/.. /tmp:/a/../.. data:/data /no/such:/data /tmp:/data:rx /tmp:/data:ro:ro; do refused --volume "$value" -- true; done
	said=$("$container" --volume /tmp busybox 2>&1) || :
	[[ $said == *"volumes without a SRC; --tmpfs DST"* ]] || wrong+=("$said")
	said=$("$container" --volume /tmp:/data:Z busybox 2>&1) || :
	[[ $said == *"z and Z, are for SELinux"* ]] || wrong+=("$said")
	for value in '' =x; do refused --env "$value" -- true; done
	for value in '' data ./x; do refused --workdir "$value" -- true; done
	for value in '' NOSUCH CAP_ 64; do refused --cap-add "$value" -- true && refused --cap-drop "$value" -- true; done
	for value in '' /no/such /etc/passwd; do refused --rootfs "$value" -- true && refused --keep "$value" -- true; done
	for value in '' on; do refused --cgroups "$value" -- true; done
	for value in '' x -2 1q; do refused --memory 64m --memory-swap "$value" -- true; done
	for value in '' x -2 1 999 1.5; do refused --cpu-quota "$value" -- true; done
	for value in '' x -1 -2 1 999 1000001; do refused --cpu-period "$value" -- true; done
	for value in '' x -1 1 262145; do refused --cpu-shares "$value" -- true; done
	for value in '' x -1 1- -2 1,,2 2-1 "0," 0-1-2 9999 0,9998-9999; do refused --cpuset-cpus "$value" -- true; done
	said=$("$container" --cpuset-cpus 0,9999 -- true 2>&1) || :
	[[ $said == *"are there, which are $(</sys/devices/system/cpu/online)" ]] || wrong+=("$said")
	for value in '' x -1 1 1m 6143k; do refused --memory-reservation "$value" -- true; done
	for value in '' x -1001 1001 1.5; do refused --oom-score-adj "$value" -- true; done
	for value in '' x nofile nofile= nofile=x nosuch=1 nofile=2:1 nofile=-1:5 nofile=1:2:3; do refused --ulimit "$value" -- true; done
	for value in '' x seccomp=/etc/passwd no-new-privileges:maybe; do refused --security-opt "$value" -- true; done
	for value in '' x 'private host'; do refused --pid "$value" -- true && refused --ipc "$value" -- true && refused --uts "$value" -- true; done
	for value in '' x nginx=/etc/passwd nginx=/no/such =/tmp; do refused --image "$value" nginx true; done
	refused --memory-swap 64m -- true && refused --memory 64m --memory-swap 32m -- true
	refused --memory 64m --memory-reservation 65m -- true
	refused --cpus 1 --cpu-quota 5000 -- true && refused --cpus 1 --cpu-period 5000 -- true
	refused --uts host --hostname web -- true && refused --pid host --cgroups=disabled -- true
	refused --image nginx=/tmp -- true
	refused nginx true && refused registry:5000/nginx:1.2 && refused '' && refused busyboxx
	for option in --init --cgroups=disabled --privileged --detach --pid=host --network=host --user=1000; do refused "$option"; done
	refused --signal TERM -- true
	for option in memory cpus memory-swap memory-reservation cpu-quota cpu-period cpu-shares cpuset-cpus oom-score-adj ulimit security-opt pid ipc uts pids-limit hostname name network ip user tmpfs volume env workdir cap-add cap-drop rootfs keep cgroups signal; do
		refused "--$option"
		refused "--$option" -- true
	done
	for option in read-only init tty interactive explain privileged detach rm; do refused "--$option=yes" -- true; done
	refused --network none --ip 172.17.0.9 -- true
	refused --cgroups disabled --memory 64m -- true
	refused --tty -- true </dev/null
	refused run -- true
	refused ps -- true
	refused exec web
	refused inspect
	refused kill
	refused stats web more
	refused -x -- true
	refused -itx -- true
	[ ${#wrong[@]} = 0 ] || {
		printf '%s\n' "${wrong[@]}"
		return 1
	}
}

@test "16-container: where every mount is shared, as systemd has it, nothing leaks" {
	where_shared "$program"
	where_shared "$program-more"
}

host_or_vm_has() {
	command -v "$1" >/dev/null || skip "there is no $1 here"
}
