const sessionPrefix = "driftless";
const longestSession = 64;

/**
 * `driftless-APP-SHA7` of `APP-SHA7`, `driftless` of nothing, by AWS' rules for session names: other characters become `-`, and what
 * is longer than 64 loses of the middle, so that the commit stays.
 */
export function sessionName(openedFor: string | undefined): string {
  const text = openedFor === undefined || openedFor === "" ? sessionPrefix : `${sessionPrefix}-${openedFor}`;
  const legal = text.replace(/[^\w+=,.@-]/g, "-");
  if (legal.length <= longestSession) return legal;
  const end = legal.slice(-commitLength);
  return `${legal.slice(0, longestSession - commitLength)}${end}`;
}

/** `-SHA7` */
const commitLength = 8;
