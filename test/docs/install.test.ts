import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import path from "node:path";
import { suite, test } from "node:test";
import { cost } from "../../cli/commands/cost.ts";
import { doctor } from "../../cli/commands/doctor.ts";
import { init } from "../../cli/commands/init.ts";
import { status } from "../../cli/commands/status.ts";
import type { Answers } from "../../cli/init/answers.ts";
import { accessCommands, deployCommands } from "../../cli/init/commands.ts";
import { codeBlocks, root, sourcesOf, tableRows, textOf } from "./pages.ts";

const pages = ["docs/install.md", "docs/upgrade.md", "docs/uninstall.md"];
const answers: Answers = {
  repository: "https://github.example/acme/platform.git",
  branch: "release",
  configPath: "fleet/driftless.yaml",
  region: "eu-central-1",
  stage: "prod",
  clusters: ["prod"],
  account: "111122223333",
  outputDir: ".",
  github: {
    url: "https://github.example",
    organization: "acme",
    appName: "driftless-acme",
    secretName: "driftless/github",
    credentialsFile: undefined,
    wanted: true,
    create: false,
  },
};
const printed = [
  ...deployCommands(answers, {
    githubSecretArn: "arn:aws:secretsmanager:eu-central-1:111122223333:secret:driftless/github-AbCdEf",
  }),
  ...accessCommands(answers, { outputs: new Map(), standing: new Set() }),
].join("\n");
const shown = pages.flatMap((page) => codeBlocks(page).map(({ text }) => text));
const text = [...shown, printed].join("\n");
const infra = [
  "serverless.yml",
  ...["conditions", "roles", "queue", "table", "secrets", "private", "cluster"].map((name) => `infra/${name}.yml`),
];

suite("the commands of installing, upgrading and uninstalling", () => {
  test("every --param is one of the template, and those without a default are all there", () => {
    const template = infra.map(textOf).join("\n");
    const named = new Set([...text.matchAll(/--param (\w+)=/g)].map(([, name = ""]) => name));
    assert.deepEqual(
      [...named].filter((name) => !template.includes(`\${param:${name}`)),
      [],
    );
    const [, defaults = ""] = /^params:\n {2}default:\n([\s\S]*?)\n\ncustom:/m.exec(textOf("serverless.yml")) ?? [];
    const used = new Set([...template.matchAll(/\$\{param:(\w+)\}/g)].map(([, name = ""]) => name));
    const required = [...used].filter((name) => !new RegExp(`^ {4}${name}:`, "m").test(defaults));
    assert.ok(required.includes("configRepository") && defaults.length > 100);
    for (const block of [...shown.filter((one) => one.includes("osls deploy")), printed])
      assert.deepEqual(
        required.filter((name) => !block.includes(`--param ${name}=`)),
        [],
      );
  });

  test("every parameter of a cluster's stack stands in infra/cluster.yml", () => {
    const [, parameters = ""] = /^Parameters:\n([\s\S]*?)^Conditions:/m.exec(textOf("infra/cluster.yml")) ?? [];
    const known = [...parameters.matchAll(/^ {2}(\w+):/gm)].map(([, name = ""]) => name);
    const given = [...text.matchAll(/--parameter-overrides (.*)/g)].flatMap(([, words = ""]) =>
      words.split(" ").map((word) => word.split("=")[0] ?? ""),
    );
    assert.ok(given.length > 4 && known.length > 4);
    assert.deepEqual(
      given.filter((name) => !known.includes(name)),
      [],
    );
  });

  test("every file that is named is there, and every output stands in the template", () => {
    const files = [...text.matchAll(/\binfra\/[\w./-]+\.ya?ml\b/g)].map(([file]) => file);
    assert.ok(files.length > 5);
    assert.deepEqual(
      [...new Set(files)].filter((file) => !existsSync(path.join(root, file))),
      [],
    );
    const outputs = infra.map(textOf).join("\n");
    const wanted = [...sourcesOf("cli/doctor", "cli/init"), "cli/commands/doctor.ts"]
      .map(textOf)
      .join("\n")
      .matchAll(/"([A-Z]\w+(?:Arn|Url|Name))"/g);
    // HttpApiUrl is osls' own.
    const missing = [...new Set([...wanted].map(([, name = ""]) => name))].filter(
      (name) => !new RegExp(`^ {2}${name}:`, "m").test(outputs) && !["HttpApiUrl", "QueueName", "MetricName"].includes(name),
    );
    assert.deepEqual(
      missing.filter((name) => !/^(?:TableName|AttributeName|StackName)$/.test(name)),
      [],
    );
  });

  test("every option of a command of Driftless is one that it has", () => {
    const commands = { init, doctor, cost, status };
    const shared = ["output", "api", "region", "help"];
    const wrong: string[] = [];
    for (const [line, name = ""] of text.matchAll(/npx driftless (\w+)[^\n`]*/g)) {
      const command = commands[name as keyof typeof commands];
      const options = [...line.matchAll(/--([a-z-]+)/g)].map(([, option = ""]) => option);
      if (command === undefined) wrong.push(line);
      else wrong.push(...options.filter((option) => !(option in command.options) && !shared.includes(option)));
    }
    assert.deepEqual(wrong, []);
  });

  test("what a person does takes less than eight minutes, step by step", () => {
    const rows = [...textOf("docs/install.md").matchAll(/^\| (\d)\. (.+?) \| ([\d.]+) \|/gm)];
    const headings = [...textOf("docs/install.md").matchAll(/^## (\d)\. (.+)$/gm)].map(
      ([, number, title]) => `${number}. ${title}`,
    );
    assert.equal(rows.length, headings.length);
    assert.ok(rows.reduce((sum, [, , , minutes]) => sum + Number(minutes), 0) < 8);
    assert.equal(tableRows(textOf("docs/install.md")).size, 0);
  });
});
