import assert from "node:assert/strict";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { openKubeconfig } from "../../lib/cluster/kubeconfig.ts";
import { createClusterReader } from "../../lib/cluster/kubernetes.ts";
import { createTransport } from "../../lib/cluster/transport.ts";
import { systemClock } from "../../lib/telemetry/clock.ts";
import { sharedControlPlane } from "../support/cluster.ts";

async function folder(t: TestContext): Promise<string> {
  const name = await mkdtemp(path.join(tmpdir(), "driftless-kubeconfig-"));
  t.after(() => rm(name, { recursive: true, force: true }));
  return name;
}

interface Entry {
  readonly cluster?: object;
  readonly user?: object;
}

/** JSON is YAML, so it does for a kubeconfig. */
async function aKubeconfig(t: TestContext, { cluster = {}, user = { token: "t" } }: Entry): Promise<string> {
  const file = path.join(await folder(t), "config");
  const config = {
    clusters: [{ name: "c", cluster: { server: "https://api.example:6443", ...cluster } }],
    users: [{ name: "u", user }],
    contexts: [
      { name: "shop", context: { cluster: "c", user: "u" } },
      { name: "broken", context: { cluster: "c", user: "nobody" } },
    ],
    "current-context": "shop",
  };
  await writeFile(file, JSON.stringify(config));
  return file;
}

const open = (file: string, context = "") => openKubeconfig({ path: file, context, clock: systemClock });
const header = async (connection: Awaited<ReturnType<typeof open>>, fresh = false) =>
  (await connection.authorize?.({ fresh }))?.reveal();

test("a context of a kubeconfig opens the real API server", async (t) => {
  const { kubeconfig, server } = await sharedControlPlane();
  const connection = await open(kubeconfig, "admin");
  assert.equal(connection.server, server);
  const transport = createTransport({ connection });
  t.after(() => transport.close());
  const cluster = createClusterReader({ transport });
  const namespace = await cluster.get({ group: "", version: "v1", kind: "Namespace", namespace: "", name: "default" });
  assert.equal(namespace?.metadata.name, "default");
});

test("token, basic and certificate users all give their identity", async (t) => {
  const token = await open(await aKubeconfig(t, { user: { token: "abc" } }));
  assert.equal(await header(token), "Bearer abc");
  const basic = await open(await aKubeconfig(t, { user: { username: "ann", password: "pw" } }));
  assert.equal(await header(basic), "Basic YW5uOnB3");
  const pem = {
    "client-certificate-data": Buffer.from("CERT").toString("base64"),
    "client-key-data": Buffer.from("KEY").toString("base64"),
  };
  const certificate = await open(
    await aKubeconfig(t, { user: pem, cluster: { "certificate-authority-data": "Q0E=", "tls-server-name": "api" } }),
  );
  assert.equal(certificate.authorize, undefined);
  assert.deepEqual(
    [String(certificate.cert), String(certificate.key), String(certificate.ca), certificate.servername],
    ["CERT", "KEY", "CA", "api"],
  );
});

test("an exec plugin is asked again for a fresh token only", async (t) => {
  const plugin = path.join(await folder(t), "plugin.sh");
  const calls = `${plugin}.calls`;
  const credential = '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"t%s"}}';
  await writeFile(plugin, `#!/bin/sh\necho call >> "${calls}"\nprintf '${credential}' "$(wc -l < "${calls}")"\n`);
  await chmod(plugin, 0o755);
  const connection = await open(
    await aKubeconfig(t, { user: { exec: { apiVersion: "client.authentication.k8s.io/v1", command: plugin } } }),
  );
  assert.equal(await header(connection), "Bearer t1");
  assert.equal(await header(connection), "Bearer t1");
  assert.equal(await header(connection, true), "Bearer t2");
  assert.equal((await readFile(calls, "utf8")).length, "call\ncall\n".length);
});

test("a plugin that fails is a cluster error that names the user", async (t) => {
  const file = await aKubeconfig(t, {
    user: { exec: { apiVersion: "client.authentication.k8s.io/v1", command: "/nonexistent/plugin" } },
  });
  await assert.rejects(open(file), { code: "cluster", message: /credentials of user u in the kubeconfig .* ENOENT/ });
});

test("what would weaken TLS, or is not supported, is refused by name", async (t) => {
  const insecure = await aKubeconfig(t, { cluster: { "insecure-skip-tls-verify": true } });
  await assert.rejects(open(insecure), { code: "cluster", message: /skips TLS verification/ });
  const proxied = await aKubeconfig(t, { cluster: { "proxy-url": "http://proxy:3128" } });
  await assert.rejects(open(proxied), { code: "cluster", message: /proxy, which is not supported/ });
  const plain = await aKubeconfig(t, { cluster: { server: "http://127.0.0.1:8080" } });
  await assert.rejects(open(plain), { code: "cluster", message: /must be an https URL/ });
});

test("a missing file, context or user is refused with what there is", async (t) => {
  const file = await aKubeconfig(t, {});
  await assert.rejects(open(`${file}.none`), { code: "cluster", message: /Cannot read the kubeconfig .*config\.none: ENOENT/ });
  await assert.rejects(open(file, "other"), { code: "cluster", message: /has no context "other"; it has: shop, broken/ });
  await assert.rejects(open(file, "broken"), { code: "cluster", message: /names a cluster or user that the file does not have/ });
});
