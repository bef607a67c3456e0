import type { Checked, Finding } from "./check.ts";
import { mostRequests, requestsOf } from "./directories.ts";
import { type Element, elementsOf, type Generation } from "./generators.ts";
import type { Partially, ValueOf } from "./json-schema.ts";
import { type ApplicationSchema, type applicationFileSchema, applicationSchema } from "./schema.ts";

export type WrittenApplication = ValueOf<ApplicationSchema>;
export type WrittenApplications = ValueOf<typeof applicationFileSchema>;

/** An application as a file states it, or as a template makes it. */
export interface Candidate {
  readonly written: Partially<WrittenApplication>;
  /** `applications[2]`, or `applicationSets[0].template`. */
  readonly path: string;
  /** What it was made for; "" for one that is stated. */
  readonly origin: string;
  readonly isGiven: (path: string) => boolean;
  readonly add: (path: string, message: string) => void;
}

/** How many applications a file with generators may have. */
const mostApplications = 5000;

export interface Candidates {
  readonly candidates: readonly Candidate[];
  /** False where some of the file's applications are not known. */
  readonly isComplete: boolean;
}

/** The stated applications, and those that templates make; what is wrong with generators and templates is added to the findings. */
export function candidatesOf(
  { applications = [], applicationSets = [] }: Partially<WrittenApplications>,
  {
    checked,
    findings,
    generation,
  }: { readonly checked: Checked<unknown>; readonly findings: Finding[]; readonly generation: Omit<Generation, "most"> },
): Candidates {
  const { offsetOf, isGiven } = checked;
  const add = (path: string, message: string): void => void findings.push({ offset: offsetOf(path), path, message });
  const candidates: Candidate[] = applications.map((written = {}, index) => {
    return { written, path: `applications[${index}]`, origin: "", isGiven, add };
  });
  let isComplete = true;
  const broken = new Set(checked.findings.map(({ path }) => /^applicationSets\[\d+\]/.exec(path)?.[0]));
  for (const [index, set = {}] of applicationSets.entries()) {
    const path = `applicationSets[${index}]`;
    const most = mostApplications - candidates.length;
    const elements = broken.has(path) ? undefined : setElements(set, path, { ...generation, most });
    if (elements === undefined) isComplete = false;
    else if (elements.length > most) add(path, `gives ${elements.length} applications: one file has at most ${mostApplications}`);
    else candidates.push(...fromTemplate(elements, `${path}.template`, { checked, findings }));
  }
  const requests = requestsOf(applicationSets, generation.repository).length;
  if (requests > mostRequests)
    add("applicationSets", `ask for ${requests} lists of folders: one file may ask for ${mostRequests}`);
  return { candidates, isComplete };
}

function setElements(
  { generators = [], allowEmpty = false }: Partially<WrittenApplications["applicationSets"][number]>,
  path: string,
  generation: Generation,
): readonly Element[] | undefined {
  const all: Element[] = [];
  let isKnown = true;
  for (const [index, generator = {}] of generators.entries()) {
    const at = `${path}.generators[${index}]`;
    const elements = elementsOf(generator, at, generation);
    if (elements?.length === 0 && !allowEmpty)
      generation.add(at, 'gives no application: correct it, or write "allowEmpty: true" beside "generators"');
    if (elements === undefined) isKnown = false;
    else all.push(...elements);
  }
  return isKnown ? all : undefined;
}

function fromTemplate(
  elements: readonly Element[],
  path: string,
  { checked, findings }: { readonly checked: Checked<unknown>; readonly findings: Finding[] },
): readonly Candidate[] {
  // What is wrong with the template itself is wrong for every element: once is enough.
  const told = new Set<string>();
  return elements.map(({ fillings, origin }) => {
    const filled = checked.filled(path, applicationSchema, fillings);
    const written = filled.value ?? {};
    const suffix = written.name === undefined ? `(for ${origin})` : `(application ${written.name}, for ${origin})`;
    const tell = (finding: Finding): void => {
      const key = `${finding.offset} ${finding.message}`;
      if (!told.has(key)) findings.push({ ...finding, message: `${finding.message} ${suffix}` });
      told.add(key);
    };
    for (const finding of filled.findings) tell(finding);
    const add = (at: string, message: string): void => tell({ offset: filled.offsetOf(at), path: at, message });
    return { written, path, origin, isGiven: filled.isGiven, add };
  });
}
