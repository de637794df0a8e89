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

# lacks: what is missing in the guide, a line a thing, with its chapter and part. What has an exercise is
# known by its solution, what is a lab by its folder; nothing is listed.
lacks() {
	local labs exercises
	labs=$(cd labs && echo [0-9][0-9]-*)
	exercises=$(cd labs && printf '%s ' */solution.c)
	LABS=$labs EXERCISES=${exercises//\/solution.c/} awk '
		function wrong(what) { print (id ? id : "the glossary") ": " what }
		function item_ends() {
			if (item == "") return
			items++
			if (item !~ /^[0-9]+\. \*[^* ][^*]*\?\* +[^ *].*\.$/ || item + 0 != items)
				wrong("Three questions: expected *A question?* and its answer, got " substr(item, 1, 60))
			item = ""
		}
		function chapter_ends(   i) {
			item_ends()
			if (id == "") return
			for (i = 1; i <= parts; i++)
				if (!index(text, "**" part[i])) wrong("no part **" part[i])
			if (index(" " ENVIRON["EXERCISES"], " " id " ") && !index(text, "**The exercise")) wrong("no part **The exercise")
			if (!console) wrong("no console block")
			if (items != 3) wrong("Three questions: expected 3, got " items)
			if (!index(" " ENVIRON["LABS"] " ", " " id " ")) wrong("a chapter without a lab")
			if (id in seen) wrong("a second chapter of this name")
			seen[id]
		}
		BEGIN {
			parts = split("The idea;Predict;Run it;By hand;In Docker;In Kubernetes;What goes wrong in practice;Three questions;Man pages", part, ";")
		}
		/^```/ { block = !block; if (block && $0 == "```console") console = 1; next }
		block { next }
		/^## / {
			chapter_ends()
			id = $2 ~ /^[0-9][0-9]-/ ? $2 : ""
			sub(/:$/, "", id)
			text = ""; items = console = asks = 0
		}
		/^###? / { glossary = $2 == "Glossary" }
		glossary && /^\|/ { rows++ }
		{ text = text " " $0 } # a bold word may go over the end of a line
		/^\*\*/ { item_ends(); asks = /^\*\*Three questions\.\*\*$/; next }
		asks && /^[0-9]+\. / { item_ends(); item = $0; next }
		asks && NF { sub(/^ +/, ""); item = item " " $0 }
		END {
			chapter_ends()
			id = ""
			if (rows - 2 < 1 || rows - 2 > 40) wrong("expected 1 to 40 rows, got " rows - 2)
			labs = split(ENVIRON["LABS"], lab, " ")
			for (i = 1; i <= labs; i++)
				if (!(lab[i] in seen)) { id = lab[i]; wrong("a lab without a chapter") }
		}' GUIDE.md
}

@test "guide: each chapter has all its parts" {
	host_only "the labs' folders are here"
	run lacks
	[ "$status" = 0 ] && [ -z "$output" ] || {
		echo "$output"
		return 1
	}
}
