/** One step to a working installation, in order. */
export interface Step {
  readonly title: string;
  readonly state: "done" | "left";
  /** What was done, or what is to be done; never a secret. */
  readonly says: string;
  /** To be typed, in order. */
  readonly commands: readonly string[];
}

export const done = (title: string, says: string): Step => ({ title, state: "done", says, commands: [] });
export const left = (title: string, says: string, commands: readonly string[] = []): Step => ({
  title,
  state: "left",
  says,
  commands,
});
