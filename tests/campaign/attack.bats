#!/usr/bin/env bats
# What hostile images, manifests and users try, in the lab VM: nothing of it gets through. That each attack does get
# through where its defense is taken out, scripts/check/campaign attack shows.

load ../helper

setup() {
	in_vm || skip "in the lab VM only"
	load attack/attack
}

# all_refused PROGRAM: every second attack, which LAB_SEED chooses; WHOLE=yes takes all.
all_refused() {
	local file=$BATS_TEST_DIRNAME/attack/$1 name through=() count=0 number=0 seed=${LAB_SEED:-$RANDOM}
	echo "# LAB_SEED=$seed chooses half of the attacks" >&3
	while IFS= read -r name; do
		number=$((number + 1))
		[ -n "${WHOLE-}" ] || [ $((number % 2)) = $((seed % 2)) ] || continue
		! attack "$file" "$name" "$LABS/$1" >/dev/null 3>&- || through+=("$name")
		count=$((count + 1))
	done < <(attacks "$file")
	within "attacks" 8 1000 $count
	same "attacks that get through" "" "${through[*]}"
}

@test "attack: no hostile image, volume, path or descriptor is a way out of lab 16's container" {
	all_refused 16-container
}

@test "attack: no hostile manifest or image is a way out of lab 17's Pod" {
	all_refused 17-pod
}
