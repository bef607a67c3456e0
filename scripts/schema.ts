import { writeFile } from "node:fs/promises";
import { publishedSchema } from "../lib/config/schema.ts";

await writeFile(new URL("../driftless.schema.json", import.meta.url), publishedSchema());
