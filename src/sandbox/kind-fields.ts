/**
 * The fields of every kind that the embedded cluster serves, by package: after the type, `name=number:type` for each field. `!` after the name: required.
 * The number is the field's in the binary form; `2.5` is field 5 of a part that JSON does not show. `[]` is a list, `{}` a map from strings.
 * `~key` says that a strategic merge patch merges the list by that member, bare `~` that it merges plain values or members, and `^` that the
 * patch may name the members to keep. `kind` and `apiVersion` of the kinds themselves are left out.
 */
export const kindFields: Readonly<Record<string, string>> = {
  'io.k8s.api.core.v1': `
AWSElasticBlockStoreVolumeSource: volumeID!=1:string fsType=2:string partition=3:int readOnly=4:bool
Affinity: nodeAffinity=1:NodeAffinity podAffinity=2:PodAffinity podAntiAffinity=3:PodAntiAffinity
AppArmorProfile: type!=1:string localhostProfile=2:string
AttachedVolume: name!=1:string devicePath!=2:string
AzureDiskVolumeSource: diskName!=1:string diskURI!=2:string cachingMode=3:string fsType=4:string readOnly=5:bool kind=6:string
AzureFileVolumeSource: secretName!=1:string shareName!=2:string readOnly=3:bool
Binding: metadata=1:ObjectMeta target!=2:ObjectReference
CSIVolumeSource: driver!=1:string readOnly=2:bool fsType=3:string volumeAttributes=4:string{} nodePublishSecretRef=5:LocalObjectReference
Capabilities: add=1:string[] drop=2:string[]
CephFSVolumeSource: monitors!=1:string[] path=2:string user=3:string secretFile=4:string secretRef=5:LocalObjectReference readOnly=6:bool
CinderVolumeSource: volumeID!=1:string fsType=2:string readOnly=3:bool secretRef=4:LocalObjectReference
ClientIPConfig: timeoutSeconds=1:int
ClusterTrustBundleProjection: name=1:string signerName=2:string labelSelector=3:LabelSelector path!=4:string optional=5:bool
ConfigMap: metadata=1:ObjectMeta data=2:string{} binaryData=3:bytes{} immutable=4:bool
ConfigMapEnvSource: name=1.1:string optional=2:bool
ConfigMapKeySelector: name=1.1:string key!=2:string optional=3:bool
ConfigMapNodeConfigSource: namespace!=1:string name!=2:string uid=3:string resourceVersion=4:string kubeletConfigKey!=5:string
ConfigMapProjection: name=1.1:string items=2:KeyToPath[] optional=4:bool
ConfigMapVolumeSource: name=1.1:string items=2:KeyToPath[] defaultMode=3:int optional=4:bool
Container: name!=1:string image=2:string command=3:string[] args=4:string[] workingDir=5:string ports=6:ContainerPort[]~containerPort
  env=7:EnvVar[]~name resources=8:ResourceRequirements volumeMounts=9:VolumeMount[]~mountPath livenessProbe=10:Probe
  readinessProbe=11:Probe lifecycle=12:Lifecycle terminationMessagePath=13:string imagePullPolicy=14:string
  securityContext=15:SecurityContext stdin=16:bool stdinOnce=17:bool tty=18:bool envFrom=19:EnvFromSource[]
  terminationMessagePolicy=20:string volumeDevices=21:VolumeDevice[]~devicePath startupProbe=22:Probe
  resizePolicy=23:ContainerResizePolicy[] restartPolicy=24:string restartPolicyRules=25:ContainerRestartRule[]
ContainerExtendedResourceRequest: containerName!=1:string resourceName!=2:string requestName!=3:string
ContainerImage: names=1:string[] sizeBytes=2:long
ContainerPort: name=1:string hostPort=2:int containerPort!=3:int protocol=4:string hostIP=5:string
ContainerResizePolicy: resourceName!=1:string restartPolicy!=2:string
ContainerRestartRule: action!=1:string exitCodes=2:ContainerRestartRuleOnExitCodes
ContainerRestartRuleOnExitCodes: operator!=1:string values=2:int[]
ContainerState: waiting=1:ContainerStateWaiting running=2:ContainerStateRunning terminated=3:ContainerStateTerminated
ContainerStateRunning: startedAt=1:time
ContainerStateTerminated: exitCode!=1:int signal=2:int reason=3:string message=4:string startedAt=5:time finishedAt=6:time
  containerID=7:string
ContainerStateWaiting: reason=1:string message=2:string
ContainerStatus: name!=1:string state=2:ContainerState lastState=3:ContainerState ready!=4:bool restartCount!=5:int image!=6:string
  imageID!=7:string containerID=8:string started=9:bool allocatedResources=10:quantity{} resources=11:ResourceRequirements
  volumeMounts=12:VolumeMountStatus[]~mountPath user=13:ContainerUser allocatedResourcesStatus=14:ResourceStatus[]~name
  stopSignal=15:string
ContainerUser: linux=1:LinuxContainerUser
DaemonEndpoint: Port!=1:int
DownwardAPIProjection: items=1:DownwardAPIVolumeFile[]
DownwardAPIVolumeFile: path!=1:string fieldRef=2:ObjectFieldSelector resourceFieldRef=3:ResourceFieldSelector mode=4:int
DownwardAPIVolumeSource: items=1:DownwardAPIVolumeFile[] defaultMode=2:int
EmptyDirVolumeSource: medium=1:string sizeLimit=2:quantity
EndpointAddress: ip!=1:string targetRef=2:ObjectReference hostname=3:string nodeName=4:string
EndpointPort: name=1:string port!=2:int protocol=3:string appProtocol=4:string
EndpointSubset: addresses=1:EndpointAddress[] notReadyAddresses=2:EndpointAddress[] ports=3:EndpointPort[]
Endpoints: metadata=1:ObjectMeta subsets=2:EndpointSubset[]
EnvFromSource: prefix=1:string configMapRef=2:ConfigMapEnvSource secretRef=3:SecretEnvSource
EnvVar: name!=1:string value=2:string valueFrom=3:EnvVarSource
EnvVarSource: fieldRef=1:ObjectFieldSelector resourceFieldRef=2:ResourceFieldSelector configMapKeyRef=3:ConfigMapKeySelector
  secretKeyRef=4:SecretKeySelector fileKeyRef=5:FileKeySelector
EphemeralContainer: name!=1.1:string image=1.2:string command=1.3:string[] args=1.4:string[] workingDir=1.5:string
  ports=1.6:ContainerPort[]~containerPort env=1.7:EnvVar[]~name resources=1.8:ResourceRequirements
  volumeMounts=1.9:VolumeMount[]~mountPath livenessProbe=1.10:Probe readinessProbe=1.11:Probe lifecycle=1.12:Lifecycle
  terminationMessagePath=1.13:string imagePullPolicy=1.14:string securityContext=1.15:SecurityContext stdin=1.16:bool stdinOnce=1.17:bool
  tty=1.18:bool envFrom=1.19:EnvFromSource[] terminationMessagePolicy=1.20:string volumeDevices=1.21:VolumeDevice[]~devicePath
  startupProbe=1.22:Probe resizePolicy=1.23:ContainerResizePolicy[] restartPolicy=1.24:string
  restartPolicyRules=1.25:ContainerRestartRule[] targetContainerName=2:string
EphemeralVolumeSource: volumeClaimTemplate=1:PersistentVolumeClaimTemplate
Event: metadata!=1:ObjectMeta involvedObject!=2:ObjectReference reason=3:string message=4:string source=5:EventSource
  firstTimestamp=6:time lastTimestamp=7:time count=8:int type=9:string eventTime=10:microTime series=11:EventSeries action=12:string
  related=13:ObjectReference reportingComponent=14:string reportingInstance=15:string
EventSeries: count=1:int lastObservedTime=2:microTime
EventSource: component=1:string host=2:string
ExecAction: command=1:string[]
FCVolumeSource: targetWWNs=1:string[] lun=2:int fsType=3:string readOnly=4:bool wwids=5:string[]
FileKeySelector: volumeName!=1:string path!=2:string key!=3:string optional=4:bool
FlexVolumeSource: driver!=1:string fsType=2:string secretRef=3:LocalObjectReference readOnly=4:bool options=5:string{}
FlockerVolumeSource: datasetName=1:string datasetUUID=2:string
GCEPersistentDiskVolumeSource: pdName!=1:string fsType=2:string partition=3:int readOnly=4:bool
GRPCAction: port!=1:int service=2:string
GitRepoVolumeSource: repository!=1:string revision=2:string directory=3:string
GlusterfsVolumeSource: endpoints!=1:string path!=2:string readOnly=3:bool
HTTPGetAction: path=1:string port!=2:intOrString host=3:string scheme=4:string httpHeaders=5:HTTPHeader[]
HTTPHeader: name!=1:string value!=2:string
HostAlias: ip!=1:string hostnames=2:string[]
HostIP: ip!=1:string
HostPathVolumeSource: path!=1:string type=2:string
ISCSIVolumeSource: targetPortal!=1:string iqn!=2:string lun!=3:int iscsiInterface=4:string fsType=5:string readOnly=6:bool
  portals=7:string[] chapAuthDiscovery=8:bool secretRef=10:LocalObjectReference chapAuthSession=11:bool initiatorName=12:string
ImageVolumeSource: reference=1:string pullPolicy=2:string
ImageVolumeStatus: imageRef!=1:string
KeyToPath: key!=1:string path!=2:string mode=3:int
Lifecycle: postStart=1:LifecycleHandler preStop=2:LifecycleHandler stopSignal=3:string
LifecycleHandler: exec=1:ExecAction httpGet=2:HTTPGetAction tcpSocket=3:TCPSocketAction sleep=4:SleepAction
LinuxContainerUser: uid!=1:long gid!=2:long supplementalGroups=3:long[]
LoadBalancerIngress: ip=1:string hostname=2:string ipMode=3:string ports=4:PortStatus[]
LoadBalancerStatus: ingress=1:LoadBalancerIngress[]
LocalObjectReference: name=1:string
ModifyVolumeStatus: targetVolumeAttributesClassName=1:string status!=2:string
NFSVolumeSource: server!=1:string path!=2:string readOnly=3:bool
Namespace: metadata=1:ObjectMeta spec=2:NamespaceSpec status=3:NamespaceStatus
NamespaceCondition: type!=1:string status!=2:string lastTransitionTime=4:time reason=5:string message=6:string
NamespaceSpec: finalizers=1:string[]
NamespaceStatus: phase=1:string conditions=2:NamespaceCondition[]~type
Node: metadata=1:ObjectMeta spec=2:NodeSpec status=3:NodeStatus
NodeAddress: type!=1:string address!=2:string
NodeAffinity: requiredDuringSchedulingIgnoredDuringExecution=1:NodeSelector
  preferredDuringSchedulingIgnoredDuringExecution=2:PreferredSchedulingTerm[]
NodeAllocatableResourceClaimStatus: resourceClaimName!=1:string containers=2:string[] resources!=3:quantity{}
NodeCondition: type!=1:string status!=2:string lastHeartbeatTime=3:time lastTransitionTime=4:time reason=5:string message=6:string
NodeConfigSource: configMap=2:ConfigMapNodeConfigSource
NodeConfigStatus: assigned=1:NodeConfigSource active=2:NodeConfigSource lastKnownGood=3:NodeConfigSource error=4:string
NodeDaemonEndpoints: kubeletEndpoint=1:DaemonEndpoint
NodeFeatures: supplementalGroupsPolicy=1:bool
NodeRuntimeHandler: name=1:string features=2:NodeRuntimeHandlerFeatures
NodeRuntimeHandlerFeatures: recursiveReadOnlyMounts=1:bool userNamespaces=2:bool
NodeSelector: nodeSelectorTerms!=1:NodeSelectorTerm[]
NodeSelectorRequirement: key!=1:string operator!=2:string values=3:string[]
NodeSelectorTerm: matchExpressions=1:NodeSelectorRequirement[] matchFields=2:NodeSelectorRequirement[]
NodeSpec: podCIDR=1:string externalID=2:string providerID=3:string unschedulable=4:bool taints=5:Taint[] configSource=6:NodeConfigSource
  podCIDRs=7:string[]~
NodeStatus: capacity=1:quantity{} allocatable=2:quantity{} phase=3:string conditions=4:NodeCondition[]~type addresses=5:NodeAddress[]~type
  daemonEndpoints=6:NodeDaemonEndpoints nodeInfo=7:NodeSystemInfo images=8:ContainerImage[] volumesInUse=9:string[]
  volumesAttached=10:AttachedVolume[] config=11:NodeConfigStatus runtimeHandlers=12:NodeRuntimeHandler[] features=13:NodeFeatures
  declaredFeatures=14:string[]
NodeSwapStatus: capacity=1:long
NodeSystemInfo: machineID!=1:string systemUUID!=2:string bootID!=3:string kernelVersion!=4:string osImage!=5:string
  containerRuntimeVersion!=6:string kubeletVersion!=7:string kubeProxyVersion!=8:string operatingSystem!=9:string architecture!=10:string
  swap=11:NodeSwapStatus
ObjectFieldSelector: apiVersion=1:string fieldPath!=2:string
ObjectReference: kind=1:string namespace=2:string name=3:string uid=4:string apiVersion=5:string resourceVersion=6:string
  fieldPath=7:string
PersistentVolumeClaim: metadata=1:ObjectMeta spec=2:PersistentVolumeClaimSpec status=3:PersistentVolumeClaimStatus
PersistentVolumeClaimCondition: type!=1:string status!=2:string lastProbeTime=3:time lastTransitionTime=4:time reason=5:string
  message=6:string
PersistentVolumeClaimSpec: accessModes=1:string[] resources=2:VolumeResourceRequirements volumeName=3:string selector=4:LabelSelector
  storageClassName=5:string volumeMode=6:string dataSource=7:TypedLocalObjectReference dataSourceRef=8:TypedObjectReference
  volumeAttributesClassName=9:string
PersistentVolumeClaimStatus: phase=1:string accessModes=2:string[] capacity=3:quantity{}
  conditions=4:PersistentVolumeClaimCondition[]~type allocatedResources=5:quantity{} allocatedResourceStatuses=7:string{}
  currentVolumeAttributesClassName=8:string modifyVolumeStatus=9:ModifyVolumeStatus
PersistentVolumeClaimTemplate: metadata=1:ObjectMeta spec!=2:PersistentVolumeClaimSpec
PersistentVolumeClaimVolumeSource: claimName!=1:string readOnly=2:bool
PhotonPersistentDiskVolumeSource: pdID!=1:string fsType=2:string
Pod: metadata=1:ObjectMeta spec=2:PodSpec status=3:PodStatus
PodAffinity: requiredDuringSchedulingIgnoredDuringExecution=1:PodAffinityTerm[]
  preferredDuringSchedulingIgnoredDuringExecution=2:WeightedPodAffinityTerm[]
PodAffinityTerm: labelSelector=1:LabelSelector namespaces=2:string[] topologyKey!=3:string namespaceSelector=4:LabelSelector
  matchLabelKeys=5:string[] mismatchLabelKeys=6:string[]
PodAntiAffinity: requiredDuringSchedulingIgnoredDuringExecution=1:PodAffinityTerm[]
  preferredDuringSchedulingIgnoredDuringExecution=2:WeightedPodAffinityTerm[]
PodCertificateProjection: signerName!=1:string keyType!=2:string maxExpirationSeconds=3:int credentialBundlePath=4:string keyPath=5:string
  certificateChainPath=6:string userAnnotations=7:string{}
PodCondition: type!=1:string status!=2:string lastProbeTime=3:time lastTransitionTime=4:time reason=5:string message=6:string
  observedGeneration=7:long
PodDNSConfig: nameservers=1:string[] searches=2:string[] options=3:PodDNSConfigOption[]
PodDNSConfigOption: name=1:string value=2:string
PodExtendedResourceClaimStatus: requestMappings!=1:ContainerExtendedResourceRequest[] resourceClaimName!=2:string
PodIP: ip!=1:string
PodOS: name!=1:string
PodReadinessGate: conditionType!=1:string
PodResourceClaim: name!=1:string resourceClaimName=3:string resourceClaimTemplateName=4:string
PodResourceClaimStatus: name!=1:string resourceClaimName=2:string
PodSchedulingGate: name!=1:string
PodSchedulingGroup: podGroupName=1:string
PodSecurityContext: seLinuxOptions=1:SELinuxOptions runAsUser=2:long runAsNonRoot=3:bool supplementalGroups=4:long[] fsGroup=5:long
  runAsGroup=6:long sysctls=7:Sysctl[] windowsOptions=8:WindowsSecurityContextOptions fsGroupChangePolicy=9:string
  seccompProfile=10:SeccompProfile appArmorProfile=11:AppArmorProfile supplementalGroupsPolicy=12:string seLinuxChangePolicy=13:string
PodSpec: volumes=1:Volume[]~name^ containers!=2:Container[]~name restartPolicy=3:string terminationGracePeriodSeconds=4:long
  activeDeadlineSeconds=5:long dnsPolicy=6:string nodeSelector=7:string{} serviceAccountName=8:string serviceAccount=9:string
  nodeName=10:string hostNetwork=11:bool hostPID=12:bool hostIPC=13:bool securityContext=14:PodSecurityContext
  imagePullSecrets=15:LocalObjectReference[]~name hostname=16:string subdomain=17:string affinity=18:Affinity schedulerName=19:string
  initContainers=20:Container[]~name automountServiceAccountToken=21:bool tolerations=22:Toleration[] hostAliases=23:HostAlias[]~ip
  priorityClassName=24:string priority=25:int dnsConfig=26:PodDNSConfig shareProcessNamespace=27:bool readinessGates=28:PodReadinessGate[]
  runtimeClassName=29:string enableServiceLinks=30:bool preemptionPolicy=31:string overhead=32:quantity{}
  topologySpreadConstraints=33:TopologySpreadConstraint[]~topologyKey ephemeralContainers=34:EphemeralContainer[]~name
  setHostnameAsFQDN=35:bool os=36:PodOS hostUsers=37:bool schedulingGates=38:PodSchedulingGate[]~name
  resourceClaims=39:PodResourceClaim[]~name^ resources=40:ResourceRequirements hostnameOverride=41:string
  schedulingGroup=43:PodSchedulingGroup
PodStatus: phase=1:string conditions=2:PodCondition[]~type message=3:string reason=4:string hostIP=5:string podIP=6:string
  startTime=7:time containerStatuses=8:ContainerStatus[] qosClass=9:string initContainerStatuses=10:ContainerStatus[]
  nominatedNodeName=11:string podIPs=12:PodIP[]~ip ephemeralContainerStatuses=13:ContainerStatus[] resize=14:string
  resourceClaimStatuses=15:PodResourceClaimStatus[]~name^ hostIPs=16:HostIP[]~ip observedGeneration=17:long
  extendedResourceClaimStatus=18:PodExtendedResourceClaimStatus allocatedResources=19:quantity{} resources=20:ResourceRequirements
  nodeAllocatableResourceClaimStatuses=21:NodeAllocatableResourceClaimStatus[]
PodTemplateSpec: metadata=1:ObjectMeta spec=2:PodSpec
PortStatus: port!=1:int protocol!=2:string error=3:string
PortworxVolumeSource: volumeID!=1:string fsType=2:string readOnly=3:bool
PreferredSchedulingTerm: weight!=1:int preference!=2:NodeSelectorTerm
Probe: exec=1.1:ExecAction httpGet=1.2:HTTPGetAction tcpSocket=1.3:TCPSocketAction grpc=1.4:GRPCAction initialDelaySeconds=2:int
  timeoutSeconds=3:int periodSeconds=4:int successThreshold=5:int failureThreshold=6:int terminationGracePeriodSeconds=7:long
ProjectedVolumeSource: sources=1:VolumeProjection[] defaultMode=2:int
QuobyteVolumeSource: registry!=1:string volume!=2:string readOnly=3:bool user=4:string group=5:string tenant=6:string
RBDVolumeSource: monitors!=1:string[] image!=2:string fsType=3:string pool=4:string user=5:string keyring=6:string
  secretRef=7:LocalObjectReference readOnly=8:bool
ResourceClaim: name!=1:string request=2:string
ResourceFieldSelector: containerName=1:string resource!=2:string divisor=3:quantity
ResourceHealth: resourceID!=1:string health=2:string message=6:string
ResourceRequirements: limits=1:quantity{} requests=2:quantity{} claims=3:ResourceClaim[]
ResourceStatus: name!=1:string resources=2:ResourceHealth[]
SELinuxOptions: user=1:string role=2:string type=3:string level=4:string
ScaleIOVolumeSource: gateway!=1:string system!=2:string secretRef!=3:LocalObjectReference sslEnabled=4:bool protectionDomain=5:string
  storagePool=6:string storageMode=7:string volumeName=8:string fsType=9:string readOnly=10:bool
SeccompProfile: type!=1:string localhostProfile=2:string
Secret: metadata=1:ObjectMeta data=2:bytes{} type=3:string stringData=4:string{} immutable=5:bool
SecretEnvSource: name=1.1:string optional=2:bool
SecretKeySelector: name=1.1:string key!=2:string optional=3:bool
SecretProjection: name=1.1:string items=2:KeyToPath[] optional=4:bool
SecretVolumeSource: secretName=1:string items=2:KeyToPath[] defaultMode=3:int optional=4:bool
SecurityContext: capabilities=1:Capabilities privileged=2:bool seLinuxOptions=3:SELinuxOptions runAsUser=4:long runAsNonRoot=5:bool
  readOnlyRootFilesystem=6:bool allowPrivilegeEscalation=7:bool runAsGroup=8:long procMount=9:string
  windowsOptions=10:WindowsSecurityContextOptions seccompProfile=11:SeccompProfile appArmorProfile=12:AppArmorProfile
Service: metadata=1:ObjectMeta spec=2:ServiceSpec status=3:ServiceStatus
ServiceAccount: metadata=1:ObjectMeta secrets=2:ObjectReference[]~name imagePullSecrets=3:LocalObjectReference[]
  automountServiceAccountToken=4:bool
ServiceAccountTokenProjection: audience=1:string expirationSeconds=2:long path!=3:string
ServicePort: name=1:string protocol=2:string port!=3:int targetPort=4:intOrString nodePort=5:int appProtocol=6:string
ServiceSpec: ports=1:ServicePort[]~port selector=2:string{} clusterIP=3:string type=4:string externalIPs=5:string[]
  sessionAffinity=7:string loadBalancerIP=8:string loadBalancerSourceRanges=9:string[] externalName=10:string
  externalTrafficPolicy=11:string healthCheckNodePort=12:int publishNotReadyAddresses=13:bool
  sessionAffinityConfig=14:SessionAffinityConfig ipFamilyPolicy=17:string clusterIPs=18:string[] ipFamilies=19:string[]
  allocateLoadBalancerNodePorts=20:bool loadBalancerClass=21:string internalTrafficPolicy=22:string trafficDistribution=23:string
ServiceStatus: loadBalancer=1:LoadBalancerStatus conditions=2:Condition[]~type
SessionAffinityConfig: clientIP=1:ClientIPConfig
SleepAction: seconds!=1:long
StorageOSVolumeSource: volumeName=1:string volumeNamespace=2:string fsType=3:string readOnly=4:bool secretRef=5:LocalObjectReference
Sysctl: name!=1:string value!=2:string
TCPSocketAction: port!=1:intOrString host=2:string
Taint: key!=1:string value=2:string effect!=3:string timeAdded=4:time
Toleration: key=1:string operator=2:string value=3:string effect=4:string tolerationSeconds=5:long
TopologySpreadConstraint: maxSkew!=1:int topologyKey!=2:string whenUnsatisfiable!=3:string labelSelector=4:LabelSelector minDomains=5:int
  nodeAffinityPolicy=6:string nodeTaintsPolicy=7:string matchLabelKeys=8:string[]
TypedLocalObjectReference: apiGroup=1:string kind!=2:string name!=3:string
TypedObjectReference: apiGroup=1:string kind!=2:string name!=3:string namespace=4:string
Volume: name!=1:string hostPath=2.1:HostPathVolumeSource emptyDir=2.2:EmptyDirVolumeSource
  gcePersistentDisk=2.3:GCEPersistentDiskVolumeSource awsElasticBlockStore=2.4:AWSElasticBlockStoreVolumeSource
  gitRepo=2.5:GitRepoVolumeSource secret=2.6:SecretVolumeSource nfs=2.7:NFSVolumeSource iscsi=2.8:ISCSIVolumeSource
  glusterfs=2.9:GlusterfsVolumeSource persistentVolumeClaim=2.10:PersistentVolumeClaimVolumeSource rbd=2.11:RBDVolumeSource
  flexVolume=2.12:FlexVolumeSource cinder=2.13:CinderVolumeSource cephfs=2.14:CephFSVolumeSource flocker=2.15:FlockerVolumeSource
  downwardAPI=2.16:DownwardAPIVolumeSource fc=2.17:FCVolumeSource azureFile=2.18:AzureFileVolumeSource
  configMap=2.19:ConfigMapVolumeSource vsphereVolume=2.20:VsphereVirtualDiskVolumeSource quobyte=2.21:QuobyteVolumeSource
  azureDisk=2.22:AzureDiskVolumeSource photonPersistentDisk=2.23:PhotonPersistentDiskVolumeSource portworxVolume=2.24:PortworxVolumeSource
  scaleIO=2.25:ScaleIOVolumeSource projected=2.26:ProjectedVolumeSource storageos=2.27:StorageOSVolumeSource csi=2.28:CSIVolumeSource
  ephemeral=2.29:EphemeralVolumeSource image=2.30:ImageVolumeSource
VolumeDevice: name!=1:string devicePath!=2:string
VolumeMount: name!=1:string readOnly=2:bool mountPath!=3:string subPath=4:string mountPropagation=5:string subPathExpr=6:string
  recursiveReadOnly=7:string
VolumeMountStatus: name!=1:string mountPath!=2:string readOnly=3:bool recursiveReadOnly=4:string volumeStatus=5:VolumeStatus
VolumeProjection: secret=1:SecretProjection downwardAPI=2:DownwardAPIProjection configMap=3:ConfigMapProjection
  serviceAccountToken=4:ServiceAccountTokenProjection clusterTrustBundle=5:ClusterTrustBundleProjection
  podCertificate=6:PodCertificateProjection
VolumeResourceRequirements: limits=1:quantity{} requests=2:quantity{}
VolumeStatus: image=1:ImageVolumeStatus
VsphereVirtualDiskVolumeSource: volumePath!=1:string fsType=2:string storagePolicyName=3:string storagePolicyID=4:string
WeightedPodAffinityTerm: weight!=1:int podAffinityTerm!=2:PodAffinityTerm
WindowsSecurityContextOptions: gmsaCredentialSpecName=1:string gmsaCredentialSpec=2:string runAsUserName=3:string hostProcess=4:bool
`,
  'io.k8s.apimachinery.pkg.apis.meta.v1': `
Condition: type!=1:string status!=2:string observedGeneration=3:long lastTransitionTime!=4:time reason!=5:string message!=6:string
DeleteOptions: gracePeriodSeconds=1:long preconditions=2:Preconditions orphanDependents=3:bool propagationPolicy=4:string
  dryRun=5:string[] ignoreStoreReadErrorWithClusterBreakingPotential=6:bool
LabelSelector: matchLabels=1:string{} matchExpressions=2:LabelSelectorRequirement[]
LabelSelectorRequirement: key!=1:string operator!=2:string values=3:string[]
ManagedFieldsEntry: manager=1:string operation=2:string apiVersion=3:string time=4:time fieldsType=6:string fieldsV1=7:any
  subresource=8:string
ObjectMeta: name=1:string generateName=2:string namespace=3:string selfLink=4:string uid=5:string resourceVersion=6:string
  generation=7:long creationTimestamp=8:time deletionTimestamp=9:time deletionGracePeriodSeconds=10:long labels=11:string{}
  annotations=12:string{} ownerReferences=13:OwnerReference[]~uid finalizers=14:string[]~ managedFields=17:ManagedFieldsEntry[]
OwnerReference: kind!=1:string name!=3:string uid!=4:string apiVersion!=5:string controller=6:bool blockOwnerDeletion=7:bool
Preconditions: uid=1:string resourceVersion=2:string
`,
  'io.k8s.api.autoscaling.v2': `
ContainerResourceMetricSource: name!=1:string target!=2:MetricTarget container!=3:string
ContainerResourceMetricStatus: name!=1:string current!=2:MetricValueStatus container!=3:string
CrossVersionObjectReference: kind!=1:string name!=2:string apiVersion=3:string
ExternalMetricSource: metric!=1:MetricIdentifier target!=2:MetricTarget
ExternalMetricStatus: metric!=1:MetricIdentifier current!=2:MetricValueStatus
HPAScalingPolicy: type!=1:string value!=2:int periodSeconds!=3:int
HPAScalingRules: selectPolicy=1:string policies=2:HPAScalingPolicy[] stabilizationWindowSeconds=3:int tolerance=4:quantity
HorizontalPodAutoscaler: metadata=1:ObjectMeta spec!=2:HorizontalPodAutoscalerSpec status=3:HorizontalPodAutoscalerStatus
HorizontalPodAutoscalerBehavior: scaleUp=1:HPAScalingRules scaleDown=2:HPAScalingRules
HorizontalPodAutoscalerCondition: type!=1:string status!=2:string lastTransitionTime=3:time reason=4:string message=5:string
HorizontalPodAutoscalerSpec: scaleTargetRef!=1:CrossVersionObjectReference minReplicas=2:int maxReplicas!=3:int metrics=4:MetricSpec[]
  behavior=5:HorizontalPodAutoscalerBehavior
HorizontalPodAutoscalerStatus: observedGeneration=1:long lastScaleTime=2:time currentReplicas=3:int desiredReplicas!=4:int
  currentMetrics=5:MetricStatus[] conditions=6:HorizontalPodAutoscalerCondition[]~type
MetricIdentifier: name!=1:string selector=2:LabelSelector
MetricSpec: type!=1:string object=2:ObjectMetricSource pods=3:PodsMetricSource resource=4:ResourceMetricSource
  external=5:ExternalMetricSource containerResource=7:ContainerResourceMetricSource
MetricStatus: type!=1:string object=2:ObjectMetricStatus pods=3:PodsMetricStatus resource=4:ResourceMetricStatus
  external=5:ExternalMetricStatus containerResource=7:ContainerResourceMetricStatus
MetricTarget: type!=1:string value=2:quantity averageValue=3:quantity averageUtilization=4:int
MetricValueStatus: value=1:quantity averageValue=2:quantity averageUtilization=3:int
ObjectMetricSource: describedObject!=1:CrossVersionObjectReference target!=2:MetricTarget metric!=3:MetricIdentifier
ObjectMetricStatus: metric!=1:MetricIdentifier current!=2:MetricValueStatus describedObject!=3:CrossVersionObjectReference
PodsMetricSource: metric!=1:MetricIdentifier target!=2:MetricTarget
PodsMetricStatus: metric!=1:MetricIdentifier current!=2:MetricValueStatus
ResourceMetricSource: name!=1:string target!=2:MetricTarget
ResourceMetricStatus: name!=1:string current!=2:MetricValueStatus
`,
  'io.k8s.api.apps.v1': `
ControllerRevision: metadata=1:ObjectMeta data=2:any revision!=3:long
DaemonSet: metadata=1:ObjectMeta spec=2:DaemonSetSpec status=3:DaemonSetStatus
DaemonSetCondition: type!=1:string status!=2:string lastTransitionTime=3:time reason=4:string message=5:string
DaemonSetSpec: selector!=1:LabelSelector template!=2:PodTemplateSpec updateStrategy=3:DaemonSetUpdateStrategy minReadySeconds=4:int
  revisionHistoryLimit=6:int
DaemonSetStatus: currentNumberScheduled!=1:int numberMisscheduled!=2:int desiredNumberScheduled!=3:int numberReady!=4:int
  observedGeneration=5:long updatedNumberScheduled=6:int numberAvailable=7:int numberUnavailable=8:int collisionCount=9:int
  conditions=10:DaemonSetCondition[]~type
DaemonSetUpdateStrategy: type=1:string rollingUpdate=2:RollingUpdateDaemonSet
Deployment: metadata=1:ObjectMeta spec=2:DeploymentSpec status=3:DeploymentStatus
DeploymentCondition: type!=1:string status!=2:string reason=4:string message=5:string lastUpdateTime=6:time lastTransitionTime=7:time
DeploymentSpec: replicas=1:int selector!=2:LabelSelector template!=3:PodTemplateSpec strategy=4:DeploymentStrategy^ minReadySeconds=5:int
  revisionHistoryLimit=6:int paused=7:bool progressDeadlineSeconds=9:int
DeploymentStatus: observedGeneration=1:long replicas=2:int updatedReplicas=3:int availableReplicas=4:int unavailableReplicas=5:int
  conditions=6:DeploymentCondition[]~type readyReplicas=7:int collisionCount=8:int terminatingReplicas=9:int
DeploymentStrategy: type=1:string rollingUpdate=2:RollingUpdateDeployment
ReplicaSet: metadata=1:ObjectMeta spec=2:ReplicaSetSpec status=3:ReplicaSetStatus
ReplicaSetCondition: type!=1:string status!=2:string lastTransitionTime=3:time reason=4:string message=5:string
ReplicaSetSpec: replicas=1:int selector!=2:LabelSelector template=3:PodTemplateSpec minReadySeconds=4:int
ReplicaSetStatus: replicas!=1:int fullyLabeledReplicas=2:int observedGeneration=3:long readyReplicas=4:int availableReplicas=5:int
  conditions=6:ReplicaSetCondition[]~type terminatingReplicas=7:int
RollingUpdateDaemonSet: maxUnavailable=1:intOrString maxSurge=2:intOrString
RollingUpdateDeployment: maxUnavailable=1:intOrString maxSurge=2:intOrString
RollingUpdateStatefulSetStrategy: partition=1:int maxUnavailable=2:intOrString
StatefulSet: metadata=1:ObjectMeta spec=2:StatefulSetSpec status=3:StatefulSetStatus
StatefulSetCondition: type!=1:string status!=2:string lastTransitionTime=3:time reason=4:string message=5:string
StatefulSetOrdinals: start=1:int
StatefulSetPersistentVolumeClaimRetentionPolicy: whenDeleted=1:string whenScaled=2:string
StatefulSetSpec: replicas=1:int selector!=2:LabelSelector template!=3:PodTemplateSpec volumeClaimTemplates=4:PersistentVolumeClaim[]
  serviceName=5:string podManagementPolicy=6:string updateStrategy=7:StatefulSetUpdateStrategy revisionHistoryLimit=8:int
  minReadySeconds=9:int persistentVolumeClaimRetentionPolicy=10:StatefulSetPersistentVolumeClaimRetentionPolicy
  ordinals=11:StatefulSetOrdinals
StatefulSetStatus: observedGeneration=1:long replicas!=2:int readyReplicas=3:int currentReplicas=4:int updatedReplicas=5:int
  currentRevision=6:string updateRevision=7:string collisionCount=9:int conditions=10:StatefulSetCondition[]~type availableReplicas=11:int
StatefulSetUpdateStrategy: type=1:string rollingUpdate=2:RollingUpdateStatefulSetStrategy
`,
  'io.k8s.api.batch.v1': `
CronJob: metadata=1:ObjectMeta spec!=2:CronJobSpec status=3:CronJobStatus
CronJobSpec: schedule!=1:string startingDeadlineSeconds=2:long concurrencyPolicy=3:string suspend=4:bool jobTemplate!=5:JobTemplateSpec
  successfulJobsHistoryLimit=6:int failedJobsHistoryLimit=7:int timeZone=8:string
CronJobStatus: active=1:ObjectReference[] lastScheduleTime=4:time lastSuccessfulTime=5:time
Job: metadata=1:ObjectMeta spec=2:JobSpec status=3:JobStatus
JobCondition: type!=1:string status!=2:string lastProbeTime=3:time lastTransitionTime=4:time reason=5:string message=6:string
JobSpec: parallelism=1:int completions=2:int activeDeadlineSeconds=3:long selector=4:LabelSelector manualSelector=5:bool
  template!=6:PodTemplateSpec backoffLimit=7:int ttlSecondsAfterFinished=8:int completionMode=9:string suspend=10:bool
  podFailurePolicy=11:PodFailurePolicy backoffLimitPerIndex=12:int maxFailedIndexes=13:int podReplacementPolicy=14:string
  managedBy=15:string successPolicy=16:SuccessPolicy
JobStatus: conditions=1:JobCondition[]~type startTime=2:time completionTime=3:time active=4:int succeeded=5:int failed=6:int
  completedIndexes=7:string uncountedTerminatedPods=8:UncountedTerminatedPods ready=9:int failedIndexes=10:string terminating=11:int
JobTemplateSpec: metadata=1:ObjectMeta spec=2:JobSpec
PodFailurePolicy: rules!=1:PodFailurePolicyRule[]
PodFailurePolicyOnExitCodesRequirement: containerName=1:string operator!=2:string values!=3:int[]
PodFailurePolicyOnPodConditionsPattern: type!=1:string status=2:string
PodFailurePolicyRule: action!=1:string onExitCodes=2:PodFailurePolicyOnExitCodesRequirement
  onPodConditions=3:PodFailurePolicyOnPodConditionsPattern[]
SuccessPolicy: rules!=1:SuccessPolicyRule[]
SuccessPolicyRule: succeededIndexes=1:string succeededCount=2:int
UncountedTerminatedPods: succeeded=1:string[] failed=2:string[]
`,
  'io.k8s.api.policy.v1': `
Eviction: metadata=1:ObjectMeta deleteOptions=2:DeleteOptions
`,
  'io.k8s.api.coordination.v1': `
Lease: metadata=1:ObjectMeta spec=2:LeaseSpec
LeaseSpec: holderIdentity=1:string leaseDurationSeconds=2:int acquireTime=3:microTime renewTime=4:microTime leaseTransitions=5:int
  strategy=6:string preferredHolder=7:string
`,
  'io.k8s.api.node.v1': `
Overhead: podFixed=1:quantity{}
RuntimeClass: metadata=1:ObjectMeta handler!=2:string overhead=3:Overhead scheduling=4:Scheduling
Scheduling: nodeSelector=1:string{} tolerations=2:Toleration[]
`,
  'io.k8s.api.autoscaling.v1': `
Scale: metadata=1:ObjectMeta spec=2:ScaleSpec status=3:ScaleStatus
ScaleSpec: replicas=1:int
ScaleStatus: replicas!=1:int selector=2:string
`,
};
