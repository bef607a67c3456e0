import type { Context } from "aws-lambda";
import { parseEnvironment } from "../lib/config/environment.ts";
import type { ExamineRequest } from "../lib/queue/examine.ts";
import { answerPreview, type PreviewRequest } from "../lib/queue/preview-answer.ts";
import { createPreview } from "../lib/sync/preview/preview.ts";
import { jsonLog } from "../lib/telemetry/log.ts";
import { openClusters, openStores } from "./adapters.ts";
import { openExamine } from "./examine.ts";
import { openRenderer } from "./renderer.ts";
import { openSources } from "./sources.ts";

const env = parseEnvironment(process.env);
const log = jsonLog({ level: env.logLevel }, { function: "preview" });
const stores = await openStores(env);
const sources = openSources(env, { stores, log });
const clusters = openClusters(env, { stores, log });
const examine = openExamine(env, { stores, clusters });
const preview = createPreview({
  stores,
  clusters,
  sources,
  renderer: openRenderer(env, { sources, log }),
  log,
});

/** Invoked by the API function: what a sync would change, or why that cannot be said, as text; or which links hold. */
export const handler = (request: PreviewRequest | ExamineRequest, context: Context): Promise<unknown> => {
  const signal = AbortSignal.timeout(context.getRemainingTimeInMillis() - 1000);
  return "examine" in request ? examine(request.examine, { signal }) : answerPreview(preview, request, { signal });
};
