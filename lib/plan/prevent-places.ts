/** An application of which at least one object is prevented. */
export interface PreventedApplication {
  readonly name: string;
  /** Where changes of it belong, for people: `https://github.com/acme/shop.git, path overlays/production, branch main`. */
  readonly place: string;
  /** False where only single objects ask for it by annotation. */
  readonly whole: boolean;
  /** Its prevented objects that have a scale, as `deployments.apps/shop/web`. */
  readonly scaled: readonly string[];
}

/** The applications of one policy, as CEL: they stand in maps, since a list is searched from its beginning. */
export interface Places {
  readonly variables: readonly CelVariable[];
  /** Whether all objects of `variables.application` are prevented. */
  readonly whole: string;
  /** Whether this policy speaks for `variables.application`; the first one does for those that no policy names yet. */
  readonly known: string;
  /** Where changes of `variables.application` belong. */
  readonly place: string;
  /** Maps from scaled objects to their applications. */
  readonly scales: readonly CelVariable[];
  /** The application of the object that `variables.key` names; "" for none. */
  readonly ownerOfScale: string;
}

export interface CelVariable {
  readonly name: string;
  readonly expression: string;
}

/** The parser of CEL takes 100,000 characters an expression; etcd 1.5 MB an object, of which managedFields need a little. */
const limits = { expression: 60_000, policy: 600_000 };
const longestPlace = 300;

/** Entries of maps, as CEL. */
interface Entries {
  readonly whole: boolean;
  readonly entry: string;
  readonly scaled: readonly string[];
  readonly length: number;
}

/** In as many policies as the applications need: one for some thousands of them; none for none. */
export function placesIn(applications: readonly PreventedApplication[]): readonly Places[] {
  const named = [...applications].sort((a, b) => (a.name < b.name ? -1 : 1)).map(entriesOf);
  return parts(named, { most: limits.policy, lengthOf: ({ length }) => length }).map((members, index) => {
    const wholes = mapsOf("whole", { entries: members.filter(({ whole }) => whole).map(({ entry }) => entry) });
    const singles = mapsOf("single", { entries: members.filter(({ whole }) => !whole).map(({ entry }) => entry) });
    const scales = mapsOf("scaled", { entries: members.flatMap(({ scaled }) => scaled) });
    const all = [...wholes, ...singles];
    return {
      variables: all,
      whole: anyOf(wholes),
      known: index === 0 ? "true" : anyOf(all),
      place: lookUp(all, { key: "variables.application", otherwise: "its repository" }),
      scales,
      ownerOfScale: lookUp(scales, { key: "variables.key", otherwise: "" }),
    };
  });
}

function anyOf(maps: readonly CelVariable[]): string {
  return maps.length === 0 ? "false" : maps.map(({ name }) => `variables.application in variables.${name}`).join(" || ");
}

function lookUp(maps: readonly CelVariable[], { key, otherwise }: { readonly key: string; readonly otherwise: string }): string {
  return maps.reduceRight(
    (rest, { name }) => `${key} in variables.${name} ? variables.${name}[${key}] : ${rest}`,
    JSON.stringify(otherwise),
  );
}

function mapsOf(name: string, { entries }: { readonly entries: readonly string[] }): readonly CelVariable[] {
  return parts(entries, { most: limits.expression, lengthOf: (entry) => entry.length + 2 }).map((part, index) => ({
    name: `${name}${index + 1}`,
    expression: `{${part.join(", ")}}`,
  }));
}

interface PartOptions<T> {
  readonly most: number;
  readonly lengthOf: (member: T) => number;
}

/** In order, so that no part is longer than a limit unless one member alone is. */
function parts<T>(members: readonly T[], { most, lengthOf }: PartOptions<T>): readonly (readonly T[])[] {
  const found: T[][] = [];
  let length = most;
  for (const member of members) {
    const added = lengthOf(member);
    if (length + added > most) {
      found.push([]);
      length = 0;
    }
    found.at(-1)?.push(member);
    length += added;
  }
  return found;
}

/** A message of the API server has no line breaks. */
function entriesOf({ name, place, whole, scaled }: PreventedApplication): Entries {
  const line = place.replace(/[\p{Cc}\p{Cs}\u2028\u2029]/gu, " ");
  const short = line.length > longestPlace ? `${line.slice(0, longestPlace - 1)}…` : line;
  const entry = `${JSON.stringify(name)}: ${JSON.stringify(short)}`;
  const scales = [...scaled].sort().map((key) => `${JSON.stringify(key)}: ${JSON.stringify(name)}`);
  return { whole, entry, scaled: scales, length: [entry, ...scales].reduce((sum, text) => sum + text.length + 2, 0) };
}
