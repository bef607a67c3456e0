/** What a piece of work cost the process that did it. */
export interface Effort {
  /** CPU time since the begin, in user and kernel mode, of everything that the process was at. */
  readonly cpuMs: number;
  /** The most memory that the process has held since it started. */
  readonly peakMemoryMiB: number;
}

/** Starts to measure; the answer tells what was spent since. */
export type StartMeter = () => () => Effort;

export const processMeter: StartMeter = () => {
  const before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    return {
      cpuMs: Math.round((user + system) / 1000),
      // In KiB, but for macOS, where Node has converted it.
      peakMemoryMiB: Math.round(process.resourceUsage().maxRSS / 1024),
    };
  };
};
