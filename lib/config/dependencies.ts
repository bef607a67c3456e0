import { nearestWord } from "./suggest.ts";
import { quote } from "./wording.ts";

interface Dependent {
  readonly written: { readonly name?: string | undefined; readonly dependsOn?: readonly (string | undefined)[] | undefined };
  /** `applications[2]`. */
  readonly path: string;
  readonly add: (path: string, message: string) => void;
}

/** Where an application names another one. */
interface Edge {
  readonly to: string;
  readonly path: string;
  readonly add: Dependent["add"];
}

export interface DependencyCheck {
  /** False where further applications may exist. */
  readonly isComplete: boolean;
  /** Names of applications of other files. */
  readonly others: readonly string[];
  /** True once there are more findings than will be shown: a search for a near name costs as many steps as there are names. */
  readonly isEnough: () => boolean;
}

/** Names that no application has, an application that names itself, and circles, each with its way. */
export function checkDependencies(
  applications: readonly Dependent[],
  { isComplete: areAllHere, others, isEnough }: DependencyCheck,
): void {
  const names = [...applications.flatMap(({ written }) => written.name ?? []), ...others];
  const known = new Set(names);
  const isComplete = areAllHere && applications.every(({ written }) => written.name !== undefined);
  const edges = new Map<string, readonly Edge[]>();
  for (const { written, path: at, add } of applications) {
    const { name, dependsOn = [] } = written;
    const leading: Edge[] = [];
    for (const [place, to] of dependsOn.entries()) {
      const path = `${at}.dependsOn[${place}]`;
      if (to === undefined) continue;
      if (to === name) add(path, "names the application itself: take it out");
      else if (known.has(to)) leading.push({ to, path, add });
      else if (isComplete) add(path, `there is no application ${quote(to)}${isEnough() ? "" : advice(to, names)}`);
    }
    if (name !== undefined && !edges.has(name)) edges.set(name, leading);
  }
  for (const circle of circlesOf(edges)) {
    const [first] = circle;
    if (first === undefined) continue;
    const way = [first.from, ...circle.map(({ to }) => to)].join(" -> ");
    first.add(first.path, `goes round in a circle: ${way}; take one of these out`);
  }
}

function advice(to: string, names: readonly string[]): string {
  const near = nearestWord(to, names);
  return near === undefined ? ': name an entry of "applications"' : `: did you mean "${near}"?`;
}

type Step = Edge & { readonly from: string };

/** At least one circle of each group of applications that wait for each other. */
function circlesOf(edges: ReadonlyMap<string, readonly Edge[]>): readonly (readonly Step[])[] {
  const waiting = inCircles(edges);
  const seen = new Set<string>();
  const circles: (readonly Step[])[] = [];
  for (const start of edges.keys()) {
    const way: Step[] = [];
    let at = start;
    while (waiting.has(at) && !seen.has(at)) {
      seen.add(at);
      const edge = edges.get(at)?.find(({ to }) => waiting.has(to));
      if (edge === undefined) break;
      way.push({ ...edge, from: at });
      at = edge.to;
    }
    const begins = way.findIndex(({ from }) => from === at);
    if (begins >= 0) circles.push(fromFirst(way.slice(begins), edges));
  }
  return circles;
}

/** What is left when again and again those are taken out that wait for nothing that is left. */
function inCircles(edges: ReadonlyMap<string, readonly Edge[]>): ReadonlySet<string> {
  const left = new Map([...edges].map(([name, leading]) => [name, leading.length]));
  const dependents = new Map<string, string[]>();
  for (const [name, leading] of edges) {
    for (const { to } of leading) {
      const known = dependents.get(to);
      if (known === undefined) dependents.set(to, [name]);
      else known.push(name);
    }
  }
  const free = [...left].flatMap(([name, count]) => (count === 0 ? [name] : []));
  for (let name = free.pop(); name !== undefined; name = free.pop()) {
    left.delete(name);
    for (const dependent of dependents.get(name) ?? []) {
      const count = (left.get(dependent) ?? 0) - 1;
      left.set(dependent, count);
      if (count === 0) free.push(dependent);
    }
  }
  return new Set(left.keys());
}

/** The circle told from the application that stands first in the file. */
function fromFirst(circle: readonly Step[], edges: ReadonlyMap<string, readonly Edge[]>): readonly Step[] {
  const members = new Set(circle.map(({ from }) => from));
  const first = [...edges.keys()].find((name) => members.has(name));
  const at = circle.findIndex(({ from }) => from === first);
  return [...circle.slice(at), ...circle.slice(0, at)];
}
