/** Aligns rows under headings, two spaces between columns; `empty` is said when there is no row. */
export function textTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  { empty }: { readonly empty: string },
): string {
  if (rows.length === 0) return `${empty}\n`;
  const all = [headings, ...rows.map((row) => row.map(oneLine))];
  const widths = headings.map((_, column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join("  ")
      .trimEnd();
  return `${all.map(line).join("\n")}\n`;
}

/** Control characters would let a commit or an object draw on the terminal. */
export function oneLine(cell: string): string {
  return cell.replace(/\s*\n\s*/g, " | ").replace(/\p{Cc}/gu, "?");
}

/** `2026-01-31 12:00:05`, in UTC; "-" for no time. */
export function shortTime(time: string): string {
  return time === "" ? "-" : time.slice(0, 19).replace("T", " ");
}

/** Seven digits of a commit id; "-" for none. */
export function shortRevision(revision: string): string {
  return revision === "" ? "-" : revision.slice(0, 7);
}
