import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after } from "node:test";
import { runOsls } from "../../scripts/osls.ts";
import type { Template } from "./template.ts";
import { readZip, type ZipFile } from "./zip.ts";

/** What `osls package` makes of serverless.yml. */
export interface Artefacts {
  readonly template: Template;
  /** Files of each zip, by the name of its function. */
  readonly zips: ReadonlyMap<string, readonly ZipFile[]>;
  /** The zips again, unpacked: one folder a function. */
  readonly unpacked: string;
  /** All that osls said. */
  readonly output: string;
}

const root = path.join(import.meta.dirname, "..", "..");
let made: { readonly folder: Promise<string>; readonly artefacts: Promise<Artefacts> } | undefined;

/** What the packaged service is told of GitHub. */
export const githubSecret = "arn:aws:secretsmanager:us-east-1:000000000000:secret:driftless/github-AbCdEf";

/** What it is told of SOPS. */
export const sopsAgeSecret = "arn:aws:secretsmanager:us-east-1:000000000000:secret:driftless/sops-age-AbCdEf";
export const chartSecret = "arn:aws:secretsmanager:us-east-1:000000000000:secret:driftless/charts-AbCdEf";
export const ecrRepositories = ["web", "shop"].map((name) => `arn:aws:ecr:us-east-1:000000000000:repository/charts/${name}`);
export const sopsKmsKeys = ["qa", "prod"].map((name) => `arn:aws:kms:us-east-1:000000000000:key/${name}`);

export const clusterArns = ["blue", "green"].map((name) => `arn:aws:eks:us-east-1:000000000000:cluster/${name}`);
export const clusterRoles = ["shop", "web"].map((name) => `arn:aws:iam::111111111111:role/driftless-${name}`);
export const subnetIds = ["subnet-0a1b2c3d", "subnet-1a2b3c4d"];
export const securityGroupIds = ["sg-0a1b2c3d"];
export const alarmTopic = "arn:aws:sns:us-east-1:000000000000:platform";

/** Packages the service as it stands, once a test run, in a folder of its own; the render helper is a stand-in. */
export function packagedService(): Promise<Artefacts> {
  if (made === undefined) {
    const folder = mkdtemp(path.join(tmpdir(), "driftless-package-"));
    made = { folder, artefacts: folder.then(makeArtefacts) };
  }
  return made.artefacts;
}

after(async () => {
  await made?.artefacts.catch(() => undefined);
  if (made !== undefined) await rm(await made.folder, { recursive: true, force: true });
});

async function makeArtefacts(folder: string): Promise<Artefacts> {
  const service = path.join(folder, "service");
  const helper = path.join(service, "dist", "bin", "render-helper");
  await mkdir(path.dirname(helper), { recursive: true });
  await writeFile(helper, "stand-in for the render helper\n");
  await chmod(helper, 0o755);
  for (const name of ["serverless.yml", "package.json", "infra"]) {
    await cp(path.join(root, name), path.join(service, name), { recursive: true });
  }
  for (const name of ["functions", "lib", "node_modules"]) await symlink(path.join(root, name), path.join(service, name));

  const { PATH, HOME } = process.env;
  const given = {
    configRepository: "https://git.example/platform.git",
    githubSecret,
    sopsAgeSecret,
    sopsKmsKeys,
    chartSecret,
    ecrRepositories,
    clusterArns,
    clusterRoles,
    subnetIds,
    securityGroupIds,
    alarmTopic,
  };
  const params = Object.entries(given).flatMap(([name, value]) => ["--param", `${name}=${[value].flat().join(",")}`]);
  const { code, output } = await runOsls(["package", ...params], {
    folder: service,
    env: { PATH, HOME, TMPDIR: folder },
  });
  if (code !== 0) throw new Error(`osls package ended with ${code}:\n${output}`);

  const packages = path.join(service, ".serverless");
  const template = JSON.parse(
    await readFile(path.join(packages, "cloudformation-template-update-stack.json"), "utf8"),
  ) as Template;
  const names = (await readdir(packages)).filter((name) => name.endsWith(".zip")).map((name) => path.basename(name, ".zip"));
  const zips = new Map<string, readonly ZipFile[]>();
  const unpacked = path.join(folder, "unpacked");
  for (const name of names.sort()) {
    const files = readZip(await readFile(path.join(packages, `${name}.zip`)));
    zips.set(name, files);
    for (const file of files) {
      const to = path.join(unpacked, name, file.name);
      await mkdir(path.dirname(to), { recursive: true });
      await writeFile(to, file.bytes);
    }
  }
  return { template, zips, unpacked, output };
}
