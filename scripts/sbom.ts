import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { DriftlessError, isDriftlessError, messageOf } from "../lib/errors.ts";
import { systemClock } from "../lib/telemetry/clock.ts";
import { type Dependency, goDependencies, npmDependencies } from "./dependencies.ts";

const usage = `npm run sbom [-- FILE]

Writes a bill of materials in SPDX 2.3 (JSON), dist/sbom.spdx.json when no file is named: npm's own list of what is installed, without
what is for development alone, and the Go modules of the render helper. With SOURCE_DATE_EPOCH set it is the same, byte for byte.
`;

const root = path.join(import.meta.dirname, "..");
const run = promisify(execFile);

interface SpdxPackage {
  readonly SPDXID: string;
  readonly name: string;
  readonly versionInfo: string;
  readonly packageFileName: string;
  readonly [field: string]: unknown;
}

interface Relationship {
  readonly spdxElementId: string;
  readonly relatedSpdxElement: string;
  readonly relationshipType: string;
}

/** An SPDX document, as far as it is looked at here. */
export interface Spdx {
  readonly spdxVersion: string;
  readonly name: string;
  readonly documentNamespace: string;
  readonly creationInfo: { readonly created: string; readonly creators: readonly string[] };
  readonly documentDescribes: readonly string[];
  readonly packages: readonly SpdxPackage[];
  readonly relationships: readonly Relationship[];
}

const documentId = "SPDXRef-DOCUMENT";
const helperId = "SPDXRef-Package-render-helper";

/** What npm lists, without all that is not among `npm`; the render helper and its modules beside it. */
export function billOfMaterials(
  listed: Spdx,
  { npm, go, at }: { readonly npm: readonly Dependency[]; readonly go: readonly Dependency[]; readonly at: Date },
): Spdx {
  const runtime = new Set(npm.map(({ name, version }) => `${name}@${version}`));
  const [product = ""] = listed.documentDescribes;
  const kept = listed.packages.filter(
    ({ SPDXID, name, versionInfo }) => SPDXID === product || runtime.has(`${name}@${versionInfo}`),
  );
  const ids = new Set([documentId, ...kept.map(({ SPDXID }) => SPDXID)]);
  const relationships = [
    ...listed.relationships.filter((each) => ids.has(each.spdxElementId) && ids.has(each.relatedSpdxElement)),
    { spdxElementId: product, relatedSpdxElement: helperId, relationshipType: "CONTAINS" },
    ...go.map((each) => ({ spdxElementId: goId(each), relatedSpdxElement: helperId, relationshipType: "DEPENDENCY_OF" })),
  ];
  const version = kept.find(({ SPDXID }) => SPDXID === product)?.versionInfo ?? "";
  const packages = [...kept.map(withoutPlace), helperPackage(version), ...go.map(goPackage)];
  const content = createHash("sha256").update(JSON.stringify({ packages, relationships })).digest("hex").slice(0, 32);
  return {
    ...listed,
    documentNamespace: `http://spdx.org/spdxdocs/driftless-${version}-${content}`,
    creationInfo: { created: `${at.toISOString().slice(0, 19)}Z`, creators: listed.creationInfo.creators },
    packages,
    relationships,
  };
}

/** The product has no file name, and npm states an empty one. */
function withoutPlace({ packageFileName, ...rest }: SpdxPackage): SpdxPackage {
  return { ...rest, ...(packageFileName === "" ? {} : { packageFileName }) } as SpdxPackage;
}

const unknown = { downloadLocation: "NOASSERTION", filesAnalyzed: false } as const;

function helperPackage(version: string): SpdxPackage {
  return {
    SPDXID: helperId,
    name: "render-helper",
    versionInfo: version,
    packageFileName: "dist/bin/render-helper",
    primaryPackagePurpose: "APPLICATION",
    ...unknown,
    licenseDeclared: "Apache-2.0",
  };
}

function goPackage(dependency: Dependency): SpdxPackage {
  const { name, version, licence } = dependency;
  const locator = `pkg:golang/${name}@${encodeURIComponent(version)}`;
  return {
    SPDXID: goId(dependency),
    name,
    versionInfo: version,
    ...unknown,
    licenseDeclared: licence === "" ? "NOASSERTION" : licence,
    externalRefs: [{ referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: locator }],
  } as unknown as SpdxPackage;
}

function goId({ name, version }: Dependency): string {
  return `SPDXRef-Go-${`${name}-${version}`.replaceAll(/[^A-Za-z0-9.-]/g, ".")}`;
}

/** What npm lists, all of it: it leaves out packages that the development tools use too, where it is told to omit those. */
export async function listedByNpm(): Promise<Spdx> {
  const command = ["sbom", "--sbom-format=spdx", "--sbom-type=application"];
  const PATH = [path.dirname(process.execPath), process.env["PATH"]].join(path.delimiter);
  const options = { cwd: root, env: { ...process.env, PATH }, maxBuffer: 64 * 1024 * 1024 };
  const { stdout } = await run("npm", command, options).catch((cause: unknown) => {
    throw new DriftlessError("config", `npm ${command.join(" ")}: ${messageOf(cause)}`, { cause });
  });
  return JSON.parse(stdout) as Spdx;
}

async function main(args: readonly string[]): Promise<number> {
  const [file = path.join("dist", "sbom.spdx.json"), ...more] = args;
  if (file.startsWith("-") || more.length > 0) {
    process.stderr.write(usage);
    return file === "--help" || file === "-h" ? 0 : 2;
  }
  const [listed, npm, go] = await Promise.all([listedByNpm(), npmDependencies(), goDependencies()]);
  const epoch = process.env["SOURCE_DATE_EPOCH"];
  const at = epoch ? new Date(Number(epoch) * 1000) : systemClock.now();
  const target = args.length > 0 ? path.resolve(process.env["INIT_CWD"] ?? "", file) : path.join(root, file);
  await mkdir(path.dirname(target), { recursive: true });
  await writeFile(target, `${JSON.stringify(billOfMaterials(listed, { npm, go, at }), undefined, 2)}\n`);
  process.stdout.write(`${path.relative(process.cwd(), target)}\n`);
  return 0;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    if (!isDriftlessError(error)) throw error;
    process.stderr.write(`npm run sbom: ${messageOf(error)}\n`);
    process.exitCode = 1;
  }
}
