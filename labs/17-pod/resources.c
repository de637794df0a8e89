/*
 * resources.c: what requests and limits become, by Kubernetes' own formulas. The
 * kubelet counts in cgroup v1's cpu.shares; the runtime makes a cpu.weight of them.
 * Each function names its model in the tree of github.com/kubernetes/kubernetes.
 */
#include <limits.h>
#include <math.h>

#include "kernel/file.h"
#include "kernel/sys.h"
#include "pod.h"

const struct value *amount(const struct resources *of, enum resource which)
{
	return which == CPU ? &of->cpu : &of->memory;
}

static long long plus(long long a, long long b)
{
	long long sum;
	return __builtin_add_overflow(a, b, &sum) ? LLONG_MAX : sum;
}

/*
 * The containers run together, and beside them the sidecars: their sum. Each other init container
 * runs before them, beside the sidecars above it: the largest of these sums counts, if it is more.
 * AggregateContainerRequests() and -Limits() in
 * staging/src/k8s.io/component-helpers/resource/helpers.go
 */
struct value aggregate(const struct pod *pod, bool limits, enum resource which)
{
	struct value all = {0}, most = {0};
	long long sidecars = 0;
	for (size_t i = 0; i < container_count(pod); i++) {
		const struct container_spec *c = container_at(pod, i);
		const struct value *one = amount(limits ? &c->limits : &c->requests, which);
		all.set |= one->set;
		if (i >= pod->init_containers.count) {
			all.is = plus(all.is, one->is);
			continue;
		}
		long long beside = plus(sidecars, one->is);
		if (is_sidecar(pod, c))
			sidecars = beside;
		most.is = beside > most.is ? beside : most.is;
	}
	all.is = plus(all.is, sidecars);
	all.is = most.is > all.is ? most.is : all.is;
	return all;
}

/*
 * What the API server fills in: a request that is not there is the limit. The
 * Pod's is, before that, the sum of its containers'.
 * pkg/apis/core/v1/defaults.go: SetDefaults_Pod(), defaultPodResources()
 */
void resources_default(struct pod *pod)
{
	for (size_t i = 0; i < container_count(pod); i++) {
		struct container_spec *c = container_at(pod, i);
		if (!c->requests.cpu.set)
			c->requests.cpu = c->limits.cpu;
		if (!c->requests.memory.set)
			c->requests.memory = c->limits.memory;
	}
	struct value cpu = aggregate(pod, false, CPU), memory = aggregate(pod, false, MEMORY);
	if (!pod->limits.cpu.set && !pod->limits.memory.set)
		return;
	cpu.at = memory.at = pod->limits.cpu.set ? pod->limits.cpu.at : pod->limits.memory.at;
	if (!pod->requests.cpu.set)
		pod->requests.cpu = cpu.set ? cpu : pod->limits.cpu;
	if (!pod->requests.memory.set)
		pod->requests.memory = memory.set ? memory : pod->limits.memory;
}

static bool has_pod_level(const struct pod *pod)
{
	return pod->requests.cpu.set || pod->requests.memory.set || pod->limits.cpu.set ||
	       pod->limits.memory.set;
}

/* PodRequests() and PodLimits() in the same helpers.go: what spec.resources says, or the sum. */
long long pod_amount(const struct pod *pod, bool limits, enum resource which)
{
	const struct value *own = amount(limits ? &pod->limits : &pod->requests, which);
	return own->set ? own->is : aggregate(pod, limits, which).is;
}

/* ---- The QoS class ---- */

const char *const qos_names[] = {"Guaranteed", "Burstable", "BestEffort"};

/*
 * ComputePodQOS() in pkg/apis/core/v1/helper/qos/qos.go. Guaranteed: each container,
 * init or not, has a limit of both, and the requests are the limits. BestEffort: nobody
 * asks for anything. spec.resources decides alone where it is there.
 */
enum qos pod_qos(const struct pod *pod)
{
	bool pod_level = has_pod_level(pod), guaranteed = true, asks = false;
	for (enum resource which = CPU; which <= MEMORY; which++) {
		long long requests = 0, limits = 0;
		for (size_t i = 0; i < (pod_level ? 1 : container_count(pod)); i++) {
			const struct container_spec *c = container_at(pod, i);
			requests = plus(requests,
				amount(pod_level ? &pod->requests : &c->requests, which)->is);
			long long limit = amount(pod_level ? &pod->limits : &c->limits, which)->is;
			limits = plus(limits, limit);
			guaranteed &= limit != 0;
		}
		asks |= requests || limits;
		guaranteed &= requests == limits;
	}
	return !asks ? BEST_EFFORT : guaranteed ? GUARANTEED : BURSTABLE;
}

/* Of what spec.resources asks for beyond the sum, a container's share. */
static long long memory_share(const struct pod *pod)
{
	if (!pod->requests.memory.is)
		return 0;
	return (pod->requests.memory.is - aggregate(pod, false, MEMORY).is) /
	       (long long)container_count(pod);
}

/*
 * Who dies first when the machine has no memory left: the sooner, the more it uses
 * beyond its request; a sidecar not before the container that asks for least.
 * GetContainerOOMScoreAdjust() in pkg/kubelet/qos/policy.go and
 * remainingPodMemReqPerContainer() in helpers.go beside it; capacity is the node's memory.
 */
