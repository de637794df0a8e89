# shellcheck shell=bash disable=SC2034,SC2154 # the script that loads this file reads what is set here
# Which lab, and which of its programs, is meant. A lab is NN-name; its programs are NN-name, NN-name-more and
# NN-name-more-WORD. $root is the folder of the tree.

# find_all: sets programs, the names of all programs that are built, and labs, those of the labs alone.
find_all() {
	local path name
	programs=() labs=()
	for path in "$root"/build/labs/[0-9][0-9]-*; do
		name=${path##*/}
		[[ $name != *.* && -f $path ]] || continue
		programs+=("$name")
		[[ $name = *-more || $name = *-more-* ]] || labs+=("$name")
	done
}

# course: the labs in the order in which the course takes them, a line each: after those that a lab builds on (.after in
# its source), and of several that could come next the one with the lowest number. All that has an order asks here.
course() {
	awk '/^\t\.id = / { split($0, word, "\""); id = word[2]; ids[++n] = id; known[id] }
		/^\t\.after = / { split($0, word, "\""); after[id] = word[2] }
		END { for (left = n; left > 0; left--) {
			for (i = 1; i <= n; i++) {
				m = split(after[ids[i]], before, " ")
				for (ready = !(ids[i] in told); ready && m > 0; m--) ready = before[m] in told || !(before[m] in known)
				if (ready) break
			}
			if (i > n) exit 1
			told[ids[i]]
			print ids[i]
		} }' "$root"/labs/[0-9][0-9]-*/main.c
}

# find_among WORD ID...: sets id to the one of these that WORD names: 5, 05, 05-user-ns or user-ns. False when
# none or several are meant.
find_among() {
	local name=$1 candidate found=()
	[[ ! $name =~ ^[0-9]$ ]] || name=0$name
	for candidate in "${@:2}"; do
		case $candidate in "$name" | "$name"-* | [0-9][0-9]-"$name") found+=("$candidate") ;; esac
	done
	id=${found[0]-}
	[ ${#found[@]} = 1 ]
}

# find_program WORD: as find_among() among the labs that are built, and NN/more, NN/more-WORD. Sets id and name,
# that of the program. Returns 3 when nothing is built, 2 when there is no such lab or program, with the reason in
# problem.
find_program() {
	local more=
	find_all
	if [ ${#labs[@]} = 0 ]; then
		problem="nothing is built yet; type: make setup all"
		return 3
	fi
	[[ $1 != */* ]] || more=-${1#*/}
	if ! find_among "${1%%/*}" "${labs[@]}"; then
		problem="there is no lab ${1%%/*}; expected one of: ${labs[*]}"
		return 2
	fi
	name=$id$more
	[[ " ${programs[*]} " != *" $name "* || $1 = */ ]] || return 0
	local further=''
	for name in "${programs[@]}"; do [[ $name != "$id"-more* ]] || further+=" ${name#"$id"-}"; done
	problem="$id has no ${1#*/}; expected${further:- $id alone}"
	return 2
}
