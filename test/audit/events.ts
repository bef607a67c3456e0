import type { JsonObject } from "../../lib/model/json.ts";

/** An event as an API server of 1.35 writes it at level Metadata: somebody set an image with kubectl. */
export function anEvent(change: JsonObject = {}): JsonObject {
  return {
    kind: "Event",
    apiVersion: "audit.k8s.io/v1",
    level: "Metadata",
    auditID: "5f0d6a1e-7c1a-4c55-9c5e-0f2f0d3f7a11",
    stage: "ResponseComplete",
    requestURI: "/apis/apps/v1/namespaces/shop/deployments/web?fieldManager=kubectl-set&fieldValidation=Strict",
    verb: "patch",
    user: { username: "ada@example.org", groups: ["platform", "system:authenticated"] },
    sourceIPs: ["10.1.2.3", "198.51.100.7"],
    userAgent: "kubectl/v1.35.1 (linux/amd64) kubernetes/3f2c1b4",
    objectRef: { resource: "deployments", namespace: "shop", name: "web", apiGroup: "apps", apiVersion: "v1" },
    responseStatus: { metadata: {}, code: 200 },
    requestReceivedTimestamp: "2025-03-01T11:58:00.412345Z",
    stageTimestamp: "2025-03-01T11:58:00.431992Z",
    annotations: { "authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": "" },
    ...change,
  };
}

/** What EKS says of an IAM role that signed in. */
export function aRoleUser(role: string, { username = "" }: { readonly username?: string } = {}): JsonObject {
  return {
    username: username || `arn:aws:sts::111122223333:assumed-role/${role}/1740830280`,
    uid: "aws-iam-authenticator:111122223333:AROAEXAMPLE",
    groups: ["system:authenticated"],
    extra: {
      arn: [`arn:aws:sts::111122223333:assumed-role/${role}/1740830280`],
      canonicalArn: [`arn:aws:iam::111122223333:role/${role}`],
      sessionName: ["1740830280"],
    },
  };
}

/** What CloudWatch Logs sends, unpacked. */
export function aPayload(events: readonly unknown[], change: JsonObject = {}): string {
  return JSON.stringify({
    messageType: "DATA_MESSAGE",
    owner: "111122223333",
    logGroup: "/aws/eks/production/cluster",
    logStream: "kube-apiserver-audit-0a1b2c3d4e5f60718293a4b5c6d7e8f9",
    subscriptionFilters: ["driftless"],
    logEvents: events.map((event, index) => ({
      id: `${index}`,
      timestamp: 1_740_830_280_000 + index,
      message: typeof event === "string" ? event : JSON.stringify(event),
    })),
    ...change,
  });
}

export const identities = ["arn:aws:iam::111122223333:role/driftless/driftless-prod-SyncRole-1A2B", "driftless"];
