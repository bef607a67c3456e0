/** The time, as a value: nothing else in the repository asks the machine for it. */
export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };

/** RFC 3339 in UTC with milliseconds, as every row and log line has it. */
export function timestamp(clock: Clock): string {
  return clock.now().toISOString();
}