int oom_score_adj(const struct pod *pod, const struct container_spec *c, long long capacity)
{
	if (is_node_critical(pod))
		return -997;
	switch (pod_qos(pod)) {
	case GUARANTEED:
		return -997;
	case BEST_EFFORT:
		return 1000;
	case BURSTABLE:
		break;
	}
	long long request = c->requests.memory.is, least = LLONG_MAX;
	for (size_t i = 0; i < pod->containers.count; i++)
		if (pod->containers.item[i].requests.memory.is < least)
			least = pod->containers.item[i].requests.memory.is;
	if (is_sidecar(pod, c) && request < least)
		request = least;
	request = plus(request, memory_share(pod));
	/* No machine has the 8 PiB of memory with which this would not fit. */
	long long adj = request >= capacity ? 0 : 1000 - 1000 * request / capacity;
	return adj < 3 ? 3 : adj == 1000 ? 999 : (int)adj;
}

/* ---- The files of a group ---- */

/* MilliCPUToShares() in pkg/kubelet/cm/helpers_linux.go */
static long long shares_of(long long milli)
{
	long long shares = milli * 1024 / 1000;
	return shares < 2 ? 2 : shares > 262144 ? 262144 : shares;
}

/* MilliCPUToQuota() there; at least a millisecond. */
static long long quota_of(long long milli)
{
	long long quota = milli * CPU_PERIOD / 1000;
	return milli == 0 ? 0 : quota < 1000 ? 1000 : quota;
}

/*
 * The range of shares, 2 to 262144, laid on that of weights, 1 to 10000: runc's and crun's
 * ConvertCPUSharesToCgroupV2Value() until 2025 (KEP-2254). One CPU, 1024 shares, gets 39.
 */
static int weight_of(long long shares)
{
	return (int)(1 + (shares - 2) * 9999 / 262142);
}

/*
 * The newer one, a curve that maps also the defaults, 1024 and 100, onto each other:
 * opencontainers/cgroups pull 20 (runc 1.3.2), containers/crun pull 1767 (crun 1.23).
 */
static int weight_newer_of(long long shares)
{
	double l = log2((double)shares);
	return shares <= 2        ? 1
	       : shares >= 262144 ? 10000
				  : (int)ceil(pow(10, (l * l + 125 * l) / 612 - 7.0 / 34));
}

static struct group_values values_of(long long request, long long cpu, long long memory)
{
	long long shares = shares_of(request);
	return (struct group_values){
		shares, weight_of(shares), weight_newer_of(shares), quota_of(cpu), memory};
}

/*
 * calculateLinuxResources() in pkg/kubelet/kuberuntime/kuberuntime_container_linux.go; a limit
 * that only the Pod has is the container's too: getCPULimit(), getMemoryLimit(). Each container
 * also gets memory.oom.group 1 (not with singleProcessOOMKill), and memory.swap.max 0 (NoSwap).
 */
struct group_values container_values(const struct pod *pod, const struct container_spec *c)
{
	long long cpu = c->limits.cpu.is ? c->limits.cpu.is : pod->limits.cpu.is;
	long long memory = c->limits.memory.is ? c->limits.memory.is : pod->limits.memory.is;
	return values_of(c->requests.cpu.set ? c->requests.cpu.is : cpu, cpu, memory);
}

/*
 * ResourceConfigForPod() in pkg/kubelet/cm/helpers_linux.go: the Pod has a limit when each of
 * its containers has one, init containers as well, or when spec.resources says it.
 */
struct group_values pod_values(const struct pod *pod)
{
	bool cpu = true, memory = true;
	for (size_t i = 0; i < container_count(pod); i++) {
		cpu &= container_at(pod, i)->limits.cpu.is != 0;
		memory &= container_at(pod, i)->limits.memory.is != 0;
	}
	cpu |= pod->limits.cpu.is != 0;
	memory |= pod->limits.memory.is != 0;
	return values_of(pod_amount(pod, false, CPU), cpu ? pod_amount(pod, true, CPU) : 0,
		memory ? pod_amount(pod, true, MEMORY) : 0);
}

/*
 * The size= of a volume in memory: its limit, but no more than the Pod's; 0 for none of both.
 * calculateEmptyDirMemorySize() in pkg/volume/emptydir/empty_dir.go
 */
long long volume_size(const struct pod *pod, const struct volume *v)
{
	long long most = pod_values(pod).memory, own = v->size_limit.is;
	return !own || (most && most < own) ? most : own;
}

/*
 * The group of a Pod as the kubelet's systemd driver names it, below the node's root: in the
 * name of a slice '-' leads from a slice to one within it, so the UID has '_' there.
 * CgroupName.ToSystemd() in pkg/kubelet/cm/cgroup_manager_linux.go. A container's group in it,
 * pause's as well, has containerd's name, cri-containerd-ID.scope (CRI-O's is crio-ID.scope).
 */
char *pod_group(const struct pod *pod, const char *uid)
{
	static const char *const classes[] = {"", "-burstable", "-besteffort"};
	const char *class = classes[pod_qos(pod)];
	char *within = *class ? text("kubepods%s.slice/", class) : text("%s", "");
	autofree char *parent = within, *name = text("%s", uid);
	for (char *at = name; *at; at++)
		*at = *at == '-' ? '_' : *at;
	return text("kubepods.slice/%skubepods%s-pod%s.slice", parent, class, name);
}
