import assert from "node:assert/strict";
import { after, before, describe, type TestContext, test } from "node:test";
import { EKSClient } from "@aws-sdk/client-eks";
import { type LocalEks, startEks } from "../../cli/local/eks.ts";
import { type LocalSts, startSts } from "../../cli/local/sts.ts";
import { createSignedPost } from "../../lib/aws/signed-post.ts";
import { type ClustersDeps, createClusters, type OpenClusters } from "../../lib/cluster/clusters.ts";
import type { Cluster } from "../../lib/model/application.ts";
import type { Project } from "../../lib/model/project.ts";
import { silentLog } from "../../lib/telemetry/log.ts";
import { callApi } from "../control-plane/api.ts";
import { type ControlPlane, startControlPlane } from "../control-plane/control-plane.ts";
import { until } from "../control-plane/until.ts";
import { aConfigMap, configMapRef } from "./open.ts";
import { aProject } from "./tenants.ts";

const region = "eu-central-1";
const driftless = {
  arn: "arn:aws:sts::111122223333:assumed-role/driftless-prod-sync/driftless-prod-sync",
  credentials: { accessKeyId: "ASIADRIFTLESS", secretAccessKey: "local-secret", sessionToken: "local/session+token==" },
};
const trusts = ["arn:aws:iam::111122223333:role/driftless-prod-sync"];
const shopRole = { arn: "arn:aws:iam::444455556666:role/tenants/driftless-shop", externalId: "install-1", trusts };
const bankRole = { arn: "arn:aws:iam::444455556666:role/driftless-bank", externalId: "", trusts };
const opensIt = { arn: "arn:aws:iam::444455556666:role/driftless-opens", externalId: "install-1", trusts };
const strangers = { arn: "arn:aws:iam::444455556666:role/strangers", externalId: "", trusts: ["arn:aws:iam::999999999999:root"] };

const plain: Cluster = { name: "production", kind: "eks", clusterName: "shop", region, role: "", externalId: "", labels: {} };
const withRole: Cluster = { ...plain, role: opensIt.arn, externalId: opensIt.externalId };
const byRole = (name: string, { arn, externalId }: { readonly arn: string; readonly externalId: string }): Project =>
  aProject(name, ["*"], { identity: "role", roles: [{ cluster: "prod*", arn, externalId }] });
const force = { force: true };
const minute = 60_000;

