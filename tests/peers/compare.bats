#!/usr/bin/env bats
# bats file_tags=apart
# compare: 16-container beside the runtimes, in a lab VM of its own; and that a difference without
# a reason, or a reason without its difference, is found.

load ../helper
compare=$ROOT/scripts/measure/compare

setup_file() {
	in_vm || [ -z "$(type -P crun runc)" ] ||
		"$compare" >"$BATS_FILE_TMPDIR/said" 2>&1 3>&- || echo "$?" >"$BATS_FILE_TMPDIR/status"
}

setup() {
	host_only "it boots a lab VM of its own"
	[ -n "$(type -P crun runc)" ] || skip "neither crun nor runc is installed"
	facts=$ROOT/build/compare.tsv reasons=$ROOT/tests/peers/compare/reasons
}

# judged PATTERN: a comparison of $BATS_TEST_TMPDIR/facts with the reasons beside it fails, and says so.
judged() {
	cp -n "$facts" "$BATS_TEST_TMPDIR/facts"
	cp -n "$reasons" "$BATS_TEST_TMPDIR/reasons"
	run "$compare" --facts "$BATS_TEST_TMPDIR/facts" --reasons "$BATS_TEST_TMPDIR/reasons"
	same "status" 1 "$status"
	[[ $output == *$1* ]] || { echo "$output" && return 1; }
}

@test "compare: every difference between 16-container and the runtimes has its reason" {
	cat "$BATS_FILE_TMPDIR/said"
	[ ! -e "$BATS_FILE_TMPDIR/status" ]
	# What it was judged by: as many containers, and the acts in each.
	mapfile -t columns < <(cut -f 1 "$facts" | uniq)
	[ ${#columns[@]} -ge 3 ]
	for column in "${columns[@]}"; do
		within "acts in $column" 19 40 "$(grep -c "^$column"$'\tacts\t' "$facts")"
		within "facts of $column" 40 100 "$(grep -c "^$column"$'\t' "$facts")"
	done
}

@test "compare: a difference that nobody explains fails, be it ours or theirs" {
	sed 's/^\(16-container\tmounts\t\/sys\tsysfs\) ro/\1/' "$facts" >"$BATS_TEST_TMPDIR/facts"
	judged " spec: NO REASON"
	[[ $output == *"/sys  "*"sysfs nosuid"* ]]
}

@test "compare: a reason is of one value of ours, and of no other" {
	sed 's/^\(16-container\tnamespaces\tlinks\t\).*/\1eth0 eth1 lo/' "$facts" >"$BATS_TEST_TMPDIR/facts"
	judged "NO REASON, for the one that is known is of: eth0 lo"
}

@test "compare: a reason whose difference is gone fails" {
	echo 'powers: Seccomp | crun, runc | 2 | none of the two has a filter' >>"$BATS_TEST_TMPDIR/more"
	cat "$reasons" "$BATS_TEST_TMPDIR/more" >"$BATS_TEST_TMPDIR/reasons"
	judged "a reason without its difference: "
	[[ $output == *"powers: Seccomp | "* ]]
}

@test "compare: a reason that is taken away is missed" {
	grep -v '^namespaces: links | c' "$reasons" >"$BATS_TEST_TMPDIR/reasons"
	judged " differences, 2 without a reason"
}
