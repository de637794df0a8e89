#!/usr/bin/env bats
# The table "What changed, and when" of GUIDE.md is what scripts/check/kernels has seen on each kernel, and the kernel at
# hand behaves as it says.

load ../helper

# expected NAME: what seen says of this kernel: since or before; nothing where the kernel lies between two that differ, and
# of what came and went only where this very kernel was asked. The file is sorted by version.
expected() {
	awk -v name="$1" -v here="$(uname -r)" '
			function older(a, b, x, y) { split(a, x, "."); split(b, y, "."); return x[1] != y[1] ? x[1] + 0 < y[1] + 0 : x[2] + 0 < y[2] + 0 }
			$2 != name || $3 == "untold" { next }
			{ turns += last != "" && $3 != last; last = $3 }
			index(here, $1 "-") == 1 { exact = $3 }
			!older(here, $1) { below = $3 }
			!older($1, here) && above == "" { above = $3 }
			END {
				if (exact != "") print exact
				else if (turns <= 1 && (below == above || above == "")) print below
			}' "$ROOT/tests/kernels/seen"
}

@test "behaviors: the kernel at hand behaves as the runs have seen it" {
	local name observed wanted held=0 wrong=''
	in_vm || skip "in the lab VM only: it mounts, and kills groups"
	run -0 "$ROOT/tests/kernels/behaves"
	while read -r name observed; do
		wanted=$(expected "$name")
		[ "$observed" != untold ] && [ -n "$wanted" ] || continue
		held=$((held + 1))
		[ "$wanted" = "$observed" ] || wrong+="$name: expected $wanted, observed $observed"$'\n'
	done <<<"$output"
	same "on Linux $(uname -r)" "" "$wrong"
	within "rows that are held on this kernel" 15 100 $held
}

@test "behaviors: the table of GUIDE.md is made of what was seen, and has fifteen rows that differ" {
	local rows
	host_only "the script that makes it"
	rows=$(sed -n '/^## What changed, and when/,/^## /p' "$ROOT/GUIDE.md" | grep -E '^\| [0-9]')
	same "rows" "$("$ROOT/scripts/check/kernels" --behaviors=show)" "$rows"
	within "rows" 15 100 "$(wc -l <<<"$rows")"
}
