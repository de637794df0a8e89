# shellcheck shell=bash disable=SC2034 # the script that loads this file reads what is set here
# What the instructor keeps, in the folder CLASS (class): class.json, key, and a folder for each run. Nobody else reads it.
# shellcheck disable=SC2154 # root is that script's
umask 077
export LC_ALL=C.UTF-8
verb=${0##*/}
wrong() {
	printf 'scripts/class/%s: %s\n' "$verb" "$1" >&2
	exit 2
}
broken() {
	printf 'scripts/class/%s: %s\n' "$verb" "$1" >&2
	exit 3
}
say() {
	printf 'class: %s\n' "$1" >&2
}

# need TOOL...: a class needs more than a lab does.
need() {
	local tool
	for tool; do type -P "$tool" >/dev/null || { echo "scripts/class/$verb: $tool is missing; type: make setup-class" >&2 && exit 77; }; done
}

# from_caller PATH: it is meant in the folder in which make was typed.
from_caller() {
	(cd "${CALLER:-$PWD}" 2>/dev/null || cd "$root" && realpath -ms -- "$1")
}

# open_class: sets class, the folder, and settings, its class.json, which is made when it is missing.
open_class() {
	class=$(from_caller "${CLASS:-$root/class}")
	settings=$class/class.json
	mkdir -p "$class" || broken "$class: expected a folder that can be made"
	chmod 700 "$class"
	if [ ! -e "$settings" ]; then
		jq -n '{class: "Unboxed", opens: null, due: null, grace_minutes: 15, late_percent_per_day: 100,
			attempts: 0, hints: true, worked_examples: false}' >"$settings.new"
		mv -T "$settings.new" "$settings"
		say "wrote $settings: the due date and the rules; change it"
	fi
	local problem
	problem=$(jq -sr 'def instant: . == null or (type == "string" and test("^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)? ?(Z|[+-][0-9]{2}(:?[0-9]{2})?)$"));
		def whole: type == "number" and . >= 0 and . == floor;
		def must(name; good; words): if (.[name] | good) then empty else "\(name): expected \(words), found \(.[name] | tojson)" end;
		if length != 1 then "expected one object, found \(length)" else .[0] | if type != "object" then "expected an object, found \(type)" else
			must("class"; type == "string"; "a name"), must("opens"; instant; "null or a date and time with its zone like 2027-03-01T23:59:00+01:00"),
			must("due"; instant; "null or a date and time with its zone like 2027-03-01T23:59:00+01:00"),
			must("grace_minutes"; whole; "a whole number"), must("late_percent_per_day"; whole and . <= 100; "0 to 100"),
			must("attempts"; whole; "a whole number, 0 for any"),
			must("hints"; type == "boolean"; "true or false"), must("worked_examples"; type == "boolean"; "true or false"),
			(keys - ["class", "opens", "due", "grace_minutes", "late_percent_per_day", "attempts", "hints", "worked_examples"]
				| if . == [] then empty else "expected no \(join(", "))" end) end end' "$settings" 2>&1) || problem="it is no JSON: $problem"
	[ -z "$problem" ] || wrong "$settings: ${problem//$'\n'/; }"
	for problem in opens due; do
		problem=$(jq -r --arg name $problem '.[$name] // empty' "$settings")
		[ -z "$problem" ] || date -d "$problem" >/dev/null 2>&1 || wrong "$settings: $problem: expected a date and time"
	done
}

# open_key: sets key, a file. Who has it can tell every seed.
open_key() {
	key=$class/key
	[ -e "$key" ] || { (set -C && head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n' >"$key") && say "made $key: keep it, and give it to nobody"; }
	if ! grep -qxE '[0-9a-f]{64}' "$key" || [ "$(wc -c <"$key")" -gt 65 ]; then
		wrong "$key: expected 64 hexadecimal digits; without the key that it was, seeds and pseudonyms are others"
	fi
}
# hmac: a line of stdin each, by HMAC-SHA-256 with the key, which stands in no process's command line.
hmac() {
	# shellcheck disable=SC2016 # perl's
	perl -MDigest::SHA=hmac_sha256_hex -e 'open my $f, "<", shift or die "$!\n"; chomp(my $digits = <$f>); my $key = pack "H*", $digits;
		while (my $line = <STDIN>) { chomp $line; print hmac_sha256_hex($line, $key), "\n" }' "$key"
}

# all_exercises: those of this tree, in the order of the course.
all_exercises() {
	local id
	for id in $(course); do [ ! -e "labs/$id/exercise.sh" ] || echo "$id"; done
}

# class_exercises: those of the last kit; when no kit was made, all.
class_exercises() {
	if [ -s "$class/exercises" ]; then cat "$class/exercises"; else all_exercises; fi
}

# tree_commit: what grades. Changes that are not committed have a checksum of their own.
tree_commit() {
	local changes
	if [ -r class.commit ]; then # an archive for another's grader
		cat class.commit
	elif ! git rev-parse HEAD 2>/dev/null; then
		echo unknown
	elif changes=$(git diff HEAD -- labs common rootfs scripts/learn scripts/labvm scripts/run scripts/vm scripts/class/job Makefile | sha256sum) && [[ $changes != e3b0c442* ]]; then
		echo "with changes ${changes:0:12}"
	fi | paste -sd ' '
}
# code_of: a program of stdin but for blanks and for comments that have a line of their own.
code_of() { sed -E 's/\r$//; /^[ \t]*\/\*([^*]|\*+[^*/])*\*+\/$/d' | tr -d '[:space:]\000'; }
