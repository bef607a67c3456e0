import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { approve } from "../../cli/commands/approve.ts";
import { cost } from "../../cli/commands/cost.ts";
import { doctor } from "../../cli/commands/doctor.ts";
import { drift } from "../../cli/commands/drift.ts";
import { explain } from "../../cli/commands/explain.ts";
import { health } from "../../cli/commands/health.ts";
import { history } from "../../cli/commands/history.ts";
import { init } from "../../cli/commands/init.ts";
import { kubectl } from "../../cli/commands/kubectl.ts";
import { logs } from "../../cli/commands/logs.ts";
import { plan } from "../../cli/commands/plan.ts";
import { rebuild } from "../../cli/commands/rebuild.ts";
import { render } from "../../cli/commands/render.ts";
import { resume } from "../../cli/commands/resume.ts";
import { rollback } from "../../cli/commands/rollback.ts";
import { status } from "../../cli/commands/status.ts";
import { suspend } from "../../cli/commands/suspend.ts";
import { sweeps } from "../../cli/commands/sweeps.ts";
import { sync } from "../../cli/commands/sync.ts";
import { validate } from "../../cli/commands/validate.ts";
import type { JsonSchema } from "../../lib/config/json-schema.ts";
import { configurationSchema } from "../../lib/config/schema.ts";
import { sectionOf, sourcesOf, tableRows, textOf } from "./pages.ts";

const operations = "docs/operations.md";
const levels = ["debug", "info", "warn", "error"] as const;

suite("docs/configuration.md", () => {
  test("says every key with its default, and no other", () => {
    const wrong: string[] = [];
    const seen = new Set<object>();
    const look = (schema: JsonSchema, place: string): void => {
      if (schema.type === "array") return look(schema.items, `${place}[]`);
      // What stands at two places is said at the first.
      if (schema.type !== "object" || !("properties" in schema) || seen.has(schema.properties)) return;
      seen.add(schema.properties);
      const rows = tableRows(sectionOf("docs/configuration.md", place === "" ? "The document" : `\`${place}\``));
      for (const name of rows.keys()) if (!(name in schema.properties)) wrong.push(`${place} has no key ${name}`);
      for (const [name, property] of Object.entries(schema.properties)) {
        const cell = rows.get(name)?.[2];
        const stated = defaultOf(property) ?? (schema.required.includes(name) ? "required" : undefined);
        if (cell === undefined) wrong.push(`${place}.${name} is not there`);
        else if (stated === undefined ? cell === "required" : cell !== stated) wrong.push(`${place}.${name}: ${cell}`);
        look(property, place === "" ? name : `${place}.${name}`);
      }
    };
    look(configurationSchema, "");
    assert.deepEqual(wrong, []);
  });
});

