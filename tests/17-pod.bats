#!/usr/bin/env bats
# 17-pod: its manifests. What --explain says is counted here a second time; what is
# broken is refused with its place, and nothing is started for it.

load helper
program=17-pod

setup() {
	manifest=$BATS_TEST_TMPDIR/pod.yaml
	explain=("$LABS/$program" --explain)
}

# pod LINE...: a Pod of one container, with these lines of the container's from line 8 on.
pod() {
	printf '%s\n' 'apiVersion: v1' 'kind: Pod' 'metadata: {name: p}' 'spec:' '  containers:' \
		'  - name: a' '    image: busybox' "${@/#/    }" >"$manifest"
}

# becomes TEXT WHAT...: the line with TEXT stands beside WHAT, over one line or several.
becomes() {
	local text=$1 what
	shift
	for what; do
		awk -v text="$text" '
			index($0, text) == 1 { on = 1; sub(/^.*-> /, ""); print; next }
			on && substr($0, 1, 36) !~ /[^ ]/ { sub(/^ +(-> )?/, ""); print; next }
			{ on = 0 }' <<<"$output" | xargs -d '\n' | grep -qF -- "$what" && continue
		printf '%s: expected %s in\n%s\n' "$text" "$what" "$output"
		return 1
	done
}

@test "17-pod: explain needs no privilege, tells each line in its order and fits the screen" {
	host_only "the manifests are with the sources"
	local file
	for file in "$ROOT/labs/$program"/*.yaml; do
		run -0 --separate-stderr setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs \
			"${explain[@]}" "$file"
		[ -z "$stderr" ]
		awk 'length > 80 { print FILENAME ": " $0; bad = 1 } END { exit bad }' "$file"
		# shellcheck disable=SC2154 # run sets it
		awk 'length > 80 { print; bad = 1 } END { exit bad }' <<<"$output"
		diff <(sed '/^ \{36\}/d; s/ *-> .*//; /^# What no line says/,$d; s/ *$//' <<<"$output" | sed '$d') "$file"
	done
}

@test "17-pod: without a manifest it is the example, which is in the program" {
	run -0 "${explain[@]}"
	becomes 'metadata:'
	if ! in_vm; then
		diff <("${explain[@]}" "$ROOT/labs/$program/pod.yaml") <("${explain[@]}")
	fi
}

@test "17-pod: explain says the values of Kubernetes' formulas" {
	local mem score
	pod 'resources:' '  requests:' '    cpu: 250m' '    memory: 64Mi' '  limits:' '    cpu: 1500m' '    memory: 0.5Gi'
	run -0 "${explain[@]}" "$manifest"
	mem=$(($(awk '/^MemTotal/ { print $2 }' /proc/meminfo) * 1024))
	score=$((1000 - 1000 * (64 << 20) / mem))
	[ "$score" -lt 1000 ] || score=999
	becomes '        cpu: 250m' "cpu.weight $((1 + (250 * 1024 / 1000 - 2) * 9999 / 262142)) "
	becomes '        cpu: 1500m' 'cpu.max 150000 100000'
	becomes '        memory: 64Mi' "oom_score_adj $score"
	becomes '        memory: 0.5Gi' "memory.max $((1 << 29))"
	becomes "the Pod's group" 'cpu.max 150000 100000' "memory.max $((1 << 29))"
	becomes 'QoS class Burstable' 'mkdir("kubepods-burstable-podUID.slice")'

	run -0 "${explain[@]}" --pod-pids-limit 64 "$manifest"
	becomes "the Pod's group" 'pids.max 64'
}

