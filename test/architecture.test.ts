import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";

const root = path.dirname(import.meta.dirname);

/** Layers from the ground up; an import may only point to a lower one, or stay in its own folder. */
const layers: readonly (readonly string[])[] = [
  ["lib/model"],
  ["lib/telemetry"],
  ["lib/errors.ts"],
  ["lib/cel", "lib/paths", "lib/projects"],
  ["lib/aws", "lib/audit", "lib/config", "lib/plan", "lib/diff", "lib/ownership", "lib/health"],
  ["lib/github", "lib/source", "lib/render", "lib/cluster", "lib/queue", "lib/events", "lib/store"],
  ["lib/apply", "lib/drift"],
  ["lib/sync"],
  ["functions", "cli"],
];
const pureFolders = [
  "lib/model",
  "lib/cel",
  "lib/paths",
  "lib/projects",
  "lib/audit",
  "lib/plan",
  "lib/diff",
  "lib/ownership",
  "lib/health",
];

interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

const files = ["lib", "functions", "cli"].flatMap((folder) => sourceFiles(folder));

function sourceFiles(folder: string): string[] {
  return readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)));
}

const textOf = (file: string): string => readFileSync(path.join(root, file), "utf8");

/** The code without comments and string bodies that could look like code. */
const codeOf = (file: string): string => textOf(file).replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");

function importsOf(file: string): Import[] {
  const code = codeOf(file);
  const found: Import[] = [];
  for (const match of code.matchAll(
    /\b(import|export)\s+(type\s)?[^"';]*?from\s+"([^"]+)"|^import\s+"([^"]+)"|\bimport\("([^"]+)"\)/gm,
  )) {
    found.push({ specifier: match[3] ?? match[4] ?? match[5] ?? "", typeOnly: match[2] !== undefined });
  }
  return found;
}

/** `lib/plan` for `lib/plan/stages.ts`; `lib/errors.ts` stands for itself. */
function unitOf(file: string): string {
  const parts = file.split("/");
  return parts[0] === "lib" && parts.length > 1 ? parts.slice(0, 2).join("/") : (parts[0] ?? "");
}

const layerOf = (unit: string): number => layers.findIndex((layer) => layer.includes(unit));

const target = (file: string, specifier: string): string => path.posix.join(path.posix.dirname(file), specifier);

test("every source file stands in a known layer", () => {
  assert.deepEqual(
    files.filter((file) => layerOf(unitOf(file)) < 0),
    [],
  );
  assert.ok(files.length > 40);
});

test("imports point down; siblings never import each other", () => {
  const wrong: string[] = [];
  for (const file of files.filter((name) => name.startsWith("lib/"))) {
    for (const { specifier } of importsOf(file)) {
      if (!specifier.startsWith(".")) continue;
      const [from, to] = [unitOf(file), unitOf(target(file, specifier))];
      if (from !== to && layerOf(to) >= layerOf(from)) wrong.push(`${file} imports ${specifier}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test("nobody imports a function; they are started by name", () => {
  const wrong = files.flatMap((file) =>
    importsOf(file)
      .filter(({ specifier }) => specifier.startsWith(".") && unitOf(target(file, specifier)) === "functions")
      .filter(() => unitOf(file) !== "functions")
      .map(({ specifier }) => `${file} imports ${specifier}`),
  );
  assert.deepEqual(wrong, []);
});

test("the pure folders know no promise and no part of Node but its hash", () => {
  const wrong: string[] = [];
  for (const file of files.filter((name) => pureFolders.includes(unitOf(name)))) {
    const bad = importsOf(file).filter(({ specifier }) => specifier.startsWith("node:") && specifier !== "node:crypto");
    for (const { specifier } of bad) wrong.push(`${file} imports ${specifier}`);
    if (unitOf(file) !== "lib/model" && /\basync\b|\bawait\b|\bPromise\b/.test(codeOf(file)))
      wrong.push(`${file} is asynchronous`);
  }
  assert.deepEqual(wrong, []);
});

test("only the composition roots read the environment, only the clock reads the time", () => {
  const wrong: string[] = [];
  for (const file of files.filter((name) => name.startsWith("lib/"))) {
    if (/\bprocess\.env\b/.test(codeOf(file))) wrong.push(`${file} reads process.env`);
    if (file !== "lib/telemetry/clock.ts" && /\bnew Date\(\)|\bDate\.now\(/.test(codeOf(file)))
      wrong.push(`${file} asks for the time`);
  }
  assert.deepEqual(wrong, []);
});

test("nothing turns the check of a server's certificate off, and no state outlives the call that a tenant made in a module", () => {
  const wrong: string[] = [];
  for (const file of files) {
    const code = codeOf(file);
    if (/rejectUnauthorized|NODE_TLS_REJECT_UNAUTHORIZED|checkServerIdentity/.test(code))
      wrong.push(`${file} has its own say on certificates`);
    if (file.startsWith("lib/") && /^(?:export )?(?:let |const \w+(?:: (?!Readonly)[^=]+)? = new (?:Map|Set)\(\))/m.test(code))
      wrong.push(`${file} keeps state in the module`);
  }
  assert.deepEqual(wrong, []);
});

test("a function is a composition root of at most 40 lines", () => {
  const long = sourceFiles("functions").filter((file) => textOf(file).split("\n").length > 41);
  assert.deepEqual(long, []);
});

test("only lib/apply is handed a ClusterWriter", () => {
  const wrong = files.filter(
    (file) => /\bClusterWriter\b/.test(codeOf(file)) && !["lib/apply", "lib/cluster", "lib/sync"].includes(unitOf(file)),
  );
  assert.deepEqual(wrong, []);
  assert.doesNotMatch(sourceFiles("lib/drift").map(codeOf).join("\n"), /\.(apply|delete)\(/);
});

test("@kubernetes/client-node is loaded only when a kubeconfig is opened", () => {
  const users = files.filter((file) =>
    importsOf(file).some(({ specifier, typeOnly }) => specifier.startsWith("@kubernetes/") && !typeOnly),
  );
  assert.deepEqual(users, ["lib/cluster/kubeconfig.ts"]);
  assert.match(codeOf("lib/cluster/kubeconfig.ts"), /await import\("@kubernetes\/client-node"\)/);
});

test("the webhook function reaches neither cluster nor renderer code", () => {
  const seen = new Set<string>();
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const { specifier, typeOnly } of importsOf(file)) {
      if (specifier.startsWith(".") && !typeOnly) visit(target(file, specifier));
    }
  };
  visit("functions/webhook.ts");
  assert.ok(seen.size > 5);
  assert.deepEqual(
    [...seen].filter((file) => ["lib/cluster", "lib/render", "lib/apply", "lib/drift", "lib/source"].includes(unitOf(file))),
    [],
  );
});
