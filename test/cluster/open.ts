import { randomBytes } from "node:crypto";
import type { TestContext } from "node:test";
import type { Answer } from "../../lib/cluster/classify.ts";
import type { ClusterWriter } from "../../lib/cluster/cluster.ts";
import type { HttpRequest } from "../../lib/cluster/exchange.ts";
import { type ClusterDeps, createClusterWriter } from "../../lib/cluster/kubernetes.ts";
import { createTransport, type Transport } from "../../lib/cluster/transport.ts";
import type { Manifest, ResourceRef } from "../../lib/model/resource.ts";
import { refOf } from "../../lib/model/resource.ts";
import { Secret } from "../../lib/telemetry/secret.ts";
import { until } from "../control-plane/until.ts";
import { sharedControlPlane } from "../support/cluster.ts";

export interface OpenOptions {
  readonly user?: "admin" | "limited";
  /** Default: the shared control plane's own address. */
  readonly server?: string;
  readonly pageSizes?: NonNullable<ClusterDeps["pageSizes"]>;
  /** Answers in the server's stead, to have faults at will; undefined lets the request through. */
  readonly fault?: (request: HttpRequest) => Answer | undefined;
}

/** A writer on the shared control plane, closed when the test ends. */
export async function openCluster(t: TestContext, options: OpenOptions = {}): Promise<ClusterWriter> {
  const { ca, tokens, server } = await sharedControlPlane();
  const authorization = new Secret(`Bearer ${tokens[options.user ?? "admin"]}`);
  const real = createTransport({
    connection: { server: options.server ?? server, ca, authorize: () => Promise.resolve(authorization) },
  });
  t.after(() => real.close());
  const transport: Transport = {
    ...real,
    request: async (request, call) => options.fault?.(request) ?? real.request(request, call),
  };
  return createClusterWriter({ transport, ...(options.pageSizes === undefined ? {} : { pageSizes: options.pageSizes }) });
}

export function aConfigMap(namespace: string, name: string, content: Readonly<Record<string, string>> = {}): Manifest {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace }, data: content };
}

export function configMapRef(namespace: string, name: string): ResourceRef {
  return refOf(aConfigMap(namespace, name));
}

/** A new kind `Note` with `spec.id` (int64), `spec.text` and a free-form `spec.free`; removed when the test ends. */
export async function aCustomKind(
  t: TestContext,
  cluster: ClusterWriter,
): Promise<{ readonly group: string; readonly version: string; readonly kind: string }> {
  const group = `t${randomBytes(4).toString("hex")}.driftless.example`;
  const spec = {
    type: "object",
    properties: {
      id: { type: "integer", format: "int64" },
      text: { type: "string" },
      free: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
    },
  };
  const crd = await cluster.apply(
    {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: `notes.${group}` },
      spec: {
        group,
        scope: "Namespaced",
        names: { kind: "Note", plural: "notes", singular: "note" },
        versions: [
          { name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object", properties: { spec } } } },
        ],
      },
    },
    { force: true },
  );
  t.after(() => cluster.delete(refOf(crd), { uid: crd.metadata.uid ?? "" }));
  const kind = { group, version: "v1", kind: "Note" };
  await until(() => cluster.resourceType(kind), { what: "the new kind to be served" });
  return kind;
}
