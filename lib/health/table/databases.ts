import type { TableEntry } from "../table.ts";
import { annotated, any, because, condition, every, not, sumOf, there, word } from "./cel.ts";

/** Databases, stores, brokers and streams. */
export const databases: readonly TableEntry[] = [
  {
    groups: "postgresql.cnpg.io",
    kinds: "Cluster",
    suspended: any(
      annotated("cnpg.io/hibernation", "on"),
      annotated("cnpg.io/reconciliationLoop", "disabled"),
      condition("cnpg.io/hibernation"),
    ),
  },
  {
    groups: "postgresql.cnpg.io",
    kinds: "Database Publication Subscription",
    failed: "status.?applied.orValue(true) == false",
    current: "status.?applied.orValue(false)",
  },
  {
    groups: "postgres-operator.crunchydata.com",
    kinds: "PostgresCluster",
    suspended: "spec.?shutdown.orValue(false)",
    inProgress:
      "status.?instances.orValue([]).exists(i, i.?readyReplicas.orValue(0) < i.?replicas.orValue(0) || i.?updatedReplicas.orValue(0) < i.?replicas.orValue(0))",
    current: "status.?instances.orValue([]).size() > 0",
  },
  {
    groups: "psmdb.percona.com pxc.percona.com ps.percona.com pgv2.percona.com",
    kinds: "PerconaServerMongoDB PerconaXtraDBCluster PerconaServerMySQL PerconaPGCluster",
    suspended: word("status.state", "paused"),
    inProgress: any(word("status.state", "initializing", "stopping"), not("has(status.state)")),
    failed: word("status.state", "error"),
    current: word("status.state", "ready"),
    otherwise: "Unknown",
  },
  {
    groups: "k8s.mariadb.com mariadb.mmontes.io",
    kinds: "MariaDB MaxScale",
    suspended: "spec.?suspend.orValue(false)",
    inProgress:
      'status.?conditions.orValue([]).exists(c, c.type == "Ready" && c.status == "False" && c.?reason.orValue("") != "Failed")',
  },
  {
    groups: "mysql.oracle.com",
    kinds: "InnoDBCluster",
    current: word("status.cluster.status", "ONLINE"),
    failed: word("status.cluster.status", "OFFLINE", "NO_QUORUM", "INVALID", "SPLIT_BRAIN"),
  },
  {
    groups: "elasticsearch.k8s.elastic.co",
    kinds: "Elasticsearch",
    failed: any(word("status.health", "red"), word("status.phase", "Invalid")),
    inProgress: any(
      word("status.health", "yellow"),
      word("status.phase", "ApplyingChanges", "MigratingData", "NodeShutdownStalled"),
      `status.?health.orValue("") == "green" && has(status.availableNodes) && status.availableNodes < ${sumOf("spec.nodeSets", "count")}`,
    ),
    current: every(word("status.health", "green"), word("status.phase", "Ready")),
    otherwise: "Unknown",
  },
  {
    groups:
      "kibana.k8s.elastic.co apm.k8s.elastic.co enterprisesearch.k8s.elastic.co agent.k8s.elastic.co beat.k8s.elastic.co maps.k8s.elastic.co logstash.k8s.elastic.co",
    kinds: "*",
    failed: word("status.health", "red"),
    inProgress: any(
      word("status.health", "yellow"),
      "has(status.expectedNodes) && status.?availableNodes.orValue(0) < status.expectedNodes",
    ),
    current: word("status.health", "green"),
  },
  {
    groups: "minio.min.io",
    kinds: "Tenant",
    inProgress:
      'status.?currentState.orValue("").matches("^(Provisioning|Waiting|Updating|Restarting|Decommissioning|Adding|Creating|Initializing)")',
    failed: any(
      word("status.healthStatus", "red"),
      'status.?currentState.orValue("").matches("([Nn]ot (controlled|set properly|[Aa]llowed)|already exists|[Dd]ifferent versions|[Mm]ismatch|[Ff]ail|[Ee]rror|[Ii]nvalid|[Uu]nable)")',
    ),
    current: any(word("status.currentState", "Initialized")),
  },
  {
    groups: "ceph.rook.io",
    kinds: "CephCluster",
    failed: any(
      word("status.ceph.health", "HEALTH_WARN", "HEALTH_ERR"),
      word("status.state", "Error"),
      word("status.phase", "Failure"),
    ),
    inProgress: any(word("status.state", "Creating", "Updating", "Connecting"), word("status.phase", "Progressing")),
    current: word("status.ceph.health", "HEALTH_OK"),
  },
  {
    groups: "solr.apache.org",
    kinds: "SolrCloud",
    inProgress:
      "status.?readyReplicas.orValue(0) < status.?replicas.orValue(spec.?replicas.orValue(1)) || has(status.upToDateNodes) && status.upToDateNodes < status.?replicas.orValue(0)",
    current: there("status.readyReplicas"),
  },
  {
    groups: "rabbitmq.com",
    kinds: "RabbitmqCluster",
    inProgress: any(
      not(there("status.conditions")),
      "status.?conditions.orValue([]).exists(c, c.type in ['AllReplicasReady', 'ClusterAvailable'] && c.status != 'True')",
    ),
    failed: any(
      "status.?conditions.orValue([]).exists(c, c.type == 'ReconcileSuccess' && c.status == 'False')",
      because("NoWarnings", "False", "ClusterMisconfigured"),
    ),
    current: condition("AllReplicasReady"),
  },
  { groups: "rabbitmq.com", kinds: "*", failed: condition("Ready", "False"), current: condition("Ready"), otherwise: "Unknown" },
  {
    groups: "kafka.banzaicloud.io",
    kinds: "KafkaCluster",
    inProgress: any(
      word("status.state", "ClusterReconciling", "ClusterRollingUpgrading"),
      word("status.cruiseControlTopicStatus", "ClusterRollingUpgrading", "CruiseControlTopicNotReady"),
    ),
    failed:
      'status.?brokersState.orValue({}).exists(b, status.brokersState[b].?configurationState.orValue("") == "ConfigOutOfSync" || status.brokersState[b].?gracefulActionState.?cruiseControlState.orValue("").endsWith("CompletedWithError"))',
    current: word("status.state", "ClusterRunning"),
  },
  {
    groups: "kafka.strimzi.io",
    kinds: "KafkaConnector",
    failed: "status.?connectorStatus.?tasks.orValue([]).exists(t, t.?state.orValue('') == 'FAILED')",
  },
  { groups: "kafka.strimzi.io", kinds: "KafkaNodePool", current: there("status.observedGeneration") },
  {
    groups: "core.strimzi.io",
    kinds: "StrimziPodSet",
    inProgress: "status.?readyPods.orValue(0) < status.?pods.orValue(0)",
    current: there("status.observedGeneration"),
  },
  { groups: "infinispan.org", kinds: "Infinispan", failed: condition("WellFormed", "False"), current: condition("WellFormed") },
  {
    groups: "platform.confluent.io",
    kinds: "Connector",
    failed: any(
      word("status.state", "ERROR"),
      word("status.connectorState", "FAILED"),
      "status.?failedTasksCount.orValue(0) > 0",
    ),
    suspended: word("status.connectorState", "PAUSED", "STOPPED"),
    current: every(word("status.state", "CREATED"), word("status.connectorState", "RUNNING")),
  },
  {
    groups: "platform.confluent.io",
    kinds: "Connect ControlCenter Kafka KafkaRestProxy KRaftController KsqlDB SchemaRegistry Zookeeper",
    failed: word("status.phase", "ERROR", "FAILED"),
    current: word("status.phase", "RUNNING"),
  },
  {
    groups: "platform.confluent.io",
    kinds: "KafkaTopic ClusterLink ConfluentRolebinding Schema SchemaExporter KafkaRestClass",
    failed: any(word("status.state", "ERROR", "FAILED"), word("status.phase", "ERROR", "FAILED")),
    current: any(word("status.state", "CREATED", "SUCCEEDED"), word("status.phase", "CREATED", "SUCCEEDED")),
  },
  {
    groups: "snapshot.storage.k8s.io groupsnapshot.storage.k8s.io",
    kinds: "VolumeSnapshot VolumeSnapshotContent VolumeGroupSnapshot VolumeGroupSnapshotContent",
    current: "status.?readyToUse.orValue(false)",
    failed: there("status.error.message"),
  },
  {
    groups: "velero.io",
    kinds: "Backup Restore",
    failed: word(
      "status.phase",
      "Failed",
      "PartiallyFailed",
      "FailedValidation",
      "FinalizingPartiallyFailed",
      "WaitingForPluginOperationsPartiallyFailed",
    ),
    current: word("status.phase", "Completed"),
  },
  {
    groups: "velero.io",
    kinds: "BackupStorageLocation",
    failed: word("status.phase", "Unavailable"),
    current: word("status.phase", "Available"),
  },
  {
    groups: "velero.io",
    kinds: "Schedule",
    failed: word("status.phase", "FailedValidation"),
    current: word("status.phase", "Enabled"),
    suspended: "spec.?paused.orValue(false)",
  },
  {
    groups: "volsync.backube",
    kinds: "*",
    failed: word("status.latestMoverStatus.result", "Failed"),
    suspended: "spec.?paused.orValue(false)",
    current: any(condition("Synchronizing"), condition("Synchronizing", "False")),
  },
  {
    groups: "astra.netapp.io",
    kinds: "ExecHook",
    suspended: "spec.?enabled.orValue(true) == false",
    current: "spec.?enabled.orValue(false)",
  },
  {
    groups: "longhorn.io",
    kinds: "Volume",
    failed: word("status.robustness", "faulted", "degraded"),
    inProgress: word("status.state", "attaching", "detaching", "creating", "deleting"),
    current: word("status.state", "attached", "detached"),
  },
  {
    groups: "flink.apache.org",
    kinds: "FlinkDeployment FlinkSessionJob",
    suspended: any(
      word("status.lifecycleState", "SUSPENDED"),
      every(word("spec.job.state", "suspended"), word("status.jobStatus.state", "FINISHED", "SUSPENDED", "CANCELED")),
    ),
    failed: any(
      word("status.lifecycleState", "FAILED", "ROLLED_BACK"),
      word("status.jobManagerDeploymentStatus", "ERROR"),
      word("status.jobStatus.state", "FAILED", "FAILING"),
      word("status.reconciliationStatus.state", "ROLLED_BACK"),
    ),
    inProgress: any(
      word("status.jobManagerDeploymentStatus", "DEPLOYING", "DEPLOYED_NOT_READY", "MISSING"),
      word("status.jobStatus.state", "RECONCILING", "CREATED", "INITIALIZING", "RESTARTING", "CANCELLING"),
    ),
    current: any(
      word("status.jobStatus.state", "RUNNING", "FINISHED"),
      word("status.lifecycleState", "STABLE"),
      word("status.jobManagerDeploymentStatus", "READY"),
    ),
  },
  {
    groups: "flinkoperator.k8s.io",
    kinds: "FlinkCluster",
    suspended: word("status.state", "Stopped", "PartiallyStopped"),
    failed: word("status.components.job.state", "Failed", "DeployFailed", "Lost"),
    current: word("status.state", "Running"),
  },
  {
    groups: "sparkoperator.k8s.io",
    kinds: "SparkApplication",
    suspended: word("status.applicationState.state", "SUSPENDED", "SUSPENDING"),
    failed: word("status.applicationState.state", "FAILED", "SUBMISSION_FAILED", "INVALIDATING", "UNKNOWN"),
    inProgress: word(
      "status.applicationState.state",
      "",
      "NEW",
      "SUBMITTED",
      "PENDING_RERUN",
      "PENDING_SUBMISSION",
      "SUCCEEDING",
      "FAILING",
      "RESUMING",
    ),
    current: word("status.applicationState.state", "RUNNING", "COMPLETED"),
  },
  {
    groups: "sparkoperator.k8s.io",
    kinds: "ScheduledSparkApplication",
    suspended: "spec.?suspend.orValue(false)",
    failed: word("status.scheduleState", "FailedValidation"),
    current: word("status.scheduleState", "Scheduled"),
  },
  {
    groups: "cassandra.datastax.com",
    kinds: "CassandraDatacenter",
    suspended: "spec.?stopped.orValue(false)",
    inProgress: word("status.cassandraOperatorProgress", "Updating"),
    current: condition("Ready"),
  },
  { groups: "databases.spotahome.com", kinds: "RedisFailover", failed: word("status.state", "NotHealthy"), current: "true" },
  {
    groups: "objectbucket.io",
    kinds: "ObjectBucketClaim",
    failed: word("status.phase", "Failed"),
    current: word("status.phase", "Bound"),
  },
  { groups: "databases.schemahero.io", kinds: "Table", current: there("status.lastPlannedTableSpecSHA") },
  { groups: "databases.schemahero.io", kinds: "Database", current: "true" },
];
