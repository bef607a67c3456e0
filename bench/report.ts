import { textTable } from "../cli/table.ts";
import { type CaseFigures, type Figure, holds, rounded } from "./figures.ts";

/** What the figures were measured on. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly platform: string;
  readonly node: string;
  readonly kubernetes: string;
  /** Of one minute, before the first case and after the last. */
  readonly load: readonly [before: number, after: number];
  /** YYYY-MM-DD */
  readonly date: string;
}

/** One JSON object: name, value and unit; goal and holds where there is a goal. */
export function jsonLine(figure: Figure): string {
  const { name, value, unit, goal } = figure;
  const base = { name, value: rounded(value), unit };
  return JSON.stringify(goal === undefined ? base : { ...base, goal, holds: holds(figure) });
}

export function humanTable(cases: readonly CaseFigures[], machine: Machine): string {
  const width = Math.max(0, ...cases.flatMap(({ figures }) => figures.map(({ value }) => shown(value).length)));
  const rows = cases.flatMap(({ title, figures }) => [
    [title],
    ...figures.map((figure) => [
      `  ${figure.title}`,
      shown(figure.value).padStart(width),
      figure.unit,
      figure.goal === undefined ? "" : `at most ${figure.goal}`,
      verdict(figure),
    ]),
  ]);
  const table = textTable(["figure", "value".padStart(width), "unit", "goal", ""], rows, { empty: "no case was run" });
  return `${table}\n${factsOf(machine).join("\n")}\n${summary(cases)}\n`;
}

/** The whole of docs/performance.md. */
export function performancePage(
  cases: readonly CaseFigures[],
  { machine, applications, command }: { readonly machine: Machine; readonly applications: number; readonly command: string },
): string {
  return `# Performance

Written by \`${command}\`; do not edit it by hand.

${preface(applications)}
${factsOf(machine)
  .map((fact) => `- ${fact}`)
  .join("\n")}

${cases.map(section).join("\n")}
${summary(cases)}
`;
}

function preface(applications: number): string {
  return `One repository holds ${applications} applications, each a plain directory of four objects (a ServiceAccount, a Service with two
ports, a Deployment of no replicas, an Ingress) in a namespace of its own. It is served over Git's smart HTTP. Webhooks are signed as GitHub
signs them and sent over HTTP, and the functions that run in the cloud run here, against local stand-ins for the table, the queue and Lambda, and
against a real Kubernetes API server with its controllers. All of it, the control plane and the measuring included, shares this one machine, so
that seconds are those of a crowded machine: compare them with the kubectl figures beside them, not with other machines. Cases of fewer or more
applications have a repository and an installation of their own, and applications of the same four objects.

- A change is *applied* when a watch on the API server shows the new value in the last Deployment concerned; it is *recorded* when its sync has
  ended, healthy, with its row in the table. Both count from the moment before the webhook is sent.
- *kubectl* means one process of \`kubectl apply --server-side --force-conflicts -R -f apps\`, or of \`kubectl diff --server-side -R -f apps\`, over
  as many applications of the same content in namespaces of their own, from its start to its end, in turns with Driftless. It is the floor for a
  single process that applies everything: it fetches no Git, plans nothing, waits for no health, keeps no record and prunes nothing.
- *Requests* are those that the API server itself counted for the kinds that are applied, and reads of pods, without watches, subresources and the
  controllers' updates; those to the table and to the Git host are what a cloud would charge for, or limit.
- A *bare HTTP client* sends the same server-side applies over connections of its own that are kept open, and looks at nothing but the status.
- *CPU* of the functions is that of the process that runs them, their renderer included; of the local services, that of everything that stands
  for AWS and for the Git host, and of the measuring itself.
- *CPU of the import* is the user and system time of all threads of a new Node process, from the import of a bundle to its end: what a cold start
  of the function costs beside that of Node itself. The key of the snapshots is read, as when deployed.
- One process runs all functions, so that deliveries *at once* wait for each other and for the plans that they start; in the cloud each has an
  environment of its own.
- A figure without a goal is there for information.
`;
}

function section({ title, figures }: CaseFigures): string {
  const rows = figures.map((figure) => {
    const goal = figure.goal === undefined ? "" : `at most ${figure.goal} ${figure.unit}: ${verdict(figure)}`;
    return `| ${figure.title} | ${shown(figure.value)} ${figure.unit} | ${goal} |`;
  });
  return `## ${title}\n\n| Figure | Value | Goal |\n|---|---:|---|\n${rows.join("\n")}\n`;
}

function factsOf(machine: Machine): readonly string[] {
  const [before, after] = machine.load.map((load) => load.toFixed(1));
  return [
    `Machine: ${machine.processor}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.platform}`,
    `Node ${machine.node}, Kubernetes ${machine.kubernetes}`,
    `Load average: ${before} before, ${after} after`,
    `Date: ${machine.date}`,
  ];
}

function summary(cases: readonly CaseFigures[]): string {
  const goals = cases.flatMap(({ figures }) => figures).filter(({ goal }) => goal !== undefined);
  const missed = goals.filter((figure) => holds(figure) === false);
  if (missed.length === 0) return `All ${goals.length} goals are met.`;
  return `${goals.length - missed.length} of ${goals.length} goals are met; missed: ${missed.map(({ name }) => name).join(", ")}.`;
}

function verdict(figure: Figure): string {
  const met = holds(figure);
  return met === undefined ? "" : met ? "met" : "missed";
}

/** Never in exponents: a figure is read by people. */
function shown(value: number): string {
  return Number.isFinite(value) ? String(rounded(value)) : "-";
}
