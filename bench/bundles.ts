import { readFile } from "node:fs/promises";
import path from "node:path";
import { type BuildOptions, build } from "esbuild";
import { parse } from "yaml";

const root = path.dirname(import.meta.dirname);

/** How infra/esbuild.yml says that functions are bundled; the other keys there are serverless-esbuild's own. */
type Stated = Pick<
  BuildOptions,
  | "bundle"
  | "minify"
  | "mainFields"
  | "format"
  | "platform"
  | "sourcemap"
  | "sourcesContent"
  | "legalComments"
  | "banner"
  | "alias"
  | "inject"
> & { readonly outputFileExtension: string; readonly external: string[] };

/** Bundles functions as `npm run package` does, each on its own, to `FOLDER/NAME.mjs` with its source map beside it. */
export async function bundleFunctions(names: readonly string[], folder: string): Promise<void> {
  const { outputFileExtension, ...stated } = await statedOptions();
  for (const name of names) {
    await build({
      ...stated,
      absWorkingDir: root,
      entryPoints: [`functions/${name}.ts`],
      outfile: path.join(folder, `${name}${outputFileExtension}`),
      target: "node24",
      logLevel: "error",
    });
  }
}

const clients = { EKSClient: "eks", DynamoDBClient: "dynamodb", SQSClient: "sqs", SecretsManagerClient: "secrets-manager" };

/**
 * Bundles five clients of AWS and nothing else, without what infra/esbuild.yml leaves out: what they cost says how fast a machine is. The
 * budgets were set where their import cost 78 ms of CPU.
 */
export async function bundleClients(outfile: string): Promise<void> {
  const all = Object.entries({ ...clients, LambdaClient: "lambda" });
  const imports = all.map(([name, service]) => `import { ${name} } from "@aws-sdk/client-${service}";`);
  await build({
    stdin: { contents: `${imports.join("\n")}\nexport default [${all.map(([name]) => name).join()}];`, resolveDir: root },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "node",
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
    outfile,
    target: "node24",
    logLevel: "error",
  });
}

async function statedOptions(): Promise<Stated> {
  const all = parse(await readFile(path.join(root, "infra", "esbuild.yml"), "utf8")) as Record<string, unknown>;
  const { exclude: _, concurrency: __, zipConcurrency: ___, ...stated } = all;
  return stated as unknown as Stated;
}
