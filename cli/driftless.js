#!/usr/bin/env node
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { runOnNode24 } from "../scripts/node24.js";

await runOnNode24(path.join(path.dirname(fileURLToPath(import.meta.url)), "main.ts"), process.argv.slice(2));
