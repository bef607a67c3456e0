import { DriftlessError } from "../errors.ts";
import { type ChartSource, noHelmOptions } from "../model/application-source.ts";
import type { JsonObject } from "../model/json.ts";
import { stringifyJson } from "../model/json.ts";
import { capabilitiesDigest } from "../plan/affected.ts";
import { readChart } from "./chart-files.ts";
import type { HelmJob } from "./helper-protocol.ts";
import type { FolderRequest, JobRequest, SourceJob } from "./source-job.ts";
import { readValueFiles, type ValueFilesHome } from "./value-files.ts";

/** A chart in Git. */
export async function helmJob(request: FolderRequest): Promise<SourceJob> {
  const { path, commit } = request;
  return jobOf(request, { path, entries: await readChart(request), home: { path, commit } });
}

/** A chart of a chart repository. */
export async function chartJob(request: JobRequest<ChartSource>): Promise<SourceJob> {
  const { source, charts, options } = request;
  const { repository, name, version, digest } = source.chart;
  if (charts === undefined) {
    throw new DriftlessError("render", `${name}: charts of chart repositories are not fetched here: put the chart into Git`);
  }
  const packed = await charts.fetch(source.chart, options);
  const archive = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength).toString("base64");
  const job = await jobOf(request, { path: name, entries: [], archive });
  return { ...job, pinned: [`${repository}/${name} ${version} ${digest}`] };
}

type ChartFiles = Pick<HelmJob, "path" | "entries" | "archive"> & { readonly home?: ValueFilesHome };

async function jobOf(request: JobRequest, { home, ...chart }: ChartFiles): Promise<SourceJob> {
  const { source, render } = request;
  const helm = source.helm ?? noHelmOptions;
  const valueFiles = await readValueFiles(helm, { request, ...(home ? { home } : {}) });
  const cluster = helm.kubeVersion === "" ? await render.capabilities?.() : undefined;
  return {
    renderer: "helm",
    request: {
      op: "render",
      renderer: "helm",
      ...chart,
      valueFiles,
      helm: {
        releaseName: helm.releaseName || render.application,
        namespace: render.namespace || "default",
        values: asHelmReads(helm.values),
        parameters: helm.parameters,
        kubeVersion: helm.kubeVersion || (cluster?.kubeVersion ?? ""),
        clusterApiVersions: cluster?.apiVersions ?? [],
        apiVersions: helm.apiVersions,
        skipCrds: helm.skipCrds,
        skipTests: render.testHooks !== true,
      },
    },
    ...(cluster === undefined ? {} : { cluster: capabilitiesDigest(cluster) }),
  };
}

/** Helm has every number of its values as a double. */
function asHelmReads(values: JsonObject): JsonObject {
  return JSON.parse(stringifyJson(values)) as JsonObject;
}
