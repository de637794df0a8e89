/*
 * options.c: docker run's options. One table has a row for each: how it is read, and what it
 * becomes. Of a limit a row of limits.c is what life.c writes, and what --explain prints of it. The
 * options that are not run here stand in it as well, with what docker does for them.
 */
#define _GNU_SOURCE
#include "container.h"

#define TEXT(member, named, letters, words, is_wrong) \
	{ \
		named, LAB_TEXT, &asked.member, .help = words, .letter = letters, \
						.wrong = is_wrong \
	}
#define TEXTS(member, named, letters, words, is_wrong) \
	{ \
		named, LAB_TEXTS, &asked.member, .help = words, .letter = letters, \
						 .wrong = is_wrong \
	}
#define FLAG(member, named, letters, words) \
	{ \
		named, LAB_FLAG, &asked.member, .help = words, .letter = letters \
	}
#define CHOICE(member, named, list, words) \
	{ \
		named, LAB_CHOICE, &asked.member, .help = words, .choices = list \
	}
/* One that is not run here, with a value or without. */
#define OTHER(named, letters, what) \
	{ \
		{named, LAB_TEXT, .letter = letters}, .words = what \
	}
#define OTHER_FLAG(named, letters, what) \
	{ \
		{named, LAB_FLAG, .letter = letters}, .words = what \
	}

