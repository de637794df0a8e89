#!/usr/bin/env bats
# KERNEL=VERSION: which kernel that is, and what is refused. Run as an ordinary user with a cache folder of her own, so
# that nothing of this machine's is used or changed.

load ../helper

setup() {
	host_only "apt, and the cache folder"
	command -v apt-get >/dev/null || skip "no apt-get"
	home=$BATS_TEST_TMPDIR/home
	mkdir -p "$home/.cache/unboxed/kernel"
	cp -r "$ROOT/scripts" "$BATS_TEST_TMPDIR/"
	chmod -R a+rX "$BATS_TEST_TMPDIR/scripts"
}

# kernel WORD...: scripts/labvm/kernel as that user; KERNEL and DEBIAN_ARCHIVE pass.
kernel() {
	as_user labvm/kernel "$@"
}
as_user() {
	local user=()
	if [ "$EUID" = 0 ]; then
		user=(setpriv --reuid=65534 --regid=65534 --clear-groups)
		chown -R 65534:65534 "$home"
		chmod 755 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" "$BATS_TEST_TMPDIR" "$BATS_RUN_TMPDIR"/*
	fi
	env -u XDG_CACHE_HOME HOME="$home" "${user[@]}" "$BATS_TEST_TMPDIR/scripts/$1" "${@:2}"
}

# there NAME: a kernel in her cache.
there() {
	local folder=$home/.cache/unboxed/kernel/$1
	mkdir "$folder"
	echo 1 | tee "$folder/vmlinux" "$folder/modules.cpio" >"$folder/layout"
	echo "$1" >"$folder/version"
}

@test "versions: a beginning means the newest that is there, number by number" {
	local name
	for name in 99.1.0-9-cloud-x 99.1.0-10-cloud-x 99.12.3+deb1-cloud-x 99.12.20+deb1-cloud-x; do there $name; done
	for name in 99.1=99.1.0-10-cloud-x 99.1.0-9=99.1.0-9-cloud-x 99.12=99.12.20+deb1-cloud-x 99=99.12.20+deb1-cloud-x; do
		KERNEL=${name%=*} run -0 kernel --path
		same "KERNEL=${name%=*}" "${name#*=}" "${output##*/}"
	done
	KERNEL=99.2 run -1 kernel --path
	[[ $output = *"KERNEL=99.2: no such kernel is here yet"* ]]
	KERNEL=/99.1 run -1 kernel --path
	[[ $output = *"KERNEL=/99.1: no such file"* ]]
}

@test "versions: one that the archives have not is refused with those that they have" {
	printf '%s\n' '98.1.0-3-cloud-x 98.1.44-1 suite' '98.7.1+deb1-cloud-x 98.7.1-1 -' >"$home/.cache/unboxed/kernel/archives"
	KERNEL=98.5 run -1 kernel
	[[ $output = *"KERNEL=98.5: expected a file, or the beginning of a version that Debian's archives have. They have"*98.1\;* ]]
	KERNEL=98.7 run -1 kernel
	[[ $output = *"of 98.7.1+deb1-cloud-x they no longer have the modules"* && $output != *" 98.7;"* ]]
	run -0 kernel --list
	same "lines of kernels" "98.1.0-3-cloud-x 98.7.1+deb1-cloud-x" "$(awk '/^98/ { print $1 }' <<<"$output" | sort | xargs)"
	same "what it leaves" "archives" "$(ls "$home/.cache/unboxed/kernel")"
}

@test "versions: who names one wants the lab on it, not on this machine" {
	ln -s "$ROOT/build" "$BATS_TEST_TMPDIR/build"
	printf '%s\n' '98.1.0-3-cloud-x 98.1.44-1 suite' >"$home/.cache/unboxed/kernel/archives"
	KERNEL=98.5 run -77 as_user lab 03 --plain
	[[ $output = *"KERNEL=98.5: expected a file"* && $output != *pass* ]] || same "what is said" "no such kernel" "$output"
	KERNEL=98.5 WHERE=host run as_user lab 03 --plain
	[[ $output = *"runs on this machine"*"WHERE=host"* ]] || same "with WHERE=host" "on this machine" "$output"
}

@test "versions: an archive that Debian has not signed is refused" {
	local at=$BATS_TEST_TMPDIR/archive/debian/dists suite
	[ -r /usr/share/keyrings/debian-archive-keyring.gpg ] || skip "no debian-archive-keyring"
	for suite in sid trixie bookworm-backports; do
		mkdir -p "$at/$suite/main/binary-$(dpkg --print-architecture)"
		printf 'Package: linux-image-97.1.0-1-cloud-%s\nVersion: 97.1\nArchitecture: %s\nFilename: pool/x.deb\nSize: 1\nSHA256: %064d\n\n' \
			"$(dpkg --print-architecture)" "$(dpkg --print-architecture)" 0 >"$at/$suite/main/binary-$(dpkg --print-architecture)/Packages"
		(cd "$at/$suite" && apt-ftparchive release . >../Release 2>/dev/null && mv ../Release Release) ||
			printf 'Codename: %s\nSuite: %s\n' $suite $suite >"$at/$suite/Release"
	done
	KERNEL=97.1 DEBIAN_ARCHIVE=file:$BATS_TEST_TMPDIR/archive/debian/ run -1 kernel
	[[ $output = *"is not signed"* && $output = *"KERNEL=97.1: no list of file:"*" can be had"* ]] || same "what is said" "not signed" "$output"
	same "what it leaves" "" "$(ls "$home/.cache/unboxed/kernel")"
}