suite("docs/operations.md", () => {
  test("says every variable that the functions read, with its default", () => {
    const source = textOf("lib/config/environment.ts");
    const rows = tableRows(sectionOf(operations, "Environment"));
    const declared = [...source.matchAll(/name: "([A-Z_]+)",(?:(?!name:)[\s\S])*?(?:fallback: "([^"]+)"|\n {2}\},| \},)/g)];
    const read = [...source.matchAll(/\benv\["([A-Z_]+)"\]/g)];
    assert.ok(declared.length > 8 && read.length > 0);
    for (const [, name = "", fallback = ""] of [...declared, ...read]) {
      const row = rows.get(name);
      assert.ok(row, `${name} is not there`);
      if (fallback !== "") assert.equal(row[2], `\`${fallback}\``, name);
    }
  });

  test("says every log event with its level, and no event that is not logged", () => {
    const logged = loggedEvents();
    const rows = tableRows(textOf(operations));
    const missing = [...logged].filter(([event, found]) => {
      const stated = rows.get(event)?.[1];
      return stated === undefined || levels.some((level) => found.has(level) !== stated.includes(level));
    });
    assert.deepEqual(
      missing.map(([event, found]) => `${event}: ${[...found].join(", ")}`),
      [],
    );
    const families = new Set([...logged.keys()].map((event) => event.split(".")[0]));
    const stale = [...rows.keys()].filter(
      (name) => /^[a-z]+\.[a-z-]+$/.test(name) && families.has(name.split(".")[0]) && !logged.has(name),
    );
    assert.deepEqual(stale, []);
    assert.ok(logged.size > 30);
  });

  test("says every error code", () => {
    const [, union = ""] = /export type ErrorCode =([^;]*);/.exec(textOf("lib/errors.ts")) ?? [];
    const codes = [...union.matchAll(/"([a-z-]+)"/g)].map(([, code = ""]) => code);
    assert.ok(codes.length > 5);
    const rows = tableRows(sectionOf(operations, "What the rows say"));
    assert.deepEqual(
      codes.filter((code) => !rows.has(code)),
      [],
    );
  });
});

suite("docs/cli.md", () => {
  const commands = {
    status,
    history,
    drift,
    sweeps,
    logs,
    explain,
    plan,
    sync,
    approve,
    rollback,
    suspend,
    resume,
    rebuild,
    render,
    validate,
    health,
    init,
    doctor,
    cost,
    kubectl,
  };
  const page = textOf("docs/cli.md");

  test("says every command, how it is used, and its options", () => {
    const [, names = ""] = /const commands: [^=]*= \{([^}]*)\}/.exec(textOf("cli/main.ts")) ?? [];
    assert.deepEqual(
      names
        .split(",")
        .map((name) => name.trim())
        .filter((name) => name !== ""),
      Object.keys(commands),
    );
    for (const [name, { usage, options }] of Object.entries(commands)) {
      const section = sectionOf("docs/cli.md", name);
      assert.ok(section.includes(`\`driftless ${usage}\``), usage);
      for (const option of Object.keys(options)) assert.ok(section.includes(`--${option}`), `${name} --${option}`);
    }
  });

  test("says the options of all commands, and those of npm start", () => {
    const shared = [...textOf("cli/main.ts").matchAll(/^ {2}--([a-z]+)/gm)].map(([, name = ""]) => name);
    const ofStart = [...textOf("cli/start.ts").matchAll(/^ {2}--([a-z]+)/gm)].map(([, name = ""]) => name);
    assert.ok(shared.length > 2 && ofStart.length > 3);
    assert.deepEqual(
      [...shared, ...ofStart].filter((name) => !new RegExp(`^\\| \`--${name}[ \`]`, "m").test(page)),
      [],
    );
  });
});

function defaultOf(schema: JsonSchema): string | undefined {
  if (!("default" in schema) || schema.default === undefined) return undefined;
  const isWord = typeof schema.default !== "object" && schema.default !== "";
  return `\`${isWord ? String(schema.default) : JSON.stringify(schema.default)}\``;
}

/** What the code logs: every event with the levels at which it is logged. */
function loggedEvents(): ReadonlyMap<string, ReadonlySet<string>> {
  const events = new Map<string, Set<string>>();
  for (const file of sourcesOf("lib", "functions")) {
    for (const [call, level = "", first = ""] of textOf(file).matchAll(/\blog(?:ger)?\.(debug|info|warn|error)\(\s*([^,)]*)/g)) {
      const names = [...eventsOf(first)];
      assert.ok(names.length > 0, `${file}: ${call} logs no event by name`);
      for (const name of names) events.set(name, (events.get(name) ?? new Set()).add(level));
    }
  }
  return events;
}

/** What happened to an object is part of two events' names. */
function eventsOf(argument: string): readonly string[] {
  if (argument === `\`sync.\${change.action}\``)
    return ["created", "configured", "unchanged", "failed"].map((name) => `sync.${name}`);
  if (argument === `\`sync.\${action}\``) return ["pruned", "failed"].map((name) => `sync.${name}`);
  return [...argument.matchAll(/"([a-z]+\.[a-z-]+)"/g)].map(([, name = ""]) => name);
}
