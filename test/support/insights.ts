/**
 * The part of the query language of CloudWatch Logs Insights that our saved queries are written in: fields, filter, stats, sort
 * and limit. Anything else is an error, as a misspelt query is on AWS.
 */
export type InsightsRow = Readonly<Record<string, unknown>>;

/** Rows of the log, each with `@timestamp` and `@message` beside its JSON fields, as Insights discovers them. */
export function runInsights(query: string, log: readonly InsightsRow[]): readonly InsightsRow[] {
  const commands = query.split(/\n\s*\|\s*/).map((command) => command.trim());
  return commands.reduce<readonly InsightsRow[]>((rows, command) => {
    const [, name = "", rest = ""] = /^(\w+)\s+([\s\S]*)$/.exec(command) ?? [];
    switch (name) {
      case "fields":
        return rows.map((row) =>
          pick(
            row,
            rest.split(",").map((field) => field.trim()),
          ),
        );
      case "filter": {
        const holds = condition(rest);
        return rows.filter(holds);
      }
      case "stats":
        return stats(rest, rows);
      case "sort":
        return sorted(rest, rows);
      case "limit":
        return rows.slice(0, Number(rest));
      default:
        throw new SyntaxError(`unknown command: ${command}`);
    }
  }, log);
}

/** What was not chosen can still be filtered and sorted by: Insights keeps it behind the row. */
const hidden = Symbol("whole row");

function pick(row: InsightsRow, names: readonly string[]): InsightsRow {
  const chosen = Object.fromEntries(names.flatMap((name) => (row[name] === undefined ? [] : [[name, row[name]]])));
  return Object.assign(chosen, { [hidden]: row });
}

function valueOf(row: InsightsRow, name: string): unknown {
  const whole = (row as { readonly [hidden]?: InsightsRow })[hidden];
  return row[name] ?? whole?.[name];
}

type Condition = (row: InsightsRow) => boolean;

/** `or` of `and`s of comparisons; strings hold no operators, since they are cut out first. */
function condition(text: string): Condition {
  const strings: string[] = [];
  const plain = text.replace(/"((?:[^"\\]|\\.)*)"/g, (_all, inner: string) => {
    strings.push(inner.replaceAll('\\"', '"').replaceAll("\\\\", "\\"));
    return `$${strings.length - 1}`;
  });
  const literal = (token: string): string => {
    const [, index] = /^\$(\d+)$/.exec(token.trim()) ?? [];
    if (index === undefined) throw new SyntaxError(`not a string: ${token}`);
    return strings[Number(index)] ?? "";
  };
  const compare = (part: string): Condition => {
    const [, present] = /^ispresent\((\w+)\)$/.exec(part) ?? [];
    if (present !== undefined) return (row) => valueOf(row, present) !== undefined;
    const [, listed, items] = /^(\w+) in \[([^\]]*)\]$/.exec(part) ?? [];
    if (listed !== undefined && items !== undefined) {
      const values = items.split(",").map(literal);
      return (row) => values.includes(valueOf(row, listed) as string);
    }
    const [, name, operator, token] = /^(\w+) (=|!=) (\$\d+)$/.exec(part) ?? [];
    if (name === undefined || token === undefined) throw new SyntaxError(`unknown condition: ${part}`);
    const value = literal(token);
    return (row) => (valueOf(row, name) === value) === (operator === "=");
  };
  const ways = plain.split(/\s+or\s+/).map((way) => way.split(/\s+and\s+/).map((part) => compare(part.trim())));
  return (row) => ways.some((way) => way.every((holds) => holds(row)));
}

const aggregates: Readonly<Record<string, (rows: readonly InsightsRow[], name: string) => unknown>> = {
  count: (rows) => rows.length,
  count_distinct: (rows, name) => new Set(rows.map((row) => valueOf(row, name))).size,
  max: (rows, name) => Math.max(...numbers(rows, name)),
  avg: (rows, name) => numbers(rows, name).reduce((sum, value) => sum + value, 0) / numbers(rows, name).length,
};

function numbers(rows: readonly InsightsRow[], name: string): readonly number[] {
  return rows.map((row) => valueOf(row, name)).filter((value) => typeof value === "number");
}

function stats(text: string, rows: readonly InsightsRow[]): readonly InsightsRow[] {
  const [made = "", by = ""] = text.split(/\s+by\s+/);
  const keys = by.split(",").map((key) => key.trim());
  const columns = made.split(/,\s*(?![^(]*\))/).map((column) => {
    const [, name = "", of = "", as = ""] = /^(\w+)\(([\w*]+)\) as (\w+)$/.exec(column.trim()) ?? [];
    const aggregate = aggregates[name];
    if (aggregate === undefined) throw new SyntaxError(`unknown aggregate: ${column}`);
    return { as, value: (group: readonly InsightsRow[]) => aggregate(group, of) };
  });
  const groups = Map.groupBy(rows, (row) => JSON.stringify(keys.map((key) => valueOf(row, key) ?? "")));
  return [...groups].map(([key, group]) => {
    const names = JSON.parse(key) as readonly unknown[];
    return Object.fromEntries([
      ...keys.map((name, at) => [name, names[at]] as const),
      ...columns.map(({ as, value }) => [as, value(group)] as const),
    ]);
  });
}

function sorted(text: string, rows: readonly InsightsRow[]): readonly InsightsRow[] {
  const [name = "", order = "asc"] = text.split(/\s+/);
  const sign = order === "desc" ? -1 : 1;
  const compare = (a: unknown, b: unknown): number =>
    typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
  return rows.toSorted((a, b) => sign * compare(valueOf(a, name), valueOf(b, name)));
}
