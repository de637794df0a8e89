#!/usr/bin/env bats
# bats file_tags=apart
# A student's machine that is a container of podman's without root, as a dev container may be: what can run there runs,
# and the rest says what is missing and how such a container is started. In a lab VM, on a copy of this machine's podman.

load ../helper

parts=(podman crun conmon)

setup() {
	host_only "it boots a lab VM of its own"
	local part
	for part in "${parts[@]}"; do
		type -P "$part" >/dev/null || skip "$part is not installed"
	done
}

# in_container OPTION...: sets said, of tests/peers/podman/machine
in_container() {
	local part carry=()
	for part in $(type -P "${parts[@]}") /usr/libexec/podman; do
		[ ! -e "$part" ] || carry+=(--carry "$part")
	done
	said=$(timeout 400 "$ROOT/scripts/vm" --memory 2G "${carry[@]}" /lab/tests/peers/podman/machine "$@" 2>"$BATS_TEST_TMPDIR/errors" </dev/null 3>&-) || {
		tail -n 20 "$BATS_TEST_TMPDIR/errors"
		return 1
	}
}

# neither: each has passed or says what is missing.
neither() {
	same "neither passed nor told" "" "$(awk -F '\t' '/^[0-9]/ && $2 != 0 && $2 != 77 { print $1, $2, $3 }' <<<"$said")"
}

@test "container: with the options that are told more labs pass, and the others say how the container is started" {
	local before
	in_container
	neither
	same "programs that were tried" "$(basename -a "$LABS"/[0-9]* | grep -vc '\.')" "$(grep -cE '^[0-9]{2}-' <<<"$said")"
	within "labs that name podman's options" 5 60 "$(grep -cE '^[0-9].*start the container with: podman run --' <<<"$said")"
	[[ $said = *$'\ndoctor\tcontainer     yes, by its marks (podman)'* && $said = *$'\ndoctor\tuser          root, but not of the whole machine'* ]]
	before=$(awk -F '\t' '/^[0-9]/ && $2 == 0' <<<"$said" | wc -l)
	in_container --cap-add SYS_ADMIN --cap-add SYS_TIME --security-opt apparmor=unconfined --security-opt unmask=ALL --security-opt seccomp=unconfined
	neither
	within "labs that pass, and did before" $((before + 5)) 60 "$(awk -F '\t' '/^[0-9]/ && $2 == 0' <<<"$said" | wc -l)"
}

@test "container: the dev container's image is one that README says is tested, and it types what README does" {
	local file=$ROOT/.devcontainer/devcontainer.json image
	image=$(jq -er .image "$file")
	[[ $image =~ ^docker\.io/library/debian:([0-9]+)$ ]]
	grep -qE "^\| Debian ${BASH_REMATCH[1]}, .*\| tested [^|]*\|\$" "$ROOT/README.md"
	jq -er .postCreateCommand "$file" | grep -qE '^make setup all doctor$'
	same "what make would do" 0 "$(make -C "$ROOT" -n setup all doctor >/dev/null 2>&1 && echo 0 || echo $?)"
	jq -er .onCreateCommand "$file" | grep -qE '^apt-get update && apt-get install .* git make ca-certificates$'
}