@test "17-pod: explain names the call of each field, and what is nothing" {
	pod 'command: [sh, -c, exit 3]' 'workingDir: /tmp' 'ports: [{containerPort: 80}]' 'securityContext:' \
		'  runAsUser: 7' '  allowPrivilegeEscalation: false' '  readOnlyRootFilesystem: true' \
		'livenessProbe: {}' 'volumeMounts:' '- name: v' '  mountPath: /v' '  readOnly: true'
	printf '%s\n' '  hostname: web' '  shareProcessNamespace: true' '  volumes:' '  - name: v' '    hostPath: {path: /srv}' >>"$manifest"
	run -0 --separate-stderr "${explain[@]}" "$manifest"
	becomes '  hostname:' 'sethostname("web")'
	becomes 'metadata:' 'nothing: Kubernetes only'
	becomes '  shareProcessNamespace:' 'setns(CLONE_NEWPID)'
	becomes '    command:' 'execve("sh", ["sh", "-c", "exit 3"])'
	becomes '    workingDir:' 'chdir("/tmp")'
	becomes '    ports:' 'nothing: Kubernetes only'
	becomes '      runAsUser:' 'setresuid(7, 7, 7)'
	becomes '      allowPrivilegeEscalation:' 'prctl(PR_SET_NO_NEW_PRIVS, 1)'
	becomes '      readOnlyRootFilesystem:' 'mount(NULL, ".", MS_REMOUNT|MS_BIND|MS_RDONLY)'
	becomes '      mountPath:' 'mount("/srv", "/v", NULL, MS_BIND)'
	becomes '      readOnly:' 'mount(NULL, "/v", NULL, MS_REMOUNT|MS_BIND|MS_RDONLY)'
	becomes '    livenessProbe:' 'nothing: Kubernetes has this field, this lab has not'
	[[ $stderr == "$manifest:15:5: warning: spec.containers[].livenessProbe: "* ]]
}

@test "17-pod: an image that is not busybox needs its folder" {
	pod
	sed -i 's/image: busybox/image: nginx:1/' "$manifest"
	run -2 --separate-stderr "${explain[@]}" "$manifest"
	[[ $stderr == "$manifest:7:5: "*"--image nginx=DIR" ]]
	run -0 "${explain[@]}" --image nginx=/srv/nginx "$manifest"
	becomes '    image:' 'lowerdir=/srv/nginx'
	run -2 "${explain[@]}" --image nginx "$manifest"
	[[ $output == *"expected NAME=DIR"* ]]
}

@test "17-pod: a broken manifest is one line with its place, status 2, and nothing is started" {
	pod 'resources: {limits: {memory: 64MB}}'
	run -2 --separate-stderr "$LABS/$program" "$manifest"
	[ -z "$output" ]
	[ "${#stderr_lines[@]}" = 1 ]
	[[ $stderr == "$manifest:8:34: spec.containers[].resources.limits.memory: expected a quantity "* ]]

	run -2 --separate-stderr strace -f -qq -e trace=process,mount,unshare,sethostname,mkdir "$LABS/$program" "$manifest"
	run ! grep -vE '^(execve|exit_group|.*memory: expected)' <<<"$stderr"

	run -2 --separate-stderr "$LABS/$program" "$BATS_TEST_TMPDIR"
	[[ $stderr == *"expected a file that can be read"* ]]
}

@test "17-pod: manifests cut off after each byte: a place or a Pod, never a signal" {
	local size i status
	pod 'resources: {limits: {cpu: 1, memory: 64Mi}}' 'env: [{name: A, value: "b\n"}]' 'args: [&a x, *a]'
	size=$(stat -c %s "$manifest")
	for ((i = 0; i < size; i++)); do
		head -c "$i" "$manifest" >"$manifest.cut"
		status=0
		"${explain[@]}" "$manifest.cut" >/dev/null 2>"$BATS_TEST_TMPDIR/err" || status=$?
		case $status in
		0) ;;
		2) grep -qE '^[^:]*:[0-9]+:[0-9]+: .' "$BATS_TEST_TMPDIR/err" ;;
		*)
			echo "$i bytes: status $status"
			return 1
			;;
		esac
	done
}

@test "17-pod: the example manifests fit Kubernetes' schema of a Pod" {
	host_only "the manifests are with the sources"
	command -v node >/dev/null || skip "Kubernetes' schema: node is not installed"
	[ -d "$ROOT/build/schema/node_modules" ] || skip "Kubernetes' schema: not here (make setup-dev)"
	run -0 node "$ROOT/tests/schema/validate.js" "$ROOT/build/schema" "$ROOT"/labs/$program/*.yaml
	same documents "$(grep -c '^kind:' "$ROOT"/labs/$program/*.yaml | awk -F: '{ n += $2 } END { print n }') documents" "$output"

	# It would say so.
	sed 's/image: .*/image: [busybox]/' "$ROOT/labs/$program/oom.yaml" >"$manifest"
	run -1 node "$ROOT/tests/schema/validate.js" "$ROOT/build/schema" "$manifest"
}
