/**
 * Stands at the begin of each bundle (infra/esbuild.yml): stack traces name the sources, by the map beside the bundle. Node's own
 * `--enable-source-maps` does so too, and reads the map at every start, a tenth of its CPU; here it is read with the first trace.
 */
import type { SourceMap } from "node:module";

const { readFileSync } = process.getBuiltinModule("node:fs");
const maps = new Map<string, SourceMap | undefined>();

Error.prepareStackTrace = (error, sites) => [String(error), ...sites.map((site) => `    at ${placeOf(site)}`)].join("\n");

/** What V8 prints of a site, which its type does not tell. */
type Site = NodeJS.CallSite & { toString(): string };

function placeOf(site: Site): string {
  const [text, file, line, column] = [site.toString(), site.getFileName() ?? "", site.getLineNumber(), site.getColumnNumber()];
  if (!file.startsWith("file:") || line === null || column === null) return text;
  const entry = mapOf(file)?.findEntry(line - 1, column - 1);
  if (entry === undefined || !("originalSource" in entry)) return text;
  const source = entry.originalSource.replace(/^(?:\.\.\/)+/, "");
  return text.replace(`${file}:${line}:${column}`, `${source}:${entry.originalLine + 1}:${entry.originalColumn + 1}`);
}

/** Undefined where there is none: the trace is told as it is. */
function mapOf(file: string): SourceMap | undefined {
  if (maps.has(file)) return maps.get(file);
  let map: SourceMap | undefined;
  try {
    const module = process.getBuiltinModule("node:module");
    map = new module.SourceMap(
      JSON.parse(readFileSync(new URL(`${file}.map`), "utf8")) as ConstructorParameters<typeof SourceMap>[0],
    );
  } catch {
    map = undefined;
  }
  maps.set(file, map);
  return map;
}
