import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { bundleFunctions } from "../../bench/bundles.ts";
import { defaultProvider } from "../../infra/environment-credentials.ts";
import { packagedService } from "../infra/artefacts.ts";

/** The modules of a bundle, from the folder of the packages or of the project on: where that is does not matter. */
function modulesOf(map: string | Buffer | undefined): readonly string[] {
  const { sources } = JSON.parse(String(map)) as { readonly sources: readonly string[] };
  return sources.map((source) => source.replace(/^.*?(?=(?:node_modules|functions|lib|infra)\/)/, "")).sort();
}

test("the benchmark measures the bundles that are in the zips", async (t) => {
  const { zips } = await packagedService();
  const folder = await mkdtemp(path.join(tmpdir(), "driftless-bundles-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await bundleFunctions([...zips.keys()], folder);
  for (const [name, files] of zips) {
    const packaged = (end: string): Buffer | undefined => files.find((file) => file.name === `functions/${name}${end}`)?.bytes;
    assert.deepEqual(modulesOf(await readFile(path.join(folder, `${name}.mjs.map`))), modulesOf(packaged(".mjs.map")), name);
    const { length } = await readFile(path.join(folder, `${name}.mjs`));
    // Names of variables are chosen by where a module is: a byte more or less.
    assert.ok(Math.abs(length - (packaged(".mjs")?.length ?? 0)) < 1000, `${name}: ${length}, ${packaged(".mjs")?.length}`);
  }
});

test("no bundle searches for credentials, nor loads undici with node:http", async () => {
  const { zips } = await packagedService();
  for (const [name, files] of zips) {
    const [bundle, map] = [".mjs", ".mjs.map"].map((end) => files.find((file) => file.name === `functions/${name}${end}`)?.bytes);
    assert.deepEqual(
      modulesOf(map).filter((source) => /credential-provider-(?:node|sso|ini|process|web-identity|login)/.test(source)),
      [],
      name,
    );
    assert.doesNotMatch(String(bundle), /from ?"(?:node:)?http"/, name);
  }
});

test("a function has the credentials of its environment, and says so when there are none", async (t) => {
  const names = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] as const;
  const before = names.map((name) => [name, process.env[name]] as const);
  t.after(() => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });
  process.env["AWS_ACCESS_KEY_ID"] = "AKIDLOCAL";
  process.env["AWS_SECRET_ACCESS_KEY"] = "local-secret";
  process.env["AWS_SESSION_TOKEN"] = "local/session";
  const expected = { accessKeyId: "AKIDLOCAL", secretAccessKey: "local-secret", sessionToken: "local/session" };
  assert.deepEqual(await defaultProvider()(), expected);
  delete process.env["AWS_SECRET_ACCESS_KEY"];
  await assert.rejects(defaultProvider()(), { name: "CredentialsProviderError", message: /^AWS_ACCESS_KEY_ID and / });
});
