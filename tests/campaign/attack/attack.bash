# shellcheck shell=bash disable=SC2034,SC2030,SC2031 # the attacks read what is set here
# Attacks on the labs that run strangers' images and manifests, in the lab VM and nowhere else. tests/campaign/attack/PROGRAM has
# one after another: a line "### NAME<tab>EDIT", then the commands. They end with 0 when the attack got through. EDIT takes
# the defense out of the lab's source (sed -E), which must let it through: scripts/check/campaign attack.

[ -e /etc/unboxed-vm ] || { echo "tests/campaign/attack: this is not the lab VM; nothing is done" >&2 && exit 2; }

# attacks FILE: its names, a line each. attack_of FILE NAME: the commands.
attacks() {
	sed -n 's/^### \([^\t]*\)\t.*/\1/p' "$1"
}
attack_of() {
	awk -F '\t' -v name="### $2" '/^### / { inside = $1 == name; next } inside' "$1"
}

# attack FILE NAME PROGRAM: whether it gets through PROGRAM. The host is a folder in a tmpfs, with what is to be had there.
attack() {
	local status=0 commands process
	commands=$(attack_of "$1" "$2")
	[ -n "$commands" ] || { echo "$1: there is no attack $2" >&2 && exit 2; }
	host=$(mktemp -d /tmp/attack.XXXXXX) program=$3 image=$host/image
	name=web-${host##*.}
	chmod 755 "$host"
	(
		set +e
		cd "$host" || exit 9
		# The labs lie on a disk that is read-only, where nobody could write to them anyway.
		mkdir labs && cp "$program" "labs/${3##*/}" && program=$host/labs/${3##*/} && ln -s "$LABS/../rootfs" .
		mkdir folder volume && echo SECRET >secret && echo SECRET >folder/secret
		chmod -R a+rX . && chmod a+w folder volume
		# Where one is left by "held".
		trap '"$program" kill "$name" && wait' EXIT
		eval "$commands"
	) 2>"$host.err" </dev/null || status=$?
	for process in /proc/[0-9]*; do
		! grep -qs "$host/" "$process/cmdline" || kill -KILL "${process#/proc/}"
	done
	rm -rf "$host" "$host.err"
	return $status
}

# ---- The words of an attack ----

# new_image: a busybox image of the attacker's, in $image.
new_image() {
	cp -r "$LABS/../rootfs/tree" "$image"
	chmod -R a+rX "$image"
}
# run OPTION... -- COMMAND: a container. run_small: one with neither group nor network, which starts at once.
run() {
	timeout 60 "$program" "$@"
}
run_small() {
	timeout 60 "$program" --network none --cgroups=disabled "$@"
}
# as_student COMMAND...: as an ordinary user.
as_student() {
	chown -R 1000:1000 "$host"
	timeout 60 setpriv --reuid 1000 --regid 1000 --clear-groups "$@"
}
# held OPTION...: a container $name; it is there when this returns, and pid is its first process.
held() {
	timeout 60 "$program" --name "$name" "$@" >/dev/null 2>&1 &
	until pid=$("$program" inspect "$name" 2>/dev/null | sed -n 's/.*"Pid": \([0-9]*\).*/\1/p') && [ -n "$pid" ]; do
		kill -0 $! || return 1
		sleep 0.1
	done
}

# new_trap: a program "trap [SECONDS]" in the image. It stops whoever enters the container, and makes their program set-uid.
# They go on for so long (a moment) before it stops them again.
new_trap() {
	cat >"$image/bin/trap" <<-'SH'
		#!/bin/sh
		while :; do
			until kill -STOP -1 2>/dev/null; do :; done
			for process in /proc/[0-9]*; do
				[ "$process" = /proc/1 ] || chmod 4711 "$process/exe" 2>/dev/null
			done
			kill -CONT -1 2>/dev/null
			[ $# = 0 ] || sleep "$1"
		done
	SH
	chmod 755 "$image/bin/trap"
}

# pod LINE...: a manifest with one container, c, of which these are lines. volume NAME LINE: one of its volumes.
pod() {
	local lines=''
	[ $# = 0 ] || lines=$(printf ', %s' "$@")
	printf '%s\n' 'apiVersion: v1' 'kind: Pod' 'metadata: {name: p}' 'spec:' '  containers:' \
		"  - {name: c, image: busybox$lines}" >manifest
}
volume() {
	printf '  volumes:\n  - {name: %s, %s}\n' "$1" "$2" >>manifest
}
