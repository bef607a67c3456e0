import path from "node:path";
import { after } from "node:test";
import { createHelperRenderer, type HelperRendererDeps } from "../../lib/render/helper-renderer.ts";
import type { Renderer } from "../../lib/render/renderer.ts";
import { ensureGoBinary } from "../../scripts/go-binary.ts";

const module = path.join(import.meta.dirname, "../../lib/render/helper");

/** The helper's binary, built when its sources changed. */
export function helperBinary(): Promise<string> {
  return ensureGoBinary({
    name: "render-helper",
    module,
    about: "1 minute",
    progress: (line) => process.stderr.write(`${line}\n`),
  });
}

/** A renderer that is closed when the tests of the calling file are through. */
export async function testRenderer(options: Omit<HelperRendererDeps, "helper"> = {}): Promise<Renderer> {
  const renderer = createHelperRenderer({ helper: await helperBinary(), ...options });
  after(() => renderer.close());
  return renderer;
}

export const corpora = process.env["DRIFTLESS_CORPORA"];

/** For tests that need the corpora: says why they are skipped. */
export const corporaOnly = corpora === undefined ? { skip: "DRIFTLESS_CORPORA names no folder" } : {};
