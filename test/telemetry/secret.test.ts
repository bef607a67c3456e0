import assert from "node:assert/strict";
import { test } from "node:test";
import { format, inspect } from "node:util";
import { DriftlessError } from "../../lib/errors.ts";
import { jsonLog } from "../../lib/telemetry/log.ts";
import { Secret } from "../../lib/telemetry/secret.ts";

const value = "correct-horse-battery-staple";
const secret = new Secret(value);
// Behind `unknown`, as an accident would have it.
const careless: unknown = secret;

const accidents: Readonly<Record<string, () => string>> = {
  "a template string": () => `a ${careless as string} in a text, ${String(careless)}`,
  "a concatenation": () => "key: " + (careless as string),
  "joined text": () => [careless].join(","),
  JSON: () => JSON.stringify({ key: careless, list: [careless] }),
  "the inspector": () => inspect({ key: careless }, { depth: 9, showHidden: true }),
  "formatted output": () => format("%s %o %O %j", careless, careless, careless, careless),
  "its keys and values": () => JSON.stringify([Object.keys(secret), Object.values(secret), Object.assign({}, secret)]),
  "a log line": () => logged({ key: careless }),
  "an error's cause in a log line": () =>
    logged({ error: new DriftlessError("cluster", "no", { cause: Object.assign(new Error("why"), { cause: careless }) }) }),
  "a cause that is the secret itself": () => logged({ error: new Error("no", { cause: careless }) }),
};
for (const [where, print] of Object.entries(accidents)) {
  test(`a secret does not come out in ${where}`, () => {
    const printed = print();
    assert.ok(!printed.includes(value), printed);
  });
}

test("a secret prints as [secret], and tells its value only when asked for it", () => {
  assert.equal(`${String(secret)} ${JSON.stringify(secret)} ${inspect(secret)}`, '[secret] "[secret]" [secret]');
  assert.equal(secret.reveal(), value);
});

function logged(fields: Readonly<Record<string, unknown>>): string {
  const lines: string[] = [];
  jsonLog({ write: (line) => lines.push(line) }).info("test.done", fields);
  return lines.join("");
}
