# shellcheck shell=bash disable=SC2154 # scripts/labvm/kernel, which loads this file, has set cache and user_cache, and works in $work
# Kernels by version, KERNEL=5.10, from Debian's archives. apt has sources, lists and a status of its own here, so that
# the machine's stay as they are, and it refuses what Debian has not signed.

# Where kernels are that Debian has built, a suite a word; the smaller of two that have the same comes first. An archive
# may lack an old one.
debian_suites="bullseye-security bookworm-security trixie-security bookworm-backports trixie-backports
	bullseye bookworm trixie sid"
keys=/usr/share/keyrings/debian-archive-keyring.gpg
asked=${KERNEL:+KERNEL=$KERNEL: }

is_version() {
	[[ $1 =~ ^[0-9]+(\.[0-9]+)*([-+~][a-zA-Z0-9.+~-]*)?$ ]]
}
# begins NAME WORD: 6.1 begins 6.1.0-56-cloud-amd64, and does not begin 6.12.
begins() {
	[[ $1 = "$2" || $1 = "$2"[-.+~]* ]]
}

# version_folder WORD: prints the folder of the newest kernel in the cache whose version begins so.
version_folder() {
	local place name
	name=$(for place in "$user_cache" "$system_cache"; do
		for name in "$place"/kernel/[0-9]*; do
			! begins "${name##*/}" "$1" || ! usable "$name" || echo "${name##*/}"
		done
	done | sort -V | tail -n 1)
	[ -n "$name" ] || return 1
	for place in "$user_cache" "$system_cache"; do
		! usable "$place/kernel/$name" || { echo "$place/kernel/$name" && return; }
	done
}

# uri_of SUITE: of this machine's own archive of Debian, or of the one that is named.
uri_of() {
	local of=debian
	[[ $1 != *-security ]] || of=debian-security
	# shellcheck disable=SC2016 # apt's own variable
	[ -n "${DEBIAN_ARCHIVE-}" ] || DEBIAN_ARCHIVE=$(apt-get indextargets --format '$(REPO_URI)' 2>/dev/null | awk '/\/debian\/$/ && !n++')
	[ -n "$DEBIAN_ARCHIVE" ] ||
		die "${asked}no source of this machine's apt is an archive of Debian: name one, DEBIAN_ARCHIVE=http://.../debian/"
	echo "${DEBIAN_ARCHIVE%debian/}$of/"
}
# apt_of COMMAND WORD...: an apt that knows nothing of this machine, for what want_suites asked for.
apt_of() {
	"apt-$1" -o Dir::State="$work/state" -o Dir::State::status="$work/status" -o Dir::State::lists="$work/state/lists" \
		-o Dir::Cache="$work/cache" -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=/dev/null \
		-o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null -o Acquire::Languages=none \
		-o Acquire::AllowInsecureRepositories=false -o APT::Get::AllowUnauthenticated=false \
		-o APT::Sandbox::User="$(id -un)" "${@:2}"
}
# want_suites SUITE...: fetches their lists. False when one cannot be had; what apt said is in $work/log.
want_suites() {
	local suite uri
	for tool in apt-get dpkg; do
		command -v $tool >/dev/null || die "$asked$tool is missing: kernels by version can be had on Debian and what descends from it; or KERNEL=FILE"
	done
	[ -r $keys ] || die "$asked$keys is missing, by which Debian's signatures are checked: install debian-archive-keyring"
	mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial"
	: >"$work/status"
	for suite; do
		uri=$(uri_of "$suite") || exit 1
		echo "deb [signed-by=$keys] $uri $suite main"
	done >"$work/sources.list"
	apt_of get -qq update >"$work/log" 2>&1
}

