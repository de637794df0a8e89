#!/usr/bin/env bats
# bats file_tags=apart
# Submissions that do not solve their exercise but attack what grades them: tests/learn/hostile. They are built in the
# compiler's box and run in lab VMs alone. Sources that attack the compiler do not end in ".c", so that no editor and
# no linter takes them for code.

load ../helper

setup() {
	host_only "the lab VM has no compiler; it is booted from here"
	cd "$ROOT" || return
	export WORK=$BATS_TEST_TMPDIR/work SEED=$((RANDOM % 1000))
	mkdir "$WORK"
	# So that what other jobs have in /tmp at the moment is not taken for something left behind.
	export TMPDIR=$BATS_TEST_TMPDIR
	mapfile -t ids < <(for file in labs/*/solution.c; do basename "$(dirname "$file")"; done)
}

# whole FILE: with the header that it includes, for in its box the compiler finds nothing beside it.
whole() {
	sed -e '/^#include "hostile.h"/{r tests/learn/hostile/hostile.h' -e 'd}' -e "s,@ROOT@,$ROOT,; s,@FOLDER@,$WORK," "$1"
}

# submit KTH: into $WORK for each exercise its KTH hostile program; where it has none, a hostile source.
submit() {
	local id mine sources=(tests/learn/hostile/source/*.source) next=0
	for id in "${ids[@]}"; do
		mine=(tests/learn/hostile/"${id%%-*}"-*.c)
		if [ -e "${mine[$1]-}" ]; then
			whole "${mine[$1]}"
		else
			whole "${sources[next++ % ${#sources[@]}]}"
		fi >"$WORK/$id.c"
	done
}

# all_fail ID...: grading gives these a point and no other, has a row for each, and leaves this machine as it was.
all_fail() {
	local before after
	before=$(machine)
	run timeout 900 scripts/grade
	same "status" 0 "$status"
	same "rows" "${ids[*]}" "$(jq -r '.exercises[].exercise' "$WORK/grade.json" | xargs)"
	same "points" "$*" "$(jq -r '.exercises[] | select(.points != 0) | .exercise' "$WORK/grade.json" | xargs)"
	same "neither pass nor fail" "" "$(jq -r '.exercises[] | select(.verdict | test("^(pass|fail)$") | not) | "\(.exercise) \(.verdict) \(.reason)"' "$WORK/grade.json")"
	after=$(machine)
	same "this machine" "$before" "$after"
}
# What a submission would change here: files of the tree and of /etc, what is left in /tmp, processes.
machine() {
	find scripts labs build/bin build/labs /etc -type f -printf '%p %s %T@ %m\n' 2>/dev/null | sort | sha256sum
	find "$TMPDIR" -maxdepth 1 -name 'unboxed-*'
	uname -n
	pgrep -f "$WORK" || :
}

# The two folders together have thirty-one: SEED chooses one, WHOLE=yes takes both.
@test "hostile: a folder of hostile submissions has no point but those of three who solved it, and all rows" {
	local folders=($((SEED % 2))) folder honest=("${ids[6]}" "${ids[7]}" "${ids[10]}") id
	[ -z "${WHOLE-}" ] || folders=(0 1)
	mkfifo "$WORK/fifo"
	echo secret >"$WORK/link"
	for folder in "${folders[@]}"; do
		echo "# folder $folder" >&3
		submit "$folder"
		for id in "${honest[@]}"; do cp "labs/$id/solution.c" "$WORK/$id.c"; done
		all_fail "${honest[@]}"
	done
}

# The programs once more, on a stage without a judge, so that what they say is read. Four of them are run beside it
# too: what they say there shows that they would get somewhere.
@test "hostile: on the stage they get nowhere, and the guest is as it was" {
	local folder=$BATS_TEST_TMPDIR/programs file
	mkdir "$folder"
	for file in tests/learn/hostile/*.c; do
		whole "$file" >"$BATS_TEST_TMPDIR/program.c"
		# shellcheck disable=SC2046 # a flag or nothing
		gcc -std=gnu11 -w -s $(cat build/static) "$BATS_TEST_TMPDIR/program.c" -o "$folder/$(basename "$file" .c)"
	done
	cat >"$BATS_TEST_TMPDIR/try" <<-'SH'
		stage=/lab/build/bin/stage
		state() {
			find /lab/scripts /lab/tests /etc /bin /sbin -type f | xargs md5sum
			ls -lR /dev /lab | grep -v total
			ls / /tmp
			cat /proc/mounts /proc/sys/kernel/{core_pattern,modprobe,panic,hostname} /proc/sys/vm/panic_on_oom /proc/sys/net/ipv4/ip_forward
			find /sys/fs/cgroup -type d
		} 2>/dev/null
		state >/run/before
		for program in "$1"/*; do
			name=${program##*/} powers=()
			[[ $name != 13-* ]] || powers=(--bpf)
			exec {made}< <(exec $stage make "$program" "${powers[@]}")
			maker=$!
			read -r witness _ <&$made || echo "$name: no stage"
			status=0
			timeout 10 $stage run "$witness" /sys/fs/cgroup/stage/program 0 /exercise /mnt/a /mnt/b /mnt/c /mnt/d sleep 1 </dev/null >/run/said 2>&1 || status=$?
			# The stage's own, and those of a program that could not be started.
			[[ $status != @(2|125|126|127) ]] || echo "$name: was not run, status $status: $(tail -n 1 /run/said)"
			kill $maker 2>/dev/null; wait $maker
			exec {made}<&-
			# Its own output, its own mount and its own group are its own.
			grep -aE '^(wrote|traced|read \/|entered|out|made|became|mounted|named|iopl|init_module|the clock)' /run/said |
				grep -vE '^wrote (/proc/[0-9]+/fd/|/mnt/|/sys/fs/cgroup/mine/)' | sed "s/^/$name: /" | sort -u
		done
		state >/run/after
		diff /run/before /run/after && echo "the guest is as it was"
		for name in 03-enters-the-witness 04-reads-memory 09-sets-the-clock 12-makes-devices; do
			timeout 5 "$1/$name" a b c d true </dev/null 2>&1 | head -n 1 | sed "s/^/control $name: /"
		done
	SH
	run timeout 900 scripts/vm --carry "$folder" --carry "$BATS_TEST_TMPDIR/try" bash "$BATS_TEST_TMPDIR/try" "$folder"
	same "what they got, then what they get beside the stage" \
		"the guest is as it was,control 03: entered,control 04: read,control 09: the,control 12: made" \
		"$(sed -nE 's/^control ([0-9]+)-[^:]*: ([a-z]+).*/control \1: \2/; /^wait/!p' <<<"$output" | paste -sd ,)"
}
