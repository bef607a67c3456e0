import type { TableEntry } from "../table.ts";
import { any, because, condition, every, not, there, unless, word } from "./cel.ts";

/** Certificates, secrets, identities, policies, observability. */
export const operations: readonly TableEntry[] = [
  {
    groups: "cert-manager.io certmanager.k8s.io",
    kinds: "Certificate",
    // While one is issued, what is said of the old one does not count; after a failed try it does.
    inProgress: any(
      unless(condition("Issuing"), condition("Ready")),
      because("Ready", "False", "InProgress", "Pending", "DoesNotExist", "Issuing", "TemporaryCertificate"),
    ),
    failed: condition("Ready", "False"),
    current: condition("Ready"),
  },
  {
    groups: "cert-manager.io",
    kinds: "CertificateRequest",
    failed: any(condition("Denied"), condition("InvalidRequest"), because("Ready", "False", "Failed", "Denied")),
    inProgress: because("Ready", "False", "Pending"),
    current: condition("Ready"),
  },
  {
    groups: "cert-manager.io certmanager.k8s.io",
    kinds: "ClusterIssuer Issuer",
    failed: condition("Ready", "False"),
    current: condition("Ready"),
  },
  {
    groups: "acme.cert-manager.io certmanager.k8s.io",
    kinds: "Challenge Order",
    failed: word("status.state", "invalid", "expired", "errored"),
    current: word("status.state", "valid", "ready"),
  },
  {
    groups: "bitnami.com",
    kinds: "SealedSecret",
    failed: condition("Synced", "False"),
    current: condition("Synced"),
  },
  {
    groups: "external-secrets.io",
    kinds: "ClusterExternalSecret",
    failed: every(not(condition("Ready")), any(condition("NotReady"), condition("PartiallyReady"), condition("Ready", "False"))),
    current: condition("Ready"),
  },
  {
    groups: "secrets.hashicorp.com",
    kinds: "HCPAuth SecretTransformation VaultAuth VaultAuthGlobal VaultConnection",
    failed: "has(status.valid) && status.valid == false",
    current: "status.?valid.orValue(false)",
  },
  {
    groups: "secrets.hashicorp.com",
    kinds: "VaultDynamicSecret VaultPKISecret VaultStaticSecret HCPVaultSecretsApp",
    failed: any(condition("Healthy", "False"), condition("SecretSynced", "False"), condition("Ready", "False")),
    current: any(
      "status.?lastGeneration.orValue(0) > 0",
      there("status.secretMAC"),
      there("status.serialNumber"),
      condition("Ready"),
      condition("Healthy"),
      condition("SecretSynced"),
    ),
  },
  {
    groups: "redhatcop.redhat.io",
    kinds: "*",
    failed: any(condition("ReconcileError"), condition("ReconcileSuccessful", "False"), condition("ReconcileSuccess", "False")),
    current: any(condition("ReconcileSuccessful"), condition("ReconcileSuccess")),
  },
  {
    groups: "keycloak.org",
    kinds: "*",
    failed: word("status.phase", "failing"),
    inProgress: word("status.phase", "initializing"),
    current: "status.?ready.orValue(false)",
  },
  {
    groups: "k8s.keycloak.org",
    kinds: "KeycloakRealmImport",
    failed: condition("HasErrors"),
    inProgress: condition("Started"),
    current: condition("Done"),
  },
  {
    groups: "templates.gatekeeper.sh",
    kinds: "ConstraintTemplate",
    failed: "status.?byPod.orValue([]).exists(p, p.?errors.orValue([]).size() > 0)",
    current: "status.?created.orValue(false)",
  },
  {
    groups: "constraints.gatekeeper.sh",
    kinds: "*",
    failed: "status.?byPod.orValue([]).exists(p, p.?errors.orValue([]).size() > 0 || p.?enforced.orValue(true) == false)",
    current: "true",
  },
  {
    groups: "kyverno.io",
    kinds: "ClusterPolicy Policy",
    failed: any(condition("Ready", "False"), "!has(status.conditions) && has(status.ready) && status.ready == false"),
    current: any(condition("Ready"), "status.?ready.orValue(false)"),
  },
  {
    groups: "policies.kyverno.io",
    kinds: "*",
    failed: "!status.?conditionStatus.?ready.orValue(true)",
    current: "status.?conditionStatus.?ready.orValue(false)",
  },
  {
    groups: "security-profiles-operator.x-k8s.io",
    kinds: "*",
    failed: word("status.status", "Error"),
    current: word("status.status", "Installed", "Partial"),
  },
  // Observability
  {
    groups: "grafana.integreatly.org",
    kinds: "Grafana",
    failed: word("status.stageStatus", "failed"),
    current: every(word("status.stage", "complete"), word("status.stageStatus", "success")),
  },
  {
    groups: "grafana.integreatly.org",
    kinds: "*",
    failed: any(
      "status.?NoMatchingInstances.orValue(false)",
      "status.?conditions.orValue([]).exists(c, c.type.endsWith('Synchronized') && c.status == 'False')",
      condition("NoMatchingInstance"),
      condition("InvalidSpec"),
    ),
    current: any(
      'status.?hash.orValue("") != ""',
      "status.?conditions.orValue([]).exists(c, c.type.endsWith('Synchronized') && c.status == 'True')",
    ),
    suspended: "spec.?suspend.orValue(false)",
  },
  {
    groups: "datadoghq.com",
    kinds: "DatadogMetric",
    failed: condition("Error"),
    current: any(
      every(condition("Active"), condition("Valid")),
      every(condition("Active", "False"), condition("Valid")),
      condition("Updated"),
    ),
  },
  {
    groups: "datadoghq.com",
    kinds: "DatadogMonitor DatadogSLO",
    failed: any(condition("Error"), condition("Created", "False")),
    current: condition("Created"),
  },
  {
    groups: "sloth.slok.dev",
    kinds: "PrometheusServiceLevel",
    failed: "has(status.promOpRulesGenerated) && status.promOpRulesGenerated == false",
    current: "status.?promOpRulesGenerated.orValue(false)",
  },
  {
    groups: "loki.grafana.com tempo.grafana.com",
    kinds: "LokiStack TempoMonolithic TempoStack",
    failed: any(condition("Failed"), condition("Degraded"), condition("ConfigurationError")),
    current: condition("Ready"),
    inProgress: condition("Pending"),
  },
  {
    groups: "dynatrace.com",
    kinds: "DynaKube EdgeConnect",
    failed: word("status.phase", "Error"),
    current: word("status.phase", "Running"),
  },
  {
    groups: "jaegertracing.io",
    kinds: "Jaeger",
    current: word("status.phase", "Running"),
    failed: word("status.phase", "Failed"),
  },
  {
    groups: "monitoring.coreos.com",
    kinds: "Alertmanager Prometheus PrometheusAgent ThanosRuler",
    suspended: "spec.?paused.orValue(false)",
    failed: condition("Available", "False"),
    inProgress: any(
      condition("Available", "Unknown"),
      "status.?conditions.orValue([]).exists(c, c.type == 'Available' && c.status == 'Degraded')",
    ),
    current: condition("Available"),
  },
];