const struct row option_rows[] = {
	/* In the order in which a container gets them. */
	{{"memory", LAB_SIZE, &asked.container.memory, 0, 1LL << 50,
		"its limit of memory, memory.max", 'm'}},
	{TEXT(memory_swap, "memory-swap", 0, "memory and swap together; -1: no limit", wrong_swap)},
	{{"memory-reservation", LAB_SIZE, &asked.container.reservation, 0, 1LL << 50,
		"it is reclaimed last, memory.low"}},
	{TEXT(cpus, "cpus", 0, "its limit of CPUs, cpu.max", wrong_cpus)},
	{TEXT(cpu_quota, "cpu-quota", 0, "microseconds of a CPU in each period", wrong_quota)},
	{{"cpu-period", LAB_NUMBER, &asked.container.cpu_period, 0, 1000000,
		"that period, in microseconds"}},
	{{"cpu-shares", LAB_NUMBER, &asked.container.cpu_shares, 0, 262144,
		"its weight beside others, cpu.weight", 'c'}},
	{TEXT(container.cpuset, "cpuset-cpus", 0, "the CPUs it may use, cpuset.cpus",
		wrong_cpuset)},
	{TEXT(pids, "pids-limit", 0, "its limit of tasks, pids.max", wrong_pids)},
	{CHOICE(cgroups, "cgroups", "enabled disabled", "disabled: no group of its own"),
		explain_cgroups},
	{TEXT(container.name, "name", 0, "its name, for ps, exec ...", wrong_name), explain_name},
	{CHOICE(pid, "pid", "host", "the host's processes, no CLONE_NEWPID"), explain_pid},
	{{"hostname", LAB_NAME, &asked.container.hostname, 1, 63, "its hostname, sethostname(2)",
		 'h'},
		explain_hostname},
	{CHOICE(uts, "uts", "host", "the host's hostname, setns(2)"), explain_uts},
	{CHOICE(ipc, "ipc", "private host", "the host's System V IPC, setns(2)"), explain_ipc},
	{CHOICE(network, "network", "none bridge host", "its network"), explain_bridge},
	{TEXT(ip, "ip", 0, "its address on the bridge", wrong_ip), explain_ip},
	{{"image", LAB_NAMED_PATH, &asked.images, .help = "the folder of an image word",
		.wrong = wrong_image_folder}},
	{{"rootfs", LAB_PATH_IN, &asked.rootfs, .help = "a folder: its image"}, explain_rootfs},
	{{"keep", LAB_PATH_IN_OUT, &asked.keep, .help = "a folder for the files that it writes"},
		explain_keep},
	{FLAG(rm, "rm", 0, "accepted: nothing of it stays in any case"), explain_rm},
	{FLAG(privileged, "privileged", 0, "nothing is taken away or hidden"), explain_privileged},
	{{"volume", LAB_VOLUME, &asked.volumes, .help = "a bind mount", .letter = 'v',
		 .wrong = wrong_volume},
		explain_volumes},
	{TEXTS(tmpfs, "tmpfs", 0, "PATH[:OPTIONS], a tmpfs(5)", wrong_tmpfs), explain_tmpfs},
	{FLAG(container.root.read_only, "read-only", 0, "mount its root with MS_RDONLY"),
		explain_read_only},
	{TEXT(container.workdir, "workdir", 'w', "where COMMAND begins", wrong_workdir),
		explain_workdir},
	{FLAG(container.tty, "tty", 't', "a terminal of its own, pty(7)"), explain_tty},
	{FLAG(interactive, "interactive", 'i', "accepted: standard input always stays open"),
		explain_interactive},
	{FLAG(detach, "detach", 'd', "print the id, go on in the background"), explain_detach},
	{TEXTS(ulimits, "ulimit", 0, "NAME=SOFT[:HARD], setrlimit(2)", wrong_ulimit),
		explain_ulimit},
	{TEXT(container.oom_score_adj, "oom-score-adj", 0, "whom the kernel kills first",
		 wrong_score),
		explain_oom_score_adj},
	{TEXTS(cap_drop, "cap-drop", 0, "take a capability away", wrong_capability),
		explain_cap_drop},
	{TEXT(user, "user", 'u', "USER[:GROUP], setresuid(2)", wrong_user), explain_user},
	{TEXTS(cap_add, "cap-add", 0, "leave a capability more", wrong_capability),
		explain_cap_add},
	{TEXTS(security, "security-opt", 0, "no-new-privileges, seccomp=unconfined",
		 wrong_security),
		explain_security},
	{FLAG(container.init, "init", 0, "run an init as PID 1, which reaps"), explain_init},
	{TEXTS(env, "env", 'e', "NAME=VALUE", wrong_env), explain_env},
	{TEXT(signal, "signal", 's', "the signal that kill sends", NULL)},
	{FLAG(explain, "explain", 0, "print what each option becomes")},

	/* What docker has besides. */
	OTHER("add-host", 0,
		"a line of /etc/hosts, which dockerd writes; --volume FILE:/etc/hosts"),
	OTHER("annotation", 0, "a note for the runtime; the kernel never sees it"),
	OTHER("attach", 'a',
		"which streams the docker client shows; COMMAND has those of this program"),
	OTHER("blkio-weight", 0, "io.weight of the group; lab 12 limits a disk"),
	OTHER("blkio-weight-device", 0, "io.weight of the group; lab 12 limits a disk"),
	OTHER("cgroup-parent", 0,
		"the group below which the container's is made; here it is the run's"),
	OTHER("cgroupns", 0, "unshare(CLONE_NEWCGROUP), which is always made here; lab 07"),
	OTHER("cidfile", 0,
		"a file into which the docker client writes the id; --detach prints it"),
	OTHER("cpu-count", 0, "an option for Windows"),
	OTHER("cpu-percent", 0, "an option for Windows"),
	OTHER("cpu-rt-period", 0, "a file of cgroup v1; v2 has none for real-time processes"),
	OTHER("cpu-rt-runtime", 0, "a file of cgroup v1; v2 has none for real-time processes"),
	OTHER("cpuset-mems", 0,
		"cpuset.mems of the group; it needs a machine with several memory nodes"),
	OTHER("detach-keys", 0, "the keys that detach the docker client; this program stays"),
	OTHER("device", 0, "mknod(2) in /dev and a rule of the device program; lab 13"),
	OTHER("device-cgroup-rule", 0, "a rule of the device program; lab 13"),
	OTHER("device-read-bps", 0, "rbps in io.max of the group; lab 12 writes it"),
	OTHER("device-read-iops", 0, "riops in io.max of the group; lab 12 writes it"),
	OTHER("device-write-bps", 0, "wbps in io.max of the group; lab 12 writes it"),
	OTHER("device-write-iops", 0, "wiops in io.max of the group; lab 12 writes it"),
	OTHER_FLAG("disable-content-trust", 0,
		"whether an image's signature is checked; none is pulled"),
	OTHER("dns", 0,
		"a line of /etc/resolv.conf, which dockerd writes; --volume FILE:/etc/resolv.conf"),
	OTHER("dns-option", 0, "a line of /etc/resolv.conf, as --dns"),
	OTHER("dns-search", 0, "a line of /etc/resolv.conf, as --dns"),
	OTHER("domainname", 0,
		"setdomainname(2), in the UTS namespace; lab 03 is about its neighbor"),
	OTHER("entrypoint", 0, "the first words of execve(2); type the program as COMMAND"),
	OTHER("env-file", 0, "a file of lines that the docker client reads, each an --env"),
	OTHER("expose", 0,
		"a note in dockerd's record; the kernel opens and closes nothing for it"),
	OTHER("gpus", 0,
		"device nodes and libraries that the vendor's hook adds; lab 13 for the nodes"),
	OTHER("group-add", 0,
		"setgroups(2) with one group more; here there is none besides --user's"),
	OTHER("health-cmd", 0, "a program that dockerd starts again and again, as exec does"),
	OTHER("health-interval", 0, "how often dockerd starts --health-cmd"),
	OTHER("health-retries", 0, "how often --health-cmd may fail"),
	OTHER("health-start-interval", 0, "how often dockerd starts --health-cmd at first"),
	OTHER("health-start-period", 0, "how long --health-cmd may fail at first"),
	OTHER("health-timeout", 0, "how long --health-cmd may take"),
	OTHER("io-maxbandwidth", 0, "an option for Windows"),
	OTHER("io-maxiops", 0, "an option for Windows"),
	OTHER("ip6", 0, "an address as --ip, RTM_NEWADDR; the bridge here has IPv4 alone"),
	OTHER("isolation", 0, "an option for Windows"),
	OTHER("kernel-memory", 0, "a file of cgroup v1 that kernels no longer have"),
	OTHER("label", 'l', "a note in dockerd's record; the kernel never sees it"),
	OTHER("label-file", 0, "a file of such notes, as --label"),
	OTHER("link", 0, "lines of /etc/hosts and variables for another container; --ip and --env"),
	OTHER("link-local-ip", 0, "one more address of eth0, RTM_NEWADDR; lab 06 adds one"),
	OTHER("log-driver", 0, "who keeps what COMMAND prints; here it goes to your terminal"),
	OTHER("log-opt", 0, "an option of --log-driver"),
	OTHER("mac-address", 0, "RTM_NEWLINK with the address of eth0; the kernel chooses it here"),
	OTHER("memory-swappiness", 0, "a file of cgroup v1; v2 has one for the whole machine only"),
	OTHER("mount", 0, "a bind mount or a tmpfs in other words; --volume or --tmpfs"),
	OTHER("network-alias", 0, "a name in dockerd's DNS server; there is none here"),
	OTHER_FLAG("no-healthcheck", 0, "no --health-cmd of the image's; there is none here"),
	OTHER_FLAG(
		"oom-kill-disable", 0, "a file of cgroup v1; v2 cannot switch off the OOM killer"),
	OTHER("platform", 0, "which variant of an image is pulled; binfmt_misc runs a foreign one"),
	OTHER("publish", 'p', "a rule of the host's firewall; lab 06/more-nat makes one by hand"),
	OTHER_FLAG("publish-all", 'P', "a rule for each --expose, as --publish"),
	OTHER("pull", 0, "when dockerd fetches the image; nothing is fetched here"),
	OTHER_FLAG("quiet", 'q', "no progress of a pull is shown; nothing is pulled here"),
	OTHER("restart", 0, "dockerd starts it again after its end; lab 17 does it for a Pod"),
	OTHER("runtime", 0, "which program makes the calls: runc, crun; here it is this one"),
	OTHER("shm-size", 0,
		"size= of the tmpfs on /dev/shm; here it has docker's default, 64 MiB"),
	OTHER_FLAG("sig-proxy", 0, "whether the client forwards signals; this program always does"),
	OTHER("stop-signal", 0, "the signal of docker stop; kill --signal sends any"),
	OTHER("stop-timeout", 0, "seconds until docker stop sends SIGKILL; kill sends it at once"),
	OTHER("storage-opt", 0,
		"a quota of the file system below the layers; here that is a tmpfs"),
	OTHER("sysctl", 0,
		"a write below /proc/sys of its namespaces, before it becomes read-only"),
	OTHER_FLAG("use-api-socket", 0,
		"a bind mount of dockerd's socket, which makes it root of the host"),
	OTHER("userns", 0, "CLONE_NEWUSER and its maps; lab 05, and lab 17 with hostUsers: false"),
	OTHER("volume-driver", 0, "the program that provides a volume; --volume takes a folder"),
	OTHER("volumes-from", 0, "the volumes of another container; --volume for each"),
	{{0}},
};

const struct lab_option container_operands[] = {
	{"VERB", LAB_CHOICE, &asked.verb,
		.help = "ps inspect stats exec kill; or an image and COMMAND",
		.choices = "ps inspect stats exec kill"},
	{"NAME", LAB_TEXT, &asked.target, .help = "of a running one, or the beginning of its id"},
	{0},
};

const struct lab_option *container_options(void)
{
	enum { ROWS = sizeof option_rows / sizeof *option_rows };
	static struct lab_option list[ROWS];
	int count = 0;
	for (const struct row *row = option_rows; row->option.name; row++)
		if (row->option.value)
			list[count++] = row->option;
	return list;
}
