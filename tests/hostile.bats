#!/usr/bin/env bats
# bats file_tags=apart
# Submissions that do not solve their exercise but attack what grades them: tests/hostile. They are built in the
# compiler's box and run in lab VMs alone.

load helper

setup() {
	host_only "the lab VM has no compiler; it is booted from here"
	cd "$ROOT" || return
	export WORK=$BATS_TEST_TMPDIR/work SEED=$((RANDOM % 1000))
	mkdir "$WORK"
	mapfile -t ids < <(for file in labs/*/solution.c; do basename "$(dirname "$file")"; done)
}

# whole FILE: with the header that it includes, for in its box the compiler finds nothing beside it.
whole() {
	sed -e '/^#include "hostile.h"/{r tests/hostile/hostile.h' -e 'd}' -e "s,@ROOT@,$ROOT,; s,@FOLDER@,$WORK," "$1"
}

# submit KTH: into $WORK for each exercise its KTH hostile program; where it has none, a hostile source.
submit() {
	local id mine sources=(tests/hostile/source/*.c) next=0
	for id in "${ids[@]}"; do
		mine=(tests/hostile/"${id%%-*}"-*.c)
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
	find "${TMPDIR:-/tmp}" -maxdepth 1 \( -name 'unboxed-compile.*' -o -name 'unboxed-grade.*' \) -user "$EUID"
	uname -n
	pgrep -f "$WORK" || :
}

@test "hostile: a folder of hostile programs has no point, and all rows" {
	submit 0
	all_fail
}

@test "hostile: three who solved it have their points between hostile sources and programs" {
	submit 1
	mkfifo "$WORK/fifo"
	echo secret >"$WORK/link"
	honest=("${ids[6]}" "${ids[7]}" "${ids[10]}")
	for id in "${honest[@]}"; do cp "labs/$id/solution.c" "$WORK/$id.c"; done
	all_fail "${honest[@]}"
}
