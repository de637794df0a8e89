/*
 * schema.c: every field that Kubernetes has in a Pod and in what has a template of one: the
 * names of k8s.io/api (core/v1, apps/v1 and batch/v1, types.go of July 2026) and of ObjectMeta.
 * Behind ':' stands the type of an object, behind '*' that of a list's items; a field without
 * either is a scalar, a list of them or a map. tests/peers/schema holds the names against
 * Kubernetes' published schema.
 */
#include <stdio.h>
#include <string.h>

#include "pod.h"

/* clang-format off */
static const struct {
	const char *type, *fields;
} types[] = {
	{"Pod", "apiVersion kind metadata:ObjectMeta spec:PodSpec status"},
	{"PodTemplate", "apiVersion kind metadata:ObjectMeta template:PodTemplateSpec"},
	{"ConfigMap", "apiVersion kind metadata:ObjectMeta immutable data binaryData"},
	{"ReplicationController", "apiVersion kind metadata:ObjectMeta "
		"spec:ReplicationControllerSpec status"},
	{"Deployment", "apiVersion kind metadata:ObjectMeta spec:DeploymentSpec status"},
	{"StatefulSet", "apiVersion kind metadata:ObjectMeta spec:StatefulSetSpec status"},
	{"DaemonSet", "apiVersion kind metadata:ObjectMeta spec:DaemonSetSpec status"},
	{"ReplicaSet", "apiVersion kind metadata:ObjectMeta spec:ReplicaSetSpec status"},
	{"Job", "apiVersion kind metadata:ObjectMeta spec:JobSpec status"},
	{"CronJob", "apiVersion kind metadata:ObjectMeta spec:CronJobSpec status"},
	{"AWSElasticBlockStoreVolumeSource", "volumeID fsType partition readOnly"},
	{"Affinity", "nodeAffinity:NodeAffinity podAffinity:PodAffinity "
		"podAntiAffinity:PodAntiAffinity"},
	{"AppArmorProfile", "type localhostProfile"},
	{"AzureDiskVolumeSource", "diskName diskURI cachingMode fsType readOnly kind"},
	{"AzureFileVolumeSource", "secretName shareName readOnly"},
	{"CSIVolumeSource", "driver readOnly fsType volumeAttributes "
		"nodePublishSecretRef:LocalObjectReference"},
	{"Capabilities", "add drop"},
	{"CephFSVolumeSource", "monitors path user secretFile secretRef:LocalObjectReference "
		"readOnly"},
	{"CinderVolumeSource", "volumeID fsType readOnly secretRef:LocalObjectReference"},
	{"ClusterTrustBundleProjection", "name signerName labelSelector:LabelSelector optional "
		"path user"},
	{"ConfigMapEnvSource", "name optional"},
	{"ConfigMapKeySelector", "name key optional"},
	{"ConfigMapProjection", "name items*KeyToPath optional"},
	{"ConfigMapVolumeSource", "name items*KeyToPath defaultMode optional defaultUser"},
	{"Container", "name image command args workingDir ports*ContainerPort "
		"envFrom*EnvFromSource env*EnvVar resources:ResourceRequirements "
		"resizePolicy*ContainerResizePolicy restartPolicy "
		"restartPolicyRules*ContainerRestartRule volumeMounts*VolumeMount "
		"volumeDevices*VolumeDevice livenessProbe:Probe readinessProbe:Probe "
		"startupProbe:Probe lifecycle:Lifecycle terminationMessagePath "
		"terminationMessagePolicy imagePullPolicy securityContext:SecurityContext stdin "
		"stdinOnce tty"},
	{"ContainerPort", "name hostPort containerPort protocol hostIP"},
	{"ContainerResizePolicy", "resourceName restartPolicy"},
	{"ContainerRestartRule", "action exitCodes:ContainerRestartRuleOnExitCodes"},
	{"ContainerRestartRuleOnExitCodes", "operator values"},
	{"CronJobSpec", "schedule timeZone startingDeadlineSeconds concurrencyPolicy suspend "
		"jobTemplate:JobTemplateSpec successfulJobsHistoryLimit failedJobsHistoryLimit"},
	{"DaemonSetSpec", "selector:LabelSelector template:PodTemplateSpec "
		"updateStrategy:DaemonSetUpdateStrategy minReadySeconds revisionHistoryLimit"},
	{"DaemonSetUpdateStrategy", "type rollingUpdate:RollingUpdateDaemonSet"},
	{"DeploymentSpec", "replicas selector:LabelSelector template:PodTemplateSpec "
		"strategy:DeploymentStrategy minReadySeconds revisionHistoryLimit paused "
		"progressDeadlineSeconds"},
	{"DeploymentStrategy", "type rollingUpdate:RollingUpdateDeployment"},
	{"DownwardAPIProjection", "items*DownwardAPIVolumeFile"},
	{"DownwardAPIVolumeFile", "path fieldRef:ObjectFieldSelector "
		"resourceFieldRef:ResourceFieldSelector mode user"},
	{"DownwardAPIVolumeSource", "items*DownwardAPIVolumeFile defaultMode defaultUser"},
	{"EmptyDirVolumeSource", "medium sizeLimit mode"},
	{"EnvFromSource", "prefix configMapRef:ConfigMapEnvSource secretRef:SecretEnvSource"},
	{"EnvVar", "name value valueFrom:EnvVarSource"},
	{"EnvVarSource", "fieldRef:ObjectFieldSelector resourceFieldRef:ResourceFieldSelector "
		"configMapKeyRef:ConfigMapKeySelector secretKeyRef:SecretKeySelector "
		"fileKeyRef:FileKeySelector"},
	{"EphemeralContainer", "name image command args workingDir ports*ContainerPort "
		"envFrom*EnvFromSource env*EnvVar resources:ResourceRequirements "
		"resizePolicy*ContainerResizePolicy restartPolicy "
		"restartPolicyRules*ContainerRestartRule volumeMounts*VolumeMount "
		"volumeDevices*VolumeDevice livenessProbe:Probe readinessProbe:Probe "
		"startupProbe:Probe lifecycle:Lifecycle terminationMessagePath "
		"terminationMessagePolicy imagePullPolicy securityContext:SecurityContext stdin "
		"stdinOnce tty targetContainerName"},
	{"EphemeralVolumeSource", "volumeClaimTemplate:PersistentVolumeClaimTemplate"},
	{"EvictionResponder", "name priority"},
	{"ExecAction", "command"},
	{"FCVolumeSource", "targetWWNs lun fsType readOnly wwids"},
	{"FileKeySelector", "volumeName path key optional"},
	{"FlexVolumeSource", "driver fsType secretRef:LocalObjectReference readOnly options"},
	{"FlockerVolumeSource", "datasetName datasetUUID"},
	{"GCEPersistentDiskVolumeSource", "pdName fsType partition readOnly"},
	{"GRPCAction", "port service mode"},
	{"GitRepoVolumeSource", "repository revision directory"},
	{"GlusterfsVolumeSource", "endpoints path readOnly"},
	{"HTTPGetAction", "path port host scheme httpHeaders*HTTPHeader protocol"},
	{"HTTPHeader", "name value"},
	{"HostAlias", "ip hostnames"},
	{"HostPathVolumeSource", "path type"},
	{"ISCSIVolumeSource", "targetPortal iqn lun iscsiInterface fsType readOnly portals "
		"chapAuthDiscovery chapAuthSession secretRef:LocalObjectReference initiatorName"},
	{"ImageVolumeSource", "reference pullPolicy"},
	{"JobSchedulingConfiguration", "schedulingPolicy schedulingConstraints disruptionMode "
		"resourceClaims"},
	{"JobSpec", "parallelism completions activeDeadlineSeconds "
		"podFailurePolicy:PodFailurePolicy successPolicy:SuccessPolicy backoffLimit "
		"backoffLimitPerIndex maxFailedIndexes selector:LabelSelector manualSelector "
		"template:PodTemplateSpec ttlSecondsAfterFinished completionMode suspend "
		"podReplacementPolicy managedBy scheduling:JobSchedulingConfiguration"},
	{"JobTemplateSpec", "metadata:ObjectMeta spec:JobSpec"},
	{"KeyToPath", "key path mode user"},
	{"LabelSelector", "matchLabels matchExpressions*LabelSelectorRequirement"},
	{"LabelSelectorRequirement", "key operator values"},
	{"Lifecycle", "postStart:LifecycleHandler preStop:LifecycleHandler stopSignal"},
	{"LifecycleHandler", "exec:ExecAction httpGet:HTTPGetAction tcpSocket:TCPSocketAction "
		"sleep:SleepAction"},
	{"LocalObjectReference", "name"},
	{"NFSVolumeSource", "server path readOnly"},
	{"NodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution:NodeSelector "
		"preferredDuringSchedulingIgnoredDuringExecution*PreferredSchedulingTerm"},
	{"NodeSelector", "nodeSelectorTerms*NodeSelectorTerm"},
	{"NodeSelectorRequirement", "key operator values"},
	{"NodeSelectorTerm", "matchExpressions*NodeSelectorRequirement "
		"matchFields*NodeSelectorRequirement"},
	{"ObjectFieldSelector", "apiVersion fieldPath"},
	{"ObjectMeta", "name generateName namespace selfLink uid resourceVersion generation "
		"creationTimestamp deletionTimestamp deletionGracePeriodSeconds labels "
		"annotations ownerReferences*OwnerReference finalizers managedFields"},
	{"OwnerReference", "apiVersion kind name uid controller blockOwnerDeletion"},
	{"PersistentVolumeClaim", "apiVersion kind metadata:ObjectMeta spec:PersistentVolumeClaimSpec status"},
	{"PersistentVolumeClaimSpec", "accessModes selector:LabelSelector "
		"resources:VolumeResourceRequirements volumeName storageClassName volumeMode "
		"dataSource:TypedLocalObjectReference dataSourceRef:TypedObjectReference "
		"volumeAttributesClassName"},
	{"PersistentVolumeClaimTemplate", "metadata:ObjectMeta spec:PersistentVolumeClaimSpec"},
	{"PersistentVolumeClaimVolumeSource", "claimName readOnly"},
	{"PhotonPersistentDiskVolumeSource", "pdID fsType"},
	{"PodAffinity", "requiredDuringSchedulingIgnoredDuringExecution*PodAffinityTerm "
		"preferredDuringSchedulingIgnoredDuringExecution*WeightedPodAffinityTerm"},
	{"PodAffinityTerm", "labelSelector:LabelSelector namespaces topologyKey "
		"namespaceSelector:LabelSelector matchLabelKeys mismatchLabelKeys"},
	{"PodAntiAffinity", "requiredDuringSchedulingIgnoredDuringExecution*PodAffinityTerm "
		"preferredDuringSchedulingIgnoredDuringExecution*WeightedPodAffinityTerm"},
	{"PodCertificateProjection", "signerName keyType maxExpirationSeconds "
		"credentialBundlePath keyPath certificateChainPath userAnnotations user"},
	{"PodDNSConfig", "nameservers searches options*PodDNSConfigOption"},
	{"PodDNSConfigOption", "name value"},
	{"PodFailurePolicy", "rules*PodFailurePolicyRule"},
	{"PodFailurePolicyOnExitCodesRequirement", "containerName operator values"},
	{"PodFailurePolicyOnPodConditionsPattern", "type status"},
	{"PodFailurePolicyRule", "action onExitCodes:PodFailurePolicyOnExitCodesRequirement "
		"onPodConditions*PodFailurePolicyOnPodConditionsPattern"},
	{"PodOS", "name"},
	{"PodReadinessGate", "conditionType"},
	{"PodResourceClaim", "name resourceClaimName resourceClaimTemplateName"},
	{"PodSchedulingGate", "name"},
	{"PodSchedulingGroup", "podGroupName"},
	{"PodSecurityContext", "seLinuxOptions:SELinuxOptions "
		"windowsOptions:WindowsSecurityContextOptions runAsUser runAsGroup runAsNonRoot "
		"supplementalGroups supplementalGroupsPolicy fsGroup sysctls*Sysctl "
		"fsGroupChangePolicy seccompProfile:SeccompProfile "
		"appArmorProfile:AppArmorProfile seLinuxChangePolicy"},
	{"PodSpec", "volumes*Volume initContainers*Container containers*Container "
		"ephemeralContainers*EphemeralContainer restartPolicy "
		"terminationGracePeriodSeconds activeDeadlineSeconds dnsPolicy nodeSelector "
		"serviceAccountName serviceAccount automountServiceAccountToken nodeName "
		"hostNetwork hostPID hostIPC shareProcessNamespace "
		"securityContext:PodSecurityContext imagePullSecrets*LocalObjectReference "
		"hostname subdomain affinity:Affinity schedulerName tolerations*Toleration "
		"hostAliases*HostAlias priorityClassName priority dnsConfig:PodDNSConfig "
		"readinessGates*PodReadinessGate runtimeClassName enableServiceLinks "
		"preemptionPolicy overhead topologySpreadConstraints*TopologySpreadConstraint "
		"setHostnameAsFQDN os:PodOS hostUsers schedulingGates*PodSchedulingGate "
		"resourceClaims*PodResourceClaim resources:ResourceRequirements hostnameOverride "
		"schedulingGroup:PodSchedulingGroup evictionResponders*EvictionResponder"},
	{"PodTemplateSpec", "metadata:ObjectMeta spec:PodSpec"},
	{"PortworxVolumeSource", "volumeID fsType readOnly"},
	{"PreferredSchedulingTerm", "weight preference:NodeSelectorTerm"},
	{"Probe", "exec:ExecAction httpGet:HTTPGetAction tcpSocket:TCPSocketAction "
		"grpc:GRPCAction initialDelaySeconds timeoutSeconds periodSeconds "
		"successThreshold failureThreshold terminationGracePeriodSeconds"},
	{"ProjectedVolumeSource", "sources*VolumeProjection defaultMode defaultUser"},
	{"QuobyteVolumeSource", "registry volume readOnly user group tenant"},
	{"RBDVolumeSource", "monitors image fsType pool user keyring "
		"secretRef:LocalObjectReference readOnly"},
	{"ReplicaSetSpec", "replicas minReadySeconds selector:LabelSelector "
		"template:PodTemplateSpec"},
	{"ReplicationControllerSpec", "replicas minReadySeconds selector "
		"template:PodTemplateSpec"},
	{"ResourceClaim", "name request"},
	{"ResourceFieldSelector", "containerName resource divisor"},
	{"ResourceRequirements", "limits:ResourceList requests:ResourceList claims*ResourceClaim"},
	{"RollingUpdateDaemonSet", "maxUnavailable maxSurge"},
	{"RollingUpdateDeployment", "maxUnavailable maxSurge"},
	{"RollingUpdateStatefulSetStrategy", "partition maxUnavailable"},
	{"SELinuxOptions", "user role type level"},
	{"ScaleIOVolumeSource", "gateway system secretRef:LocalObjectReference sslEnabled "
		"protectionDomain storagePool storageMode volumeName fsType readOnly"},
	{"SeccompProfile", "type localhostProfile"},
	{"SecretEnvSource", "name optional"},
	{"SecretKeySelector", "name key optional"},
	{"SecretProjection", "name items*KeyToPath optional"},
	{"SecretVolumeSource", "secretName items*KeyToPath defaultMode optional defaultUser"},
	{"SecurityContext", "capabilities:Capabilities privileged seLinuxOptions:SELinuxOptions "
		"windowsOptions:WindowsSecurityContextOptions runAsUser runAsGroup runAsNonRoot "
		"readOnlyRootFilesystem allowPrivilegeEscalation procMount "
		"seccompProfile:SeccompProfile appArmorProfile:AppArmorProfile"},
	{"ServiceAccountTokenProjection", "audience expirationSeconds path user"},
	{"SleepAction", "seconds"},
	{"StatefulSetOrdinals", "start"},
	{"StatefulSetPersistentVolumeClaimRetentionPolicy", "whenDeleted whenScaled"},
	{"StatefulSetSpec", "replicas selector:LabelSelector template:PodTemplateSpec "
		"volumeClaimTemplates*PersistentVolumeClaim serviceName podManagementPolicy "
		"updateStrategy:StatefulSetUpdateStrategy revisionHistoryLimit minReadySeconds "
		"persistentVolumeClaimRetentionPolicy:StatefulSetPersistentVolumeClaimRetentionPolicy "
		"ordinals:StatefulSetOrdinals"},
	{"StatefulSetUpdateStrategy", "type rollingUpdate:RollingUpdateStatefulSetStrategy"},
	{"StorageOSVolumeSource", "volumeName volumeNamespace fsType readOnly "
		"secretRef:LocalObjectReference"},
	{"SuccessPolicy", "rules*SuccessPolicyRule"},
	{"SuccessPolicyRule", "succeededIndexes succeededCount"},
	{"Sysctl", "name value"},
	{"TCPSocketAction", "port host"},
	{"Toleration", "key operator value effect tolerationSeconds"},
	{"TopologySpreadConstraint", "maxSkew topologyKey whenUnsatisfiable "
		"labelSelector:LabelSelector minDomains nodeAffinityPolicy nodeTaintsPolicy "
		"matchLabelKeys"},
	{"TypedLocalObjectReference", "apiGroup kind name"},
	{"TypedObjectReference", "apiGroup kind name namespace"},
	{"Volume", "name hostPath:HostPathVolumeSource emptyDir:EmptyDirVolumeSource "
		"gcePersistentDisk:GCEPersistentDiskVolumeSource "
		"awsElasticBlockStore:AWSElasticBlockStoreVolumeSource "
		"gitRepo:GitRepoVolumeSource secret:SecretVolumeSource nfs:NFSVolumeSource "
		"iscsi:ISCSIVolumeSource glusterfs:GlusterfsVolumeSource "
		"persistentVolumeClaim:PersistentVolumeClaimVolumeSource rbd:RBDVolumeSource "
		"flexVolume:FlexVolumeSource cinder:CinderVolumeSource cephfs:CephFSVolumeSource "
		"flocker:FlockerVolumeSource downwardAPI:DownwardAPIVolumeSource "
		"fc:FCVolumeSource azureFile:AzureFileVolumeSource "
		"configMap:ConfigMapVolumeSource vsphereVolume:VsphereVirtualDiskVolumeSource "
		"quobyte:QuobyteVolumeSource azureDisk:AzureDiskVolumeSource "
		"photonPersistentDisk:PhotonPersistentDiskVolumeSource "
		"projected:ProjectedVolumeSource portworxVolume:PortworxVolumeSource "
		"scaleIO:ScaleIOVolumeSource storageos:StorageOSVolumeSource csi:CSIVolumeSource "
		"ephemeral:EphemeralVolumeSource image:ImageVolumeSource"},
	{"VolumeDevice", "name devicePath"},
	{"VolumeMount", "name readOnly recursiveReadOnly mountPath subPath mountPropagation "
		"subPathExpr bindMountOptions"},
	{"VolumeProjection", "secret:SecretProjection downwardAPI:DownwardAPIProjection "
		"configMap:ConfigMapProjection serviceAccountToken:ServiceAccountTokenProjection "
		"clusterTrustBundle:ClusterTrustBundleProjection "
		"podCertificate:PodCertificateProjection"},
	{"VolumeResourceRequirements", "limits requests"},
	{"VsphereVirtualDiskVolumeSource", "volumePath fsType storagePolicyName storagePolicyID"},
	{"WeightedPodAffinityTerm", "weight podAffinityTerm:PodAffinityTerm"},
	{"WindowsSecurityContextOptions", "gmsaCredentialSpecName gmsaCredentialSpec "
		"runAsUserName hostProcess"},
};
/* clang-format on */

static const char *fields_of(const char *type)
{
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (!strcmp(types[i].type, type))
			return types[i].fields;
	return NULL;
}

bool schema_has_type(const char *type)
{
	return fields_of(type) != NULL;
}

bool schema_field(const char *type, const char *name, struct schema_field *found)
{
	size_t length = strlen(name);
	for (const char *at = fields_of(type); at && *at; at += strspn(at, " ")) {
		size_t own = strcspn(at, " :*"), word = strcspn(at, " ");
		if (own == length && !strncmp(at, name, length)) {
			*found = (struct schema_field){.list = at[own] == '*'};
			if (own < word)
				snprintf(found->type, sizeof found->type, "%.*s",
					(int)(word - own - 1), at + own + 1);
			return true;
		}
		at += word;
	}
	return false;
}
