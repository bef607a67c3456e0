import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { suite, test } from "node:test";
import { checkConfiguration, parseApplicationFile, parseConfiguration } from "../../lib/config/configuration.ts";
import { directoriesKey, directoriesWanted } from "../../lib/config/directories.ts";
import { isApplicationFile } from "../../lib/config/file-kind.ts";
import { isDriftlessError } from "../../lib/errors.ts";
import { anchorOf, codeBlocks, pages, proseOf, root, sourcesOf, textOf } from "./pages.ts";

const blocks = pages.flatMap(codeBlocks);
const repository = "https://github.com/acme/platform.git";
const file = "driftless.yaml";

suite("the pages", () => {
  test("every relative link leads to a file, and its anchor to a heading", () => {
    const wrong: string[] = [];
    let links = 0;
    for (const page of pages) {
      for (const [, target = ""] of proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^[a-z]+:/.test(target)) continue;
        links += 1;
        const [to = "", anchor] = target.split("#");
        const linked = to === "" ? page : path.posix.join(path.posix.dirname(page), to);
        if (!existsSync(path.join(root, linked))) wrong.push(`${page} links to ${target}, which is not there`);
        else if (anchor !== undefined && !anchorsOf(linked).includes(anchor))
          wrong.push(`${page}: ${target} has no such heading`);
      }
    }
    assert.deepEqual(wrong, []);
    assert.ok(links > 20);
  });

  test("every command of npm that a page names is there", () => {
    const { scripts } = JSON.parse(textOf("package.json")) as { readonly scripts: Readonly<Record<string, string>> };
    const named = pages.flatMap((page) =>
      [...textOf(page).matchAll(/npm run (?:--silent )?([a-z]+(?::[a-z]+)*)/g)].map(([, name = ""]) => name),
    );
    assert.deepEqual(
      [...new Set(named)].filter((name) => !(name in scripts)),
      [],
    );
    assert.ok(named.length > 0);
  });

  test("no page names a variable that nothing reads", () => {
    const read = sourcesOf("lib", "functions", "cli", "test", "scripts").map(textOf).join("\n");
    const named = pages.flatMap((page) => textOf(page).match(/\bDRIFTLESS_[A-Z_]+\b/g) ?? []);
    assert.deepEqual(
      [...new Set(named)].filter((name) => !read.includes(name)),
      [],
    );
  });

  test("README shows what `npm start` prints", () => {
    const [, text = ""] = /return `\n(Try, in another terminal[\s\S]*?)\n`;/.exec(textOf("cli/start.ts")) ?? [];
    assert.notEqual(text, "");
    // In the source the text stands in a template: backticks are escaped, and two values come in.
    const printed = text
      .replaceAll("\\`", "`")
      .replaceAll(`\${values.sweep}`, "15")
      .replaceAll(`\${folder}`, ".driftless")
      .trimEnd();
    assert.ok(
      blocks.some((block) => block.file === "README.md" && block.text.includes(printed)),
      printed,
    );
  });

  test("decisions are numbered without a gap, each with context, choice and consequence", () => {
    const names = readdirSync(path.join(root, "docs/decisions")).sort();
    assert.deepEqual(
      names.map((name) => Number(name.slice(0, 4))),
      names.map((_, index) => index + 1),
    );
    for (const name of names) {
      const page = textOf(`docs/decisions/${name}`);
      assert.ok(page.startsWith(`# ${name.slice(0, 4)} `), name);
      for (const part of ["**Context.**", "**Choice.**", "**Consequence.**"]) assert.ok(page.includes(part), `${name}: ${part}`);
    }
  });
});

suite("the examples", () => {
  test("every driftless.yaml parses", () => {
    const examples = blocks.filter(({ info, text }) => info === "yaml" && /^clusters:/m.test(text));
    assert.ok(examples.length > 0);
    for (const { text } of examples) {
      const directories = new Map(
        directoriesWanted({ text, file, repository }).map((each) => [directoriesKey(each), ["apps/web"]]),
      );
      assert.ok(parseConfiguration({ text, file, repository, directories }).applications.length > 0);
    }
  });

  test("every application file parses, in the project of the example before it", () => {
    const examples = blocks.flatMap(({ info, text }, index) => {
      const isOfTeam = info === "yaml" && isApplicationFile(text);
      const before = blocks.slice(0, index).findLast((block) => /^projects:/m.test(block.text));
      return isOfTeam && before !== undefined
        ? [{ text, platform: parseConfiguration({ text: before.text, file, repository }) }]
        : [];
    });
    assert.ok(examples.length > 0);
    for (const { text, platform } of examples) {
      const [project] = platform.projects;
      assert.ok(project !== undefined);
      const [from] = project.applicationFiles;
      assert.ok(parseApplicationFile({ text, file, repository: from?.repository ?? "", project, platform }).length > 0);
    }
  });

  test("the mistakes are reported as the page shows them", () => {
    const at = blocks.findIndex(({ info }) => info === "yaml broken");
    const [broken, shown] = [blocks[at], blocks[at + 1]];
    assert.ok(broken !== undefined && shown?.info === "text");
    assert.throws(
      () => parseConfiguration({ text: broken.text, file, repository }),
      (error) => isDriftlessError(error, "config") && error.message === shown.text.trimEnd(),
    );
  });

  test("no example of driftless.yaml stands outside of these", () => {
    const others = blocks.filter(({ info, text }) => !info.startsWith("yaml") && /^applications:/m.test(text));
    assert.deepEqual(others, []);
    assert.equal(checkConfiguration({ text: textOf("cli/local/sample/driftless.yaml"), file, repository }).valid, true);
  });

  test("every JSON parses, a line each where there are several", () => {
    const examples = blocks.filter(({ info }) => info === "json");
    assert.ok(examples.length > 1);
    for (const { text } of examples) {
      const whole = text.startsWith("{\n") ? [text] : text.trimEnd().split("\n");
      for (const part of whole) assert.doesNotThrow(() => void JSON.parse(part));
    }
  });
});

function anchorsOf(page: string): readonly string[] {
  return [...proseOf(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) => anchorOf(heading));
}
