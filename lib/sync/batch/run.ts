/** The durable half of a run: a step is done once and its result remembered; a wait costs no compute. */
export interface DurableRun {
  /** Stable id of the run, the same after each resume. */
  readonly id: string;
  /** Runs `work` once; after a crash the stored result is returned. Results are JSON. Work must bear being repeated when it was cut off. */
  step<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** Sleeps without compute; whole seconds, at least 1. */
  wait(name: string, seconds: number): Promise<void>;
}