describe("roles of IAM", () => {
  let sts: LocalSts;
  let eks: LocalEks;
  let controlPlane: ControlPlane;
  const started = Date.now();
  const clock = { minutes: 0, now: () => new Date(started + clock.minutes * minute) };

  before(async () => {
    sts = await startSts({ region, users: [driftless], roles: [shopRole, bankRole, opensIt, strangers], clock });
    eks = await startEks({
      region,
      credentials: driftless.credentials,
      sts,
      clock,
      accessEntries: [
        { principalArn: shopRole.arn, groups: ["driftless:project:shop"] },
        { principalArn: opensIt.arn, username: "opens:{{SessionName}}", groups: ["driftless:sync"] },
      ],
    });
    controlPlane = await startControlPlane({ authenticationWebhook: { url: eks.tokenReviewUrl("shop") }, nodes: 0 });
    eks.put({ name: "shop", endpoint: controlPlane.server, ca: controlPlane.ca });
    await post("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } });
    const edits = [{ apiGroups: [""], resources: ["configmaps"], verbs: ["get", "create", "patch"] }];
    await bind("shop", { name: "shop", group: "driftless:project:shop", rules: edits });
    const names = { users: ["driftless:web"], groups: ["driftless:project:web"] };
    const rules = Object.entries(names).map(([resource, resourceNames]) => ({
      apiGroups: [""],
      resources: [resource],
      resourceNames,
      verbs: ["impersonate"],
    }));
    await bind("", { name: "impersonate", group: "driftless:sync", rules });
    await bind("shop", { name: "web", group: "driftless:project:web", rules: edits });
  });
  after(async () => {
    await controlPlane?.stop();
    await eks?.close();
    await sts?.close();
  });

  async function post(path: string, body: object): Promise<void> {
    const access = { ...controlPlane, token: controlPlane.tokens.admin };
    const { status, text } = await callApi(access, path, { method: "POST", body });
    assert.equal(status, 201, text);
  }

  async function bind(namespace: string, { name, group, rules }: { name: string; group: string; rules: readonly object[] }) {
    const prefix = namespace === "" ? "Cluster" : "";
    const [apiGroup, apiVersion] = ["rbac.authorization.k8s.io", "rbac.authorization.k8s.io/v1"];
    const root = `/apis/${apiVersion}${namespace === "" ? "" : `/namespaces/${namespace}`}/${prefix.toLowerCase()}role`;
    await post(`${root}s`, { apiVersion, kind: `${prefix}Role`, metadata: { name }, rules });
    const roleRef = { apiGroup, kind: `${prefix}Role`, name };
    const subjects = [{ kind: "Group", name: group, apiGroup }];
    await post(`${root}bindings`, { apiVersion, kind: `${prefix}RoleBinding`, metadata: { name }, roleRef, subjects });
  }

  interface Asked {
    readonly cluster?: Cluster;
    readonly projects?: readonly Project[];
    readonly endpoint?: string;
  }

  /** Also the access keys with which EKS was asked; "" for Driftless' own. */
  function open(t: TestContext, { cluster = plain, projects = [], endpoint = sts.endpoint }: Asked) {
    clock.minutes = 0;
    const askedBy: string[] = [];
    const sends = () =>
      sts.assumed.slice(before).map(({ roleArn, sessionName }) => `${roleArn.split("/").at(-1)} ${sessionName}`);
    const before = sts.assumed.length;
    const posts = createSignedPost({
      endpoint,
      region,
      service: "sts",
      credentials: () => Promise.resolve(driftless.credentials),
      clock,
    });
    const eksClient: ClustersDeps["eksClient"] = (_, credentials) => {
      const client = new EKSClient({
        region,
        endpoint: eks.endpoint,
        credentials: credentials ?? driftless.credentials,
        maxAttempts: 1,
      });
      client.middlewareStack.add(
        (next) => async (args) => {
          askedBy.push(credentials === undefined ? "" : (await credentials()).accessKeyId);
          return next(args);
        },
        { step: "build" },
      );
      t.after(() => client.destroy());
      return client;
    };
    const clusters: OpenClusters = createClusters({
      find: async () => cluster,
      project: async (name) => projects.find((project) => project.name === name),
      eksClient,
      sts: () => posts,
      clock,
      log: silentLog,
    });
    t.after(() => {
      clusters.close();
      posts.close();
    });
    return { clusters, sends, askedBy };
  }

  test("a project's role opens the cluster; the API server knows application and commit by the session", async (t) => {
    const { clusters, sends, askedBy } = open(t, { projects: [byRole("shop", shopRole)] });
    const writer = await clusters.writer("production", { project: "shop", session: "web-abc1234" });
    await until(() => writer.apply(aConfigMap("shop", "web", { a: "1" }), force), { what: "the bindings to be known" });
    const { username, groups, extra } = await writer.identity();
    const arn = "arn:aws:sts::444455556666:assumed-role/driftless-shop/driftless-web-abc1234";
    assert.deepEqual([username, groups], [arn, ["driftless:project:shop", "system:authenticated"]]);
    assert.deepEqual([extra["canonicalArn"], extra["sessionName"]], [[shopRole.arn], ["driftless-web-abc1234"]]);
    await assert.rejects(writer.apply(aConfigMap("default", "web"), force), {
      code: "apply",
      message: /User "arn:aws:sts::.*driftless-web-abc1234" cannot patch resource "configmaps" .* in the namespace "default"/,
    });
    assert.deepEqual(sends(), ["driftless-shop driftless-web-abc1234"]);
    assert.deepEqual(askedBy, [""], "a project's role needs no right of AWS");
    assert.equal(writer.identityOfProject, true);
  });

  test("what a session may do in AWS is to ask where its cluster is", async (t) => {
    const { clusters } = open(t, { projects: [byRole("shop", shopRole)] });
    await (await clusters.writer("production", { project: "shop" })).get(configMapRef("shop", "web"));
    const { externalId, policy, sessionName } = sts.assumed.at(-1) ?? {};
    assert.deepEqual([externalId, sessionName], ["install-1", "driftless"]);
    assert.deepEqual((JSON.parse(policy ?? "") as { Statement: unknown }).Statement, [
      { Effect: "Allow", Action: "eks:DescribeCluster", Resource: "arn:aws:eks:eu-central-1:444455556666:cluster/shop" },
    ]);
  });

  test("a role is assumed once for each session, and again five minutes before its credentials end", async (t) => {
    const { clusters, sends } = open(t, { projects: [byRole("shop", shopRole)] });
    const get = async (session: string) => {
      const reader = await clusters.reader("production", { project: "shop", session });
      await reader.get(configMapRef("shop", "web"));
    };
    await Promise.all([get("web-abc1234"), get("web-abc1234"), get("web-abc1234")]);
    assert.deepEqual(sends(), ["driftless-shop driftless-web-abc1234"]);
    await get("api-def5678");
    assert.deepEqual(sends().slice(1), ["driftless-shop driftless-api-def5678"]);
    clock.minutes = 54;
    await get("web-abc1234");
    assert.equal(sends().length, 2);
    clock.minutes = 55;
    await get("web-abc1234");
    assert.deepEqual(sends().slice(2), ["driftless-shop driftless-web-abc1234"]);
  });

  test("a cluster's own role is assumed for Driftless and for projects that impersonate, and EKS is asked by it", async (t) => {
    const web = aProject("web", ["shop"]);
    const { clusters, sends, askedBy } = open(t, { cluster: withRole, projects: [web] });
    const writer = await clusters.writer("production", { session: "web-abc1234" });
    assert.equal((await writer.identity()).username, "opens:driftless-web-abc1234");
    await assert.rejects(writer.get(configMapRef("shop", "web")), { message: /User "opens:driftless-web-abc1234" cannot get/ });
    const asWeb = await clusters.writer("production", { project: "web", session: "web-abc1234" });
    await asWeb.apply(aConfigMap("shop", "by-web"), force);
    assert.equal((await asWeb.identity()).username, "driftless:web");
    assert.deepEqual(sends(), ["driftless-opens driftless-web-abc1234"]);
    assert.match(askedBy.join(), /^ASIA[0-9A-F]{16}$/);
  });

  test("a project's role is assumed in place of the cluster's, and not through it", async (t) => {
    const { clusters, sends } = open(t, { cluster: withRole, projects: [byRole("shop", shopRole)] });
    const writer = await clusters.writer("production", { project: "shop", session: "web-abc1234" });
    assert.match((await writer.identity()).username, /driftless-shop\/driftless-web-abc1234$/);
    // The first is for DescribeCluster.
    assert.deepEqual(sends(), ["driftless-opens driftless-web-abc1234", "driftless-shop driftless-web-abc1234"]);
  });

  test("two projects in one process are never taken for each other", async (t) => {
    const { clusters } = open(t, { projects: [byRole("shop", shopRole), byRole("bank", bankRole)] });
    const of = async (project: string) => {
      const reader = await clusters.reader("production", { project, session: "web-abc1234" });
      return reader.get(configMapRef("shop", "web")).then(
        () => "read",
        (error: Error) => error.message,
      );
    };
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => of(i % 2 === 0 ? "shop" : "bank")));
    for (const [i, answer] of answers.entries()) {
      if (i % 2 === 0) assert.equal(answer, "read");
      else assert.match(answer, /does not know this identity/, "the role of bank has no access entry");
    }
  });

  test("a role that does not let Driftless in says what it has to trust, and under which condition", async (t) => {
    const guessed = byRole("guessed", { arn: shopRole.arn, externalId: "install-2" });
    const { clusters, sends } = open(t, { projects: [guessed, byRole("stranger", strangers)] });
    const denied = async (project: string) => {
      const reader = await clusters.reader("production", { project, session: "web-abc1234" });
      return reader.get(configMapRef("shop", "web"));
    };
    const who =
      "User: arn:aws:sts::111122223333:assumed-role/driftless-prod-sync/driftless-prod-sync is not authorized to perform:";
    await assert.rejects(denied("guessed"), {
      code: "cluster",
      retryable: false,
      message:
        `Cannot assume the role ${shopRole.arn} as session driftless-web-abc1234 by STS in eu-central-1: ${who} sts:AssumeRole on ` +
        `resource: ${shopRole.arn}; its trust policy has to allow sts:AssumeRole to the role of this function (or its account), under ` +
        `the condition StringEquals {"sts:ExternalId": "install-2"}; and the function's own policy has to allow sts:AssumeRole on it ` +
        "(parameter clusterRoles)",
    });
    await assert.rejects(denied("stranger"), {
      message: /and ask for no sts:ExternalId, since the configuration states no externalId for it/,
    });
    assert.deepEqual(sends(), []);
  });

  test("a role of the cluster that does not let Driftless in is no fault of EKS", async (t) => {
    const { clusters } = open(t, { cluster: { ...plain, role: strangers.arn } });
    await assert.rejects(clusters.reader("production"), { code: "cluster", message: /^Cannot assume the role .*strangers/ });
  });

  test("an ARN that is none, and an STS that does not answer", async (t) => {
    const none = byRole("none", { arn: "arn:aws:iam::1:role/x", externalId: "" });
    const reader = await open(t, { projects: [none] }).clusters.reader("production", { project: "none" });
    await assert.rejects(reader.get(configMapRef("shop", "web")), {
      retryable: false,
      message: /1 validation error detected: .*; check its ARN/,
    });
    const away = open(t, { projects: [byRole("shop", shopRole)], endpoint: "http://127.0.0.1:1" });
    const alone = await away.clusters.reader("production", { project: "shop" });
    await assert.rejects(alone.get(configMapRef("shop", "web")), { code: "cluster", retryable: true, message: /ECONNREFUSED/ });
  });

  test("F9 a token of a role that the server does not take is signed anew once, and the role is assumed anew once a minute at most", async (t) => {
    const { clusters, sends } = open(t, { projects: [byRole("shop", shopRole), byRole("bank", bankRole)] });
    const reader = await clusters.reader("production", { project: "bank", session: "web-abc1234" });
    for (let i = 0; i < 3; i++)
      await assert.rejects(reader.get(configMapRef("shop", "web")), { message: /does not know this identity/ });
    assert.equal(sends().length, 1, "the role was assumed a moment ago");
    clock.minutes = 2;
    await assert.rejects(reader.get(configMapRef("shop", "web")), { message: /does not know this identity/ });
    assert.equal(sends().length, 2);
  });
});
