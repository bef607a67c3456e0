import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { configurationSchema, publishedSchema } from "../../lib/config/schema.ts";

suite("the published schema", () => {
  test("driftless.schema.json is what the code generates: run `node scripts/schema.ts` after a change", () => {
    const file = readFileSync(new URL("../../driftless.schema.json", import.meta.url), "utf8");
    assert.equal(file, publishedSchema());
  });

  test("every key is described", () => {
    const silent: string[] = [];
    const look = (schema: { readonly [key: string]: unknown }, path: string): void => {
      if (typeof schema["description"] !== "string" || schema["description"] === "") silent.push(path);
      for (const [name, inner] of Object.entries(schema["properties"] ?? {})) look(inner, `${path}.${name}`);
      if (schema["items"] !== undefined) look(schema["items"] as { [key: string]: unknown }, `${path}[]`);
    };
    look(configurationSchema, "$");
    assert.deepEqual(silent, []);
  });

  test("no mapping takes keys that it does not know, but those whose keys are the user's own", () => {
    const open: string[] = [];
    const look = (schema: { readonly [key: string]: unknown }, path: string): void => {
      if (schema["type"] === "object" && schema["additionalProperties"] !== false) open.push(path);
      for (const [name, inner] of Object.entries(schema["properties"] ?? {})) look(inner, name);
      if (schema["items"] !== undefined) look(schema["items"] as { [key: string]: unknown }, path);
    };
    look(JSON.parse(publishedSchema()) as { [key: string]: unknown }, "$");
    assert.deepEqual(
      new Set(open),
      new Set(["values", "target", "commonLabels", "commonAnnotations", "labels", "elements", "matchLabels"]),
    );
  });
});
