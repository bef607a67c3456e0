import type { TableEntry } from "../table.ts";
import { any, because, condition, every, not, unless, word } from "./cel.ts";

/** Each router that looked at an object writes its own part of the status. */
const gloo = 'status.?statuses.orValue({"": status}).exists(r, status.?statuses.orValue({"": status})[r]';

/** Ways into and through the cluster. */
export const networking: readonly TableEntry[] = [
  {
    groups: "gateway.solo.io gloo.solo.io enterprise.gloo.solo.io",
    kinds: "*",
    failed: `${gloo}.?state.orValue("") in [dyn("Rejected"), dyn("Warning"), dyn(2), dyn(3)])`,
    suspended: `${gloo}.?state.orValue("") in [dyn("Pending"), dyn(0)])`,
    current: `${gloo}.?state.orValue("") in [dyn("Accepted"), dyn(1)])`,
  },
  {
    groups: "gateway.networking.k8s.io",
    kinds: "GRPCRoute HTTPRoute TCPRoute TLSRoute UDPRoute",
    failed:
      'status.?parents.orValue([]).exists(p, p.?conditions.orValue([]).exists(c, c.type in ["Accepted", "ResolvedRefs"] && c.status == "False" && !(c.?reason.orValue("") in ["Pending"])))',
    inProgress: any(
      "status.?parents.orValue([]).size() == 0",
      'status.?parents.orValue([]).exists(p, p.?conditions.orValue([]).exists(c, c.status == "Unknown" || c.?reason.orValue("") == "Pending" || c.?observedGeneration.orValue(metadata.?generation.orValue(0)) < metadata.?generation.orValue(0)))',
    ),
    current: "true",
  },
  {
    groups: "gateway.networking.k8s.io",
    kinds: "Gateway",
    failed: any(
      'status.?conditions.orValue([]).exists(c, c.type in ["Accepted", "Programmed"] && c.status == "False" && !(c.?reason.orValue("") in ["Pending", "NotReconciled", "AddressNotAssigned"]))',
      'status.?listeners.orValue([]).exists(l, l.?conditions.orValue([]).exists(c, c.type in ["Accepted", "Programmed", "ResolvedRefs"] && c.status == "False" && c.?reason.orValue("") != "Pending"))',
    ),
    current: any(condition("Programmed"), condition("Ready")),
  },
  {
    groups: "route.openshift.io",
    kinds: "Route",
    failed:
      "status.?ingress.orValue([]).exists(i, i.?conditions.orValue([]).exists(c, c.type == 'Admitted' && c.status == 'False'))",
    inProgress:
      "status.?ingress.orValue([]).exists(i, !i.?conditions.orValue([]).exists(c, c.type == 'Admitted' && c.status in ['True', 'False']))",
    current: "status.?ingress.orValue([]).size() > 0",
  },
  {
    groups: "projectcontour.io",
    kinds: "HTTPProxy",
    failed: every(
      word("status.currentStatus", "invalid"),
      not(
        'status.?conditions.orValue([]).exists(c, c.type == "Valid" && c.?errors.orValue([]).size() > 0 && c.errors.all(e, e.?type.orValue("") == "IncludeError"))',
      ),
    ),
    current: word("status.currentStatus", "valid", "invalid"),
  },
  {
    groups: "microgateway.airlock.com gateway.envoyproxy.io",
    kinds: "*Policy DenyRules APIProtection",
    failed:
      'status.?ancestors.orValue([]).exists(a, has(a.conditions) && !a.conditions.exists(c, c.type == "Accepted" && c.status == "True"))',
    inProgress:
      "status.?ancestors.orValue([]).exists(a, a.?conditions.orValue([]).exists(c, c.?observedGeneration.orValue(0) < metadata.?generation.orValue(0)))",
    current: "status.?ancestors.orValue([]).size() > 0",
  },
  {
    groups: "nmstate.io",
    kinds: "NodeNetworkConfigurationPolicy",
    suspended: any(condition("Ignored"), because("Available", "False", "NoMatchingNode")),
    failed: condition("Degraded"),
    current: condition("Available"),
  },
  {
    groups: "proclaim.dogmatiq.io",
    kinds: "DNSSDServiceInstance",
    failed: any(condition("Adopted", "False"), condition("Advertised", "False")),
    inProgress: unless(
      any(condition("Discoverable", "False"), 'status.?conditions.orValue([]).all(c, c.type != "Discoverable")'),
      any(condition("Adopted", "False"), condition("Advertised", "False")),
    ),
    current: condition("Discoverable"),
    otherwise: "Unknown",
  },
  {
    groups: "getambassador.io x.getambassador.io",
    kinds: "Host AmbassadorHost",
    failed: word("status.state", "Error"),
    current: word("status.state", "Ready"),
  },
  {
    groups: "getambassador.io x.getambassador.io",
    kinds: "Mapping AmbassadorMapping",
    failed: word("status.state", "Inactive", "Error"),
    current: "true",
  },
  {
    groups: "k8s.nginx.org",
    kinds: "Policy TransportServer VirtualServer VirtualServerRoute",
    failed: word("status.state", "Invalid", "Warning"),
    current: word("status.state", "Valid"),
  },
  {
    groups: "install.istio.io",
    kinds: "IstioOperator",
    failed: word("status.status", "ERROR", "ACTION_REQUIRED"),
    inProgress: word("status.status", "NONE", "UPDATING", "RECONCILING", ""),
    current: word("status.status", "HEALTHY"),
  },
  {
    groups: "networking.gke.io",
    kinds: "ManagedCertificate",
    failed: any(
      word("status.certificateStatus", "ProvisioningFailed", "ProvisioningFailedPermanently", "RenewalFailed"),
      "status.?domainStatus.orValue([]).exists(d, d.?status.orValue('').startsWith('Failed'))",
    ),
    current: word("status.certificateStatus", "Active"),
  },
  {
    groups: "operator.tigera.io",
    kinds: "TigeraStatus",
    failed: condition("Degraded"),
    inProgress: unless(condition("Progressing"), condition("Degraded")),
    current: condition("Available"),
  },
  {
    groups: "tailscale.com",
    kinds: "Connector DNSConfig ProxyClass ProxyGroup Recorder",
    failed: "status.?conditions.orValue([]).exists(c, c.status == 'False')",
    current: "status.?conditions.orValue([]).exists(c, c.type.endsWith('Ready') && c.status == 'True')",
  },
  {
    groups: "cilium.io",
    kinds: "CiliumClusterwideNetworkPolicy CiliumNetworkPolicy",
    failed: condition("Valid", "False"),
    current: "true",
  },
  {
    groups: "maistra.io",
    kinds: "ServiceMeshMemberRoll",
    current: condition("Ready"),
    failed: because("Ready", "False", "ReconcileError", "SMCPMissing"),
  },
];
