#!/usr/bin/env bats
# The table of make kernels, made of results that are written here: two labs, two kernels, and archives of four.

load ../helper

setup() {
	host_only "the script that makes it"
	tree=$BATS_TEST_TMPDIR/tree
	mkdir -p "$tree"/{labs/01-one,labs/02-two,labs/03-host,tests,build/labs,scripts/check,scripts/labvm}
	cp "$ROOT/scripts/check/kernels" "$tree/scripts/check/"
	touch -d '2 hours ago' "$tree"/labs/0{1-one,2-two}/main.c "$tree"/tests/0{1-one,2-two}.bats "$tree"/build/labs/0{1-one,2-two}
	echo '	.place_host = true,' >"$tree/labs/03-host/main.c"
	cat >"$tree/scripts/labvm/kernel" <<-'LIST'
		#!/bin/sh
		printf '%s\n' 'VERSION LINUX ARCHIVE' '7.3.4-cloud-x 7.3.4-1 suite here' '7.1.2-cloud-x 7.1.2-1 (no modules)' \
			'6.18.5-cloud-x 6.18.5-1 suite' '6.1.0-57-cloud-x 6.1.1-1 suite'
	LIST
	chmod +x "$tree/scripts/labvm/kernel"
	result 6.1.0-9-cloud-x 02-two 'ok 1 two: a in 1ms' 'not ok 2 two: b in 1ms' # another one of the series is newer
	result 6.1.0-57-cloud-x 01-one 'ok 1 one: a in 1ms' 'ok 2 one: b in 1ms'
	result 6.1.0-57-cloud-x 02-two 'ok 1 two: a in 1ms' 'not ok 2 two: b in 1ms'
	result 7.3.4-cloud-x 01-one 'ok 1 one: a in 1ms' 'ok 2 one: b in 1ms # skip no memory v1'
}
# result VERSION LAB LINE...: of a run of two tests
result() {
	mkdir -p "$tree/build/kernels/$1"
	printf '%s\n' 1..2 "${@:3}" >"$tree/build/kernels/$1/$2.tap"
}
table() {
	run -0 "$tree/scripts/check/kernels" --table
}

@test "table: results of several runs add up, and what was not run is named" {
	table
	same "the table" "lab 6.1.0-57 7.3.4
01-one pass pass (1 skip)
02-two FAIL -
FAIL 6.1.0-57 two: b in 1ms
skip 7.3.4 01-one: no memory v1
not run: Linux 6.18: 01 02
not run: Linux 7.3: 02
not run: 03-host: its place is this machine
not run: Linux 7.1: the archives have no modules for it any more" "$(sed 's/ *$//; s/  */ /g' <<<"$output")"
}

@test "table: a second try counts, a run that broke off fails, and what is older than its lab or its tests is old" {
	printf '%s\n' 1..1 'ok 1 two: b in 1ms' >"$tree/build/kernels/6.1.0-57-cloud-x/02-two.tap.2"
	result 7.3.4-cloud-x 02-two 'ok 1 two: a in 1ms'
	touch -d 'now + 1 hour' "$tree/tests/01-one.bats"
	touch -d 'now + 1 hour' "$tree/build/labs/02-two-more"
	table
	same "the rows" "01-one pass old pass (1 skip) old
02-two pass 2nd old FAIL old" "$(grep '^0' <<<"$output" | sed 's/  */ /g')"
	grep -qx 'FAIL  7.3.4  02-two: it broke off: ok 1 two: a in 1ms' <<<"$output"
	grep -qx 'not run since it changed: Linux 7.3: 01 02' <<<"$output"
}
