# From the lines of a run, split at their tabs, to what is written to build/bench.json:
#   {kernel, vm, rounds,
#    "measured": [{place, set, what, runs, us, cpu_us, faults, faults_of_children, peak_kib}...], medians of microseconds,
#    "calls": [{place, what, calls, calls_of_child}...],
#    "rows": [{what, beside, place, value, cpu, unit, goal, verdict}...], "skipped": [{place, what, why}...]}
# value and cpu are ratios of medians of wall and of CPU time, or one figure in its unit, and then cpu is null. On a quiet
# machine both are to meet the goal. Beside other work that of wall time swings, so verdict says which of them has missed.

def median: sort | if length == 0 then null else .[(length - 1) / 2 | floor] end;
def round3: if . == null then null else . * 1000 | round / 1000 end;
def verdict:
	if .goal == null then null
	else [if .value > .goal then "time" else empty end, if .cpu != null and .cpu > .goal then "CPU" else empty end] as $missed
		| if .unit != "x" and $missed != [] then "missed" elif $missed == [] then "met" else "missed: " + ($missed | join(", ")) end
	end;

def rows($kernel; $accel; $rounds): . as $lines
	| ($lines | map(select(.[1] | IN("plain", "grouped", "labs", "vm"))) | group_by(.[0:3]) | map({
		place: .[0][0], set: .[0][1], what: .[0][2], runs: length,
		us: (map(.[3] | tonumber) | median), cpu_us: (map(.[4] | tonumber) | median),
		faults: (map(.[5] | tonumber) | median), faults_of_children: (map(.[6] | tonumber) | median),
		peak_kib: (map(.[7] | tonumber) | median)})) as $times
	| ($lines | map(select(.[1] == "calls") | {place: .[0], what: .[2], calls: (.[3] | tonumber),
		calls_of_child: (.[4] | tonumber)})) as $calls
	| def one($set; $what; $field): $times | map(select(.set == $set and .what == $what)) | .[0][$field];
	# The lab VM's own CPU time is not its client's: there only wall time counts.
	def ratio($set; $what; $beside; $goal):
		one($set; $what; "us") as $a | one($set; $beside; "us") as $b | one($set; $beside; "cpu_us") as $c
		| {what: $what, beside: $beside, place: one($set; $what; "place"), unit: "x", goal: $goal,
			value: (if $a and $b then $a / $b | round3 else null end),
			cpu: (if $a and $c and $c > 0 then one($set; $what; "cpu_us") / $c | round3 else null end)};
	def number($what; $place; $value; $unit; $goal): {what: $what, place: $place, value: ($value | round3), unit: $unit, goal: $goal};
	def ms($set; $what): one($set; $what; "us") | if . then . / 1000 else . end;
	def memory($what): $lines | map(select(.[1] == "vm memory" and .[2] == $what)) | .[0][3] | if . then tonumber else null end;
	def live($set; $place): $lines | map(select(.[0] == $place and .[1] == $set));
	def create($set; $place; $from; $to): live($set; $place) | map(select(.[2] == "create" and (.[3] | tonumber) >= $from
		and (.[3] | tonumber) <= $to) | .[4] | tonumber) | median;
	def later($set; $place; $most): create($set; $place; $most - 9; $most) as $last
		| create($set; $place; 1; 10) as $first | if $last and $first then $last / $first else null end;
	def level($set; $place; $key; $field): live($set; $place) | map(select(.[2] == $key)) | last | if . then .[$field] | tonumber else null end;
	# What the floor does too is the kernel's.
	def live_rows($place; $name):
		(live("live"; $place) | map(select(.[2] == "create") | .[3] | tonumber) | max) as $most
		| def row($what; $set; $value; $unit; $goal):
			number("\($most) live, \($name): \(if $set == "live" then "" else "the floor's " end)\($what)"; $place; $value; $unit;
				if $set == "live" then $goal else null end);
		if $most then
			(("live", "floor live") as $set
				| row("create, beside at 10"; $set; later($set; $place; $most); "x"; 1.25),
				row("kernel memory each"; $set; level($set; $place; "kernel"; 4); "KiB"; null),
				row("Pss of a payload"; $set; level($set; $place; "pss"; 4); "KiB"; 6.5),
				row("Pss of who waits"; $set; level($set; $place; "pss"; 5); "KiB"; null),
				row("teardown each"; $set; level($set; $place; "teardown"; 4) | if . then . / 1000 else . end; "ms";
					if $place == "host" then 0.25 else null end),
				row("kernel memory 1 s after"; $set; level($set; $place; "kernel after"; 4); "KiB"; null))
		else empty end;
	($calls | map(select(.what == "16, everything")) | .[0]) as $everything
	| [
		# The bare floor is a row for the record. The equal one makes the same objects.
		ratio("plain"; "16, net"; "floor, net"; null), ratio("plain"; "16, net"; "equal floor, net"; 1.10),
		ratio("plain"; "floor, net"; "bwrap"; null),
		ratio("plain"; "16, net"; "crun"; 0.12), ratio("plain"; "16, net"; "bwrap"; 0.65),
		ratio("plain"; "16, net"; "unshare"; null),
		ratio("plain"; "16, veth"; "equal floor, veth"; 1.10),
		ratio("grouped"; "16, everything"; "equal floor, everything"; 1.10),
		ratio("grouped"; "16, everything"; "crun"; 0.12), ratio("grouped"; "16, everything"; "runc"; 0.035),
		ratio("grouped"; "16, net, group"; "16, net"; 1.05), ratio("grouped"; "equal floor, net, group"; "equal floor, net"; null),
		ratio("grouped"; "17, pod"; "equal floor, pod"; 1.20),
		ratio("grouped"; "17, pod"; "crun, pod by a script"; 0.07),
		ratio("labs"; "01 -- true"; "unshare --pid --mount-proc"; 0.80),
		ratio("labs"; "03 -- true"; "unshare --uts"; 0.80), ratio("labs"; "04 -- true"; "unshare --ipc"; 0.80),
		number("make lab-01 after one changed line"; "host"; ms("labs"; "make lab-01, rebuilt"); "ms"; 150),
		ratio("vm"; "restored"; "kernel alone"; 0.15), ratio("vm"; "booted"; "kernel alone"; 1.15),
		ratio("vm"; "booted, saved and restored"; "booted"; 1.3),
		ratio("vm"; "make lab-10, to its first line"; "kernel alone"; 0.25),
		number("20 lab VMs at once : one, Pss"; "host"; (if memory("20") then memory("20") / memory("1") else null end); "x"; 6),
		number("a lab VM, Pss"; "host"; (memory("1") | if . then . / 1024 else null end); "MiB"; null),
		number("guest memory after the first prompt"; "host"; (memory("guest") | if . then . / 1024 else null end); "MiB"; 60),
		ratio("plain"; "equal floor, net: again"; "equal floor, net"; null),
		ratio("grouped"; "equal floor, everything: again"; "equal floor, everything"; null),
		number("16, everything: peak memory"; "vm"; one("grouped"; "16, everything"; "peak_kib"); "KiB"; 1400),
		number("16, everything: its page faults"; "vm"; one("grouped"; "16, everything"; "faults"); "faults"; 68),
		number("16, net: its page faults"; "host"; one("plain"; "16, net"; "faults"); "faults"; null),
		number("16, everything: its system calls"; "vm"; $everything.calls; "calls"; 100),
		number("16, everything: its child, until COMMAND"; "vm"; $everything.calls_of_child; "calls"; null),
		live_rows("host"; "net"), live_rows("vm"; "everything"),
		number("groups and processes left after 1 s"; "vm";
			($lines | map(select(.[1] == "left")) | .[0][2] // "" | split(" ") | map(tonumber) | add); ""; 0)
	] | map(select(.value != null) | .verdict = verdict) as $rows
	| {kernel: $kernel, vm: $accel, rounds: $rounds, measured: $times, calls: $calls, rows: $rows,
		skipped: ($lines | map(select(.[1] == "skipped") | {place: .[0], what: .[2], why: .[3]}))};
