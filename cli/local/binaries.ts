import { join } from "node:path";
import { ensureGoBinary } from "../../scripts/go-binary.ts";

/** The render helper for this machine, built once. */
export function ensureRenderHelper(progress: (line: string) => void): Promise<string> {
  const module = join(import.meta.dirname, "..", "..", "lib", "render", "helper");
  return ensureGoBinary({ name: "render-helper", module, about: "3 minutes", progress });
}
