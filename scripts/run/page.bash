# shellcheck shell=bash

# page TEXT: by the user's pager where standard output is a terminal.
page() {
	local pager
	read -ra pager <<<"${PAGER:-less -R}"
	if [ -t 1 ] && type -P "${pager[0]}" >/dev/null; then
		"${pager[@]}" <<<"$1"
	else
		printf '%s\n' "$1"
	fi
}
