import { constants, copyFile, mkdir, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { checkConfiguration } from "../../lib/config/configuration.ts";
import { DriftlessError } from "../../lib/errors.ts";
import type { Answers } from "./answers.ts";
import { configurationText } from "./configuration-text.ts";
import { done, left, type Step } from "./step.ts";

const schema = resolve(import.meta.dirname, "..", "..", "driftless.schema.json");

/** Writes `driftless.yaml` and its schema for editors; files that are there stay as they are. */
export async function writeFiles(answers: Answers): Promise<Step> {
  const { outputDir, repository, branch, configPath } = answers;
  const file = join(outputDir, basename(configPath));
  const text = configurationText(answers);
  const check = checkConfiguration({ text, file, repository });
  if (!check.valid) throw new DriftlessError("config", `the file would not be valid: ${check.problems[0]?.message ?? ""}`);
  await mkdir(outputDir, { recursive: true });
  const isNew = await unlessThere(() => writeFile(file, text, { flag: "wx" }));
  await unlessThere(() => copyFile(schema, join(outputDir, "driftless.schema.json"), constants.COPYFILE_EXCL));
  const title = "driftless.yaml";
  if (!isNew) return done(title, `${file} was there, and stays as it is`);
  return left(
    title,
    `${file} is written, with its schema for editors: add applications, commit both to ${branch} of ${repository} as ${configPath}, push`,
  );
}

/** False when the file is there already. */
async function unlessThere(write: () => Promise<void>): Promise<boolean> {
  try {
    await write();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}
