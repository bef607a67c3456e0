import assert from "node:assert/strict";
import { parseAllDocuments } from "yaml";
import { type DriftlessError, isDriftlessError } from "../../../lib/errors.ts";
import type { JsonValue } from "../../../lib/model/json.ts";
import { type ChartsDeps, createCharts } from "../../../lib/source/charts/charts.ts";
import type { FindCredentials } from "../../../lib/source/charts/credentials.ts";
import { Secret } from "../../../lib/telemetry/secret.ts";

/** Reads YAML well enough for an index; the functions use the render helper. */
const decode: ChartsDeps["decode"] = async (yaml) =>
  parseAllDocuments(Buffer.from(yaml).toString("utf8")).map((document) => {
    if (document.errors[0] !== undefined) throw document.errors[0];
    return document.toJS() as JsonValue;
  });

export function someCharts(deps: Partial<ChartsDeps> = {}): ReturnType<typeof createCharts> {
  return createCharts({ decode, ...deps });
}

/** The same credentials for these hosts, none for others. */
export function credentialsFor(...hosts: readonly string[]): FindCredentials {
  return async (host) => (hosts.includes(host) ? { username: "ada", password: new Secret("canary-password") } : undefined);
}

export const basicAda = `Basic ${Buffer.from("ada:canary-password").toString("base64")}`;

/** The `source` error of a call that must fail, which tells no credential. */
export async function failure(act: Promise<unknown>): Promise<DriftlessError> {
  const error = await act.then(
    () => assert.fail("no error"),
    (thrown: unknown) => thrown,
  );
  assert.ok(isDriftlessError(error, "source"), String(error));
  assert.doesNotMatch(`${error.message} ${JSON.stringify(error.facts)} ${error.stack} ${String(error.cause)}`, /canary/);
  return error;
}
