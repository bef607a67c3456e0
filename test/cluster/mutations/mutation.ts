import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { ClusterReader } from "../../../lib/cluster/cluster.ts";
import type { DriftRow } from "../../../lib/model/drift.ts";
import type { JsonValue } from "../../../lib/model/json.ts";
import { type Manifest, refOf } from "../../../lib/model/resource.ts";
import { callApi } from "../../control-plane/api.ts";
import type { ControlPlane } from "../../control-plane/control-plane.ts";

const execute = promisify(execFile);

/** Where one mutation has its object. */
export interface Place {
  readonly name: string;
  readonly namespace: string;
  /** Group of the custom kind `Widget` of this test run. */
  readonly group: string;
}

/** A row as it is compared: kind, field, desired, live, manager. */
export type Told = readonly [
  kind: string,
  field: string,
  desired: JsonValue | undefined,
  live: JsonValue | undefined,
  manager: string,
];

/** Something that people and programs do to one object of Git. */
export interface Mutation {
  readonly title: string;
  readonly object: (place: Place) => Manifest;
  readonly edit: (hand: Hand) => Promise<unknown>;
  /** What the sweep has to say, sorted by field. */
  readonly rows: readonly Told[];
  /** True for what is never removed, whatever the policy for additions. */
  readonly stays?: true;
}

export interface WriteOptions {
  /** Field manager; by the user agent when absent. */
  readonly manager?: string;
  readonly userAgent?: string;
  readonly subresource?: string;
}

/** Whoever changes an object without Git: as cluster-admin, by kubectl or by calls as other programs make them. */
export interface Hand {
  readonly place: Place;
  /** As Git has it. */
  readonly object: Manifest;
  /** The object as kubectl's arguments name it: `deployment/web`. */
  readonly target: string;
  /** In the object's namespace. */
  readonly kubectl: (...args: readonly string[]) => Promise<string>;
  /** With this text as standard input. */
  readonly pipe: (input: Manifest, ...args: readonly string[]) => Promise<string>;
  /** `kubectl edit`, with sed as the editor. */
  readonly editor: (script: string) => Promise<string>;
  readonly read: () => Promise<Manifest>;
  readonly merge: (body: object, options?: WriteOptions) => Promise<void>;
  readonly json: (operations: readonly object[], options?: WriteOptions) => Promise<void>;
  readonly strategic: (body: object, options?: WriteOptions) => Promise<void>;
  /** Server-side apply; answers the status. */
  readonly apply: (manifest: object, options: { readonly manager: string; readonly force?: boolean }) => Promise<number>;
  /** Reads the object and writes it back whole. */
  readonly put: (change: (live: Manifest) => object, options?: WriteOptions) => Promise<void>;
  /** Ends when it is gone. */
  readonly remove: () => Promise<void>;
  readonly create: (manifest: Manifest, options?: WriteOptions) => Promise<void>;
}

export interface HandOptions {
  readonly controlPlane: ControlPlane;
  readonly reader: ClusterReader;
  /** A folder for kubectl's caches. */
  readonly home: string;
  readonly place: Place;
  readonly object: Manifest;
}

export async function aHand({ controlPlane, reader, home, place, object }: HandOptions): Promise<Hand> {
  const ref = refOf(object);
  const type = await reader.resourceType(ref);
  assert.ok(type, `${ref.kind} is served`);
  const base = ref.group === "" ? `/api/${ref.version}` : `/apis/${ref.group}/${ref.version}`;
  const within = type.namespaced ? `/namespaces/${ref.namespace}` : "";
  const collection = `${base}${within}/${type.resource}`;
  const target = `${type.resource}${ref.group === "" ? "" : `.${ref.group}`}/${ref.name}`;

  async function send(method: string, path: string, options: { body?: object; contentType?: string } & WriteOptions = {}) {
    const { manager, userAgent, body, contentType } = options;
    const query = manager === undefined ? "" : `${path.includes("?") ? "&" : "?"}fieldManager=${manager}`;
    const access = { ...controlPlane, token: controlPlane.tokens.admin };
    const call = {
      method,
      ...(body === undefined ? {} : { body }),
      ...(contentType === undefined ? {} : { contentType }),
      ...(userAgent === undefined ? {} : { userAgent }),
    };
    return callApi(access, `${path}${query}`, call);
  }
  async function write(method: string, path: string, options: Parameters<typeof send>[2]): Promise<void> {
    const { status, text } = await send(method, path, options);
    assert.ok(status < 300, `${method} ${path} was answered with ${status}: ${text}`);
  }
  const at = (subresource?: string) => `${collection}/${ref.name}${subresource === undefined ? "" : `/${subresource}`}`;
  const patch =
    (kind: string) =>
    (body: object, options: WriteOptions = {}) =>
      write("PATCH", at(options.subresource), { ...options, body, contentType: `application/${kind}-patch+json` });
  async function read(subresource?: string): Promise<Manifest> {
    const { status, text } = await send("GET", at(subresource));
    assert.equal(status, 200, text);
    return JSON.parse(text) as Manifest;
  }
  async function kubectl(args: readonly string[], env: Readonly<Record<string, string>> = {}, input?: string): Promise<string> {
    const place = type?.namespaced === true ? ["-n", ref.namespace] : [];
    const environment = { KUBECONFIG: controlPlane.kubeconfig, HOME: home, PATH: process.env["PATH"] ?? "", ...env };
    const running = execute(controlPlane.kubectl, [...place, ...args], { env: environment });
    running.child.stdin?.end(input);
    return (await running).stdout;
  }

  return {
    place,
    object,
    target,
    kubectl: (...args) => kubectl(args),
    pipe: (input, ...args) => kubectl(args, {}, JSON.stringify(input)),
    editor: (script) => kubectl(["edit", target], { KUBE_EDITOR: `sed -i ${script}` }),
    read: () => read(),
    merge: patch("merge"),
    json: patch("json"),
    strategic: patch("strategic-merge"),
    async apply(manifest, { manager, force = false }) {
      const { apiVersion, kind } = object;
      const body = { apiVersion, kind, metadata: { name: ref.name }, ...manifest };
      return (await send("PATCH", `${at()}?force=${force}`, { body, contentType: "application/apply-patch+yaml", manager }))
        .status;
    },
    async put(change, options = {}) {
      await write("PUT", at(options.subresource), { ...options, body: change(await read(options.subresource)) });
    },
    async remove() {
      await kubectl(["delete", target]);
    },
    create: (manifest, options = {}) => write("POST", collection, { ...options, body: manifest }),
  };
}

export function told({ kind, field, desired, live, manager }: DriftRow): Told {
  return [kind, field, desired, live, manager];
}
