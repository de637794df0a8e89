#!/usr/bin/env bats
# bats file_tags=apart
# What a class is given, and what comes back: the kit has no solution and works, and work/ is packed with a manifest.

load ../helper

setup() {
	host_only "the lab VM has no sources"
	cd "$ROOT" || return
	tree=$BATS_TEST_TMPDIR/tree
	export CLASS=$BATS_TEST_TMPDIR/class
	mkdir "$CLASS"
}

# rules NAME VALUE...: class.json, with these instead of what stands there at first.
rules() {
	[ -e "$CLASS/class.json" ] || jq -n '{class: "Kernels", opens: null, due: null, grace_minutes: 15, late_percent_per_day: 100, attempts: 0, hints: true, worked_examples: false}' >"$CLASS/class.json"
	while [ $# -gt 0 ]; do
		jq --arg name "$1" --argjson value "$2" '.[$name] = $value' "$CLASS/class.json" >"$CLASS/new"
		mv "$CLASS/new" "$CLASS/class.json"
		shift 2
	done
}

# own_tree: a copy of this one, so that no kit of a person's is lost; made once.
own_tree() {
	mkdir -p "$tree/build"
	cp -a Makefile README.md GUIDE.md LICENSE common labs rootfs scripts tests .gitignore .gitattributes "$tree"
}

# lines_of ID: those that a student has to write, a long one each.
lines_of() {
	awk '/hole: / { inside = 1; next } /\/\* end \*\// { inside = 0 } inside && length > 25' "$ROOT/labs/$1/solution.c"
}

@test "handout: the kit has the chosen labs, and no solution, wrong answer or instructor's text" {
	own_tree
	rules attempts 3 late_percent_per_day 25 due '"2027-03-01T23:59:00+01:00"'
	run -0 env LABS="03 16" EXERCISES="3 pids-max" "$tree/scripts/class/handout"
	local kit=$tree/build/unboxed-class id line words next=''
	same "programs of labs" "03-uts-ns 08-pids-max 16-container" "$(cd "$kit/labs" && for file in */main.c; do echo "${file%/*}"; done | xargs)"
	same "exercises" "03-uts-ns 08-pids-max" "$(cd "$kit/labs" && for file in */exercise.c; do echo "${file%/*}"; done | xargs)"
	cmp "$ROOT/.gitattributes" "$kit/.gitattributes"
	grep -qx "\* text=auto eol=lf" "$kit/.gitattributes"
	grep -qx work/.kept/ "$kit/.gitignore"
	same "solutions, tests, instructor's files" "" "$(find "$kit" -name 'solution*' -o -path '*/tests*' -o -path '*/scripts/class*' -o -name CONTRIBUTING.md)"
	for id in 03-uts-ns 08-pids-max; do
		cmp <("$ROOT/scripts/learn/cut" "labs/$id/solution.c") "$kit/labs/$id/exercise.c"
		[ -n "$(lines_of $id)" ]
		while IFS= read -r line; do
			! grep -rqxF -- "$line" "$kit/labs/$id/exercise.c" "$kit/labs/$id/calls" || { echo "$id: the kit has '$line'" && return 1; }
		done < <(lines_of $id)
		run ! grep -r 'because=' "$kit/labs/$id"
	done
	same "instructor's chapters" 0 "$(grep -c 'Plans for teaching\|Teaching a class\|Ask: ' "$kit/GUIDE.md")"
	same "links that lead nowhere" "" "$(grep -o '](#[a-z0-9-]*)' "$kit/GUIDE.md" | tr -d '](#)' | sort -u |
		grep -vxFf <(grep '^#' "$kit/GUIDE.md" | sed -E 's/^#+ //; s/[^A-Za-z0-9 _-]//g; s/ /-/g' | tr '[:upper:]' '[:lower:]'))"
	same "rules" "Kernels 3 2027-03-01T23:59:00+01:00 true false" "$(jq -r '[.class, .attempts, .due, .hints, .worked_examples] | map(tostring) | join(" ")' "$kit/class.json")"
	# The rules that cost points, in these words.
	[[ $(tr '\n' ' ' <"$kit/README.md") = *'Hand in by Monday, 1 March 2027, 23:59 (UTC+01:00). Each day later, once it has begun, costs 25 percent of the points. Of each exercise your first 3 different files count, and the last of these is graded. '* ]]
	same "as make progress says it" "  Kernels: hand in by Monday, 1 March 2027, 23:59 (UTC+01:00) (make handin)" "$(TZ=America/Lima "$kit/scripts/exercise" progress | head -n 1)"
	# What it does not have is in no text of it.
	same "what maintainers read" "" "$(find "$kit/scripts" "$kit/labs" -name README.md -o -path '*/scripts/machines*')"
	same "worked examples in the guide" "" "$(grep -n 'solution-[0-9N]\|done with the solution\|and the lines\.' "$kit/GUIDE.md" || :)"
	grep -q '^.make hint-03. ' "$kit/GUIDE.md"
	run -0 "$kit/scripts/welcome" help
	words=$(sed '/^Words/,$d' <<<"$output" | grep -oP '(?<=  )[a-z]+(-[a-z]+|-NN)?(?=  )' | sed 's/NN/03/')
	[[ $(xargs <<<"$words") = *"exercise-03"*"hint-03"*"handin"*"clean-vm"* && $output != *solution* && $output != *handout* ]]
	for id in $words; do
		make -pqn -C "$kit" "$id" 2>&1 >"$BATS_TEST_TMPDIR/rules" | grep . && echo "$id" && return 1
	done
	same "the archive" "$(cd "$tree/build" && find unboxed-class ! -type d | sort)" "$(tar --zstd -tf "$tree/build/unboxed-class.tar.zst" | grep -v '/$' | sort)"
	same "what grade-class is going to count" "03-uts-ns 08-pids-max" "$(xargs <"$CLASS/exercises")"
	# In the course's order, and what comes next at the end of a lab is there too.
	same "the first exercise" 03-uts-ns "$(jq -r '.exercises[0]' "$kit/class.json")"
	for id in 03-uts-ns 08-pids-max 16-container; do
		next+=$(tr -d '\n' <"$kit/labs/$id/words.h" | grep -oE '\.next = [^=]*[^,]",' | grep -oE 'make lab-[0-9]+|lab [0-9]+|make progress')$'\n'
	done
	same "the next labs" "make lab-08 make lab-08 make lab-16 make lab-16 make progress" "$(echo "$next" | xargs)"
	# The control: where the class may see worked examples, they are there.
	rules worked_examples true
	run -0 env EXERCISES=3 "$tree/scripts/class/handout"
	[[ $output = *": 1 lab, 1 exercise, "* ]]
	grep -q 'make solution-03' "$kit/GUIDE.md"
	cmp labs/03-uts-ns/solution.c "$kit/labs/03-uts-ns/solution.c"
	[ ! -e "$kit/labs/08-pids-max" ]
}

