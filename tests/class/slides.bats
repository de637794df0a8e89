#!/usr/bin/env bats
# bats file_tags=apart
# Slides and recordings need no network, and hold what the plan in GUIDE.md says.

load ../helper

setup() {
	host_only "the lab VM has no browser and no recorder"
	cd "$ROOT" || return
	scripts/class/npm/fetch --check 2>/dev/null || skip "reveal.js is missing (make setup-class)"
}

# seen SLIDES RECORDING: nothing is wrong with them in a browser, where there is one.
seen() {
	if [ ! -x /usr/bin/chromium ] || [ ! -d build/web/node_modules/puppeteer-core ]; then return; fi
	run -0 timeout 100 node tests/class/keys.mjs "$1" "$2"
	same "in a browser" "" "$output"
}

@test "slides: slides of a plan: each question, command and picture, notes, and nothing from elsewhere" {
	type -P pandoc >/dev/null || skip "pandoc is missing (make setup-class)"
	local tree=$BATS_TEST_TMPDIR/tree file asks
	mkdir -p "$tree/build"
	cp -a scripts labs GUIDE.md "$tree"
	cp -a build/class-npm "$tree/build"
	file=$tree/build/slides-45.html
	run -0 env PLAN=45 "$tree/scripts/class/slides"
	asks=$(awk '/^### / { mine = $2 == 45 } mine && /^  Ask: / { sub(/^  Ask: /, ""); print }' GUIDE.md)
	[ -n "$asks" ]
	same "slides" "$(($(wc -l <<<"$asks") * 2))" "$(grep -c '<section id=.* class="slide level2"' "$file")"
	same "notes" "$(($(wc -l <<<"$asks") * 2))" "$(grep -c '<aside class="notes">' "$file")"
	same "pictures without words" 0 "$(grep -c '<img[^>]*alt=""' "$file" || :)"
	same "what a browser would fetch" "" "$(grep -oE '(<script[^>]* src|<link[^>]* href|<img[^>]* src)="[^d'"'"'][^"]{0,60}' "$file" || :)"
	grep -q 'make lab-03' "$file"
	grep -q '<h1 class="title">What a container is</h1>' "$file"
	seen "$file" -
	run -2 env PLAN=46 "$tree/scripts/class/slides"
	[[ $output = *"PLAN=46: expected one of: 45 90 180"* ]]
}

@test "slides: a recording holds a lab's whole story, step by step, and is no recording when the lab fails" {
	type -P asciinema >/dev/null || skip "asciinema is missing (make setup-class)"
	local tree=$BATS_TEST_TMPDIR/tree cast
	mkdir -p "$tree/build"
	cp -a scripts labs "$tree"
	cp -a build/labs build/bin build/class-npm "$tree/build"
	# A lab that begins late, as one whose VM boots, has its pauses all the same.
	printf '#!/bin/sh\ncase " $* " in *" --step "*) sleep 4 ;; esac\nexec "%s" "$@"\n' "$ROOT/build/labs/03-uts-ns" >"$BATS_TEST_TMPDIR/slow"
	chmod +x "$BATS_TEST_TMPDIR/slow"
	cp "$BATS_TEST_TMPDIR/slow" "$tree/build/labs/03-uts-ns"
	PAUSE=1 run -0 timeout 200 "$tree/scripts/class/record" 03
	cast=$tree/build/recordings/03-uts-ns.cast
	same "size" "100 30" "$(head -n 1 "$cast" | jq -r '"\(.width) \(.height)"')"
	same "the end" "03-uts-ns: pass, 12 checks" "$(jq -rj 'select(type == "array") | .[2]' "$cast" | sed 's/\x1b\[[0-9;?]*[A-Za-z]//g' | tr -d '\r' | grep . | tail -n 1)"
	same "steps less than a second apart" 0 "$(jq -s '[.[1:][] | select(.[2] | test("\u001b\\[1m[1-9][.] ")) | .[0]] | [., .[1:]] | transpose | map(select(.[1] != null and .[1] - .[0] < 0.9)) | length' "$cast")"
	within "seconds that it lasts" 3 60 "$(tail -n 1 "$cast" | jq '.[0] | floor')"
	same "what the page fetches" "" "$(grep -oE '<(script|link|img)[^>]* (src|href)=' "$tree/build/recordings/03-uts-ns.html" || :)"
	grep -q 'As text' "$tree/build/recordings/03-uts-ns.html"
	grep -q '<title>03-uts-ns: A hostname of its own</title>' "$tree/build/recordings/03-uts-ns.html"
	seen - "$tree/build/recordings/03-uts-ns.html"
	# The lab's own checks fail: nothing is kept.
	rm "$tree"/build/recordings/*
	printf '#!/bin/sh\ncase " $* " in *" --about "* | *" --can-run "*) exec "%s" "$@" ;; esac\nexit 1\n' "$ROOT/build/labs/03-uts-ns" >"$BATS_TEST_TMPDIR/false"
	chmod +x "$BATS_TEST_TMPDIR/false"
	cp "$BATS_TEST_TMPDIR/false" "$tree/build/labs/03-uts-ns"
	PAUSE=1 run -1 timeout 200 "$tree/scripts/class/record" 03
	[[ $output = *"ended with 1"* ]]
	same "what was kept" "" "$(ls "$tree/build/recordings")"
}
