#!/usr/bin/env bats
# GUIDE.md: what it shows is what runs.

load helper

@test "guide: every console block prints in the lab VM what stands there" {
	host_only "it boots a lab VM of its own"
	run scripts/transcripts --check
	[ "$status" = 0 ] || {
		echo "$output"
		return 1
	}
}

setup() {
	cd "$ROOT" || return
}
