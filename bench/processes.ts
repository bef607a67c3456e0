import { readFile } from "node:fs/promises";

/** Clock ticks of Linux a second, as /proc counts them: 100 on every platform that Node runs on. */
const ticksPerSecond = 100;

/** CPU seconds so far, in user and kernel mode; `children` are those of ended children that were waited for. */
export interface CpuSeconds {
  readonly own: number;
  readonly children: number;
}

/** Reads the text of /proc/PID/stat; the name of the program in it may hold blanks and parentheses. */
export function parseStat(text: string): CpuSeconds {
  const fields = text
    .slice(text.lastIndexOf(")") + 2)
    .split(" ")
    .map(Number);
  const [utime = 0, stime = 0, cutime = 0, cstime = 0] = fields.slice(11, 15);
  return { own: (utime + stime) / ticksPerSecond, children: (cutime + cstime) / ticksPerSecond };
}

/** CPU seconds of a process and of its living children; undefined where there is no /proc, or no such process. */
export async function cpuSeconds(pid: number | undefined): Promise<number | undefined> {
  if (pid === undefined) return undefined;
  try {
    const children = (await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "")).split(" ").filter(Boolean);
    const stats = await Promise.all([String(pid), ...children].map((id) => readFile(`/proc/${id}/stat`, "utf8")));
    return stats.map(parseStat).reduce((total, { own }) => total + own, 0);
  } catch {
    return undefined;
  }
}

/** CPU seconds of the children of this process that have ended; undefined where there is no /proc. */
export async function endedChildrenSeconds(): Promise<number | undefined> {
  const stat = await readFile("/proc/self/stat", "utf8").catch(() => undefined);
  return stat === undefined ? undefined : parseStat(stat).children;
}

/** The most memory that a process has held, in MiB; undefined where there is no /proc. */
export async function peakMemory(pid: number | undefined): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid ?? 0}/status`, "utf8").catch(() => "");
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) / 1024;
}