@test "handout: wrong names and rules are one line each, and nothing is made" {
	own_tree
	run -2 env EXERCISES="99" "$tree/scripts/class/handout"
	[[ $output = *"EXERCISES: there is no 99; expected some of: "*03-uts-ns* ]]
	run -2 env LABS="nonsense" "$tree/scripts/class/handout"
	run -2 "$tree/scripts/class/handout" nonsense
	rules due '"tomorrow, perhaps"'
	run -2 "$tree/scripts/class/handout"
	[[ ${#lines[@]} = 1 && $output = *'class.json: due: expected null or a date and time with its zone like 2027-03-01T23:59:00+01:00, found "tomorrow, perhaps"'* ]] || same said "a line about due" "$output"
	# Which of two instants is it?
	rules due '"2027-03-01T23:59"'
	run -2 "$tree/scripts/class/handout"
	[[ $output = *'due: expected null or a date and time with its zone'* ]]
	rules due null attempts '"many"'
	run -2 "$tree/scripts/class/handout"
	[[ $output = *'attempts: expected a whole number, 0 for any, found "many"'* ]]
	echo '{' >"$CLASS/class.json"
	run -2 "$tree/scripts/class/handout"
	same "what was made" "" "$(ls "$tree/build")"
}

@test "handout: OFFLINE=1 makes an archive that a bare Debian unpacks, and no older one stays" {
	own_tree
	scripts/labvm/kernel --check >/dev/null 2>&1 || skip "the lab VM's kernel is missing (make setup)"
	local bin=$BATS_TEST_TMPDIR/bin bare=$BATS_TEST_TMPDIR/bare kit=$tree/build/unboxed-class tool system
	mkdir "$bin" "$bare"
	# In the place of the network, and of what makes an index and a page.
	cat >"$bin/apt-get" <<'SH'
#!/bin/bash
case $1 in
install) "$ROOT/scripts/setup" --packages | xargs -n 1 | sed "s,.*,'http://a/&' &_1_amd64.deb 1," ;;
download) for name in "${@:4}"; do : >"${name}_1_amd64.deb"; done ;;
esac
SH
	# shellcheck disable=SC2016 # of that shell
	printf '#!/bin/bash\nfor file in *.deb; do echo "Package: ${file%%%%_*}"; done\n' >"$bin/apt-ftparchive"
	printf '#!/bin/bash\necho page >guide.html\n' >"$bin/pandoc"
	chmod +x "$bin"/*
	run -0 env EXERCISES=03 "$tree/scripts/class/handout"
	[ -e "$kit.tar.zst" ]
	ROOT=$ROOT PATH=$bin:$PATH OFFLINE=1 EXERCISES=03 run -0 "$tree/scripts/class/handout"
	same "archives" unboxed-class.tar.gz "$(cd "$tree/build" && echo unboxed-class.tar.*)"
	[[ $output = *"build/unboxed-class.tar.gz: 1 lab, 1 exercise, "* ]]
	# Essential packages' programs alone.
	for tool in tar gzip; do ln -s "$(type -P $tool)" "$BATS_TEST_TMPDIR/bare/$tool"; done
	mkdir "$BATS_TEST_TMPDIR/there"
	(cd "$BATS_TEST_TMPDIR/there" && PATH=$bare tar xf "$kit.tar.gz")
	diff -r "$kit" "$BATS_TEST_TMPDIR/there/unboxed-class"
	grep -q 'tar xf unboxed-class.tar.gz' "$kit/README.md"
	grep -q 'guide.html' "$kit/README.md"
	same "other releases" 0 "$(grep -c '12 or 13' "$kit/README.md")"
	# Its set-up speaks of no network, and of no other release than the packages'.
	printf '#!/bin/bash\nexit 1\n' | tee "$bin/apt-get" >"$bin/dpkg-query"
	printf '#!/bin/bash\n[ "$*" != -u ] || { echo 0; exit; }\nexec /usr/bin/id "$@"\n' >"$bin/id"
	chmod +x "$bin"/*
	PATH=$bin:$PATH run -1 "$kit/scripts/setup"
	[[ $output = *"MB from offline/"* && $output = *"setup: installing packages from offline/"*"could not be read"* && $output != *download* && $output != *fetch* ]] || { echo "$output" && return 1; }
	system=$(<"$kit/offline/release")
	if [ "$system" = "debian 12" ]; then [[ $output != *"nobody has tried"* ]]; fi
	echo "debian 99" >"$kit/offline/release"
	PATH=$bin:$PATH run -1 "$kit/scripts/setup"
	[[ $output = *"the packages in offline/ are for debian 99, and this is $system"* ]]
}

@test "handout: in the kit an exercise is checked, hints need no solution, and work/ is packed" {
	own_tree
	rules hints true due '"2020-01-01T10:00:00Z"' attempts 1
	run -0 env LABS=03 EXERCISES=03 "$tree/scripts/class/handout"
	local kit=$tree/build/unboxed-class manifest
	mkdir "$kit/build"
	cp -a build/{bin,common,made,rootfs,labvm,static} "$kit/build"
	mkdir "$kit/build/labs"
	cp -a build/labs/03-* "$kit/build/labs"
	cd "$kit"
	run -0 make handin </dev/null
	[[ $output = *"nothing is begun"* ]]
	run -0 make exercise-03 </dev/null
	[[ $output = *"fail  its UTS namespace"* ]] || { echo "$output" && return 1; }
	run -0 make hint-03 </dev/null
	run -0 make hint-03 </dev/null
	[[ $output = *"Hint 2 of 2."*"unshare(), sethostname()"* ]]
	run -0 make hint-03 </dev/null
	[[ $(tr '\n' ' ' <<<"$output") = *"Those were all 2 hints. Read make guide-03 once more; then ask your instructor"* ]]
	run -0 make solution-03 </dev/null
	[[ $output = *"without worked examples"* ]]
	cp "$ROOT/labs/03-uts-ns/solution.c" work/03-uts-ns.c
	run -0 make exercise-03 </dev/null
	[[ $output = *"03-uts-ns: all holds"*"All exercises are done."* && $output != *"Your program beside"* ]] || { echo "$output" && return 1; }
	run -0 make handin </dev/null
	[[ $output = *"03-uts-ns: done; file 1 of the 1 that count"*"The due date has passed: Wednesday, 1 January 2020, 10:00 (UTC)."*" of 1 exercise."* ]] || { echo "$output" && return 1; }
	same "packed" "MANIFEST.json 03-uts-ns.c" "$(tar tzf handin-*.tar.gz | xargs)"
	manifest=$(tar xzOf handin-*.tar.gz MANIFEST.json)
	same "digest" "$(sha256sum <work/03-uts-ns.c | cut -d ' ' -f 1)" "$(jq -r '.exercises[0].digest' <<<"$manifest")"
	same "what it says" "unboxed/handin/v1 Kernels 1 true" "$(jq -r '[.format, .class, .number, .exercises[0].begun] | map(tostring) | join(" ")' <<<"$manifest")"
	# The same file once more is no other; a different one is.
	rm handin-*.tar.gz
	run -0 make handin </dev/null
	[[ $output = *"done; file 1 of the 1 that count"* ]]
	echo '/* more */' >>work/03-uts-ns.c
	run -0 make handin </dev/null
	[[ $output = *"different file 2, of which the first 1 count"* ]]
	# A link leads elsewhere: it is not followed.
	ln -sf /etc/passwd work/03-uts-ns.c
	run -2 scripts/handin
	[[ $output = *"work/03-uts-ns.c: expected a regular file"* ]]
	# And a class without hints.
	jq '.hints = false' class.json >new && mv new class.json
	run -1 scripts/exercise hint 03
	[[ $output = *"works without hints"* ]]
}