# archive_table: what the archives have, a line each, the newest last: NAME LINUX SUITE; SUITE is - where the modules are
# missing. It is kept for a
# day, and for an hour when a list is missing.
archive_table() {
	local table=$cache/kernel/archives new suite file age=now
	[ -z "$(find "$table" -mmin -1440 2>/dev/null)" ] || { cat "$table" && return; }
	echo "kernel: reading the lists of Debian's archives (50 MB)" >&2
	begin_work
	# shellcheck disable=SC2086 # words
	want_suites $debian_suites || { age="23 hours ago" && grep '^E:' "$work/log" >&2; } || :
	# shellcheck disable=SC2016 # apt's own variables
	apt_of get indextargets --format '$(RELEASE) $(FILENAME)' 'Created-By: Packages' | while read -r suite file; do
		[ ! -e "$file" ] || /usr/lib/apt/apt-helper cat-file "$file" | awk -v suite="$suite" '
			$1 == "Package:" { name = $2; wants = "" }
			$1 == "Version:" { version = $2 }
			$1 == "Depends:" && match($0, /linux-modules-[^ ,]*/) { wants = substr($0, RSTART, RLENGTH) }
			!NF && name ~ /^linux-(image|modules)-[0-9]+\.[0-9]+\./ { print name, version, suite, wants }'
	done >"$work/packages"
	# An image whose modules an archive has no more cannot be had.
	new=$(awk -v flavor="$(flavor)" 'NR == FNR { have[$1]; next }
		sub(/^linux-image-/, "", $1) && $1 ~ "-" flavor "$" { print $1, $2, $4 == "" || $4 in have ? $3 : "-" }' \
		"$work/packages" "$work/packages" | sort -s -k 1,1V | awk '!seen[$1]++')
	[ -n "$new" ] || die "${asked}no list of $(uri_of "") can be had: is there a network? $(tail -n 1 "$work/log")"
	printf '%s\n' "$new" >"$table.$$"
	touch -d "$age" "$table.$$"
	mv "$table.$$" "$table"
	cat "$table"
}
# The kernels for small machines: Debian's "cloud", where there is one for this architecture.
flavor() {
	case $(dpkg --print-architecture) in
	amd64 | arm64) echo "cloud-$(dpkg --print-architecture)" ;;
	*) dpkg --print-architecture ;;
	esac
}

# fetch_version WORD: the newest whose version begins so, from the archives to its folder.
fetch_version() {
	# shellcheck disable=SC2034 # install_packages sets them
	local name linux suite found='' gone='' has list image version
	has=$(archive_table)
	while read -r name linux suite; do
		begins "$name" "$1" || begins "$linux" "$1" || continue
		if [ "$suite" = - ]; then gone="; of $name they no longer have the modules"; else found="$name $linux $suite"; fi
	done <<<"$has"
	[ -n "$found" ] || die "${asked}expected a file, or the beginning of a version that Debian's archives have$gone. They have
$(awk '$3 != "-"' <<<"$has" | sed -E 's/^([0-9]+\.[0-9]+).*/\1/' | uniq | paste -sd' '); scripts/labvm/kernel --list tells all"
	read -r name linux suite <<<"$found"
	if usable "$cache/kernel/$name" && ! damaged "$cache/kernel/$name" >/dev/null; then
		echo "kernel: Linux $name is there"
		return
	fi
	begin_work
	want_suites "$suite" || die "${asked}the list of $suite cannot be had from $(uri_of "$suite"):
$(tail -n 5 "$work/log")"
	mapfile -t list < <(packages apt_of cache -- "linux-image-$name")
	[ ${#list[@]} -gt 0 ] || die "$asked$suite no longer has linux-image-$name: remove $cache/kernel/archives"
	echo "kernel: downloading Linux $name from $suite"
	(cd "$work" && apt_of get download -qq "${list[@]}") >"$work/log" 2>&1 || die "the download of ${list[*]} failed:
$(tail -n 5 "$work/log")"
	install_packages "${list[@]}"
}

# list_kernels: what the archives have and what is there, the newest first.
list_kernels() {
	local has name linux suite here
	has=$(archive_table)
	echo "Kernels of Debian's archives. KERNEL=7 or KERNEL=6.12 means the newest that begins so."
	{
		printf 'VERSION\tLINUX\tARCHIVE\n'
		tac <<<"$has" | while read -r name linux suite; do
			here=
			[ "$suite" != - ] || suite="(no modules)"
			! version_folder "$name" >/dev/null || here="here"
			printf '%s\t%s\t%s\t%s\n' "$name" "$linux" "$suite" "$here"
		done
	} | column -t -s $'\t'
	for name in "$user_cache"/kernel/[0-9]* "$system_cache"/kernel/[0-9]*; do
		! usable "$name" || grep -q "^${name##*/} " <<<"$has" || echo "${name##*/}  here, and in the archives no more"
	done | sort -u
}
