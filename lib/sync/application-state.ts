import { DriftlessError } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import type { ApplicationState } from "../model/sync.ts";
import type { ApplicationStore } from "../store/store.ts";

const attempts = 10;

export interface StateChange {
  readonly application: string;
  /** The state as just read; asked for when absent. */
  readonly known?: ApplicationState;
  /** The state to write; undefined leaves the stored one. Asked again when another writer was first. */
  readonly change: (state: ApplicationState | undefined) => Omit<ApplicationState, "version"> | undefined;
}

/** Changes a state by read, conditional write and, when another writer was first, once more. Returns what stands. */
export async function changeState(
  applications: ApplicationStore,
  { application, known, change }: StateChange,
  options: CallOptions = {},
): Promise<ApplicationState | undefined> {
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const stored = attempt === 1 && known !== undefined ? known : await applications.get(application, options);
    const next = change(stored);
    if (next === undefined) return stored;
    const written: ApplicationState = { ...next, version: (stored?.version ?? 0) + 1 };
    if (await applications.put(written, options)) return written;
  }
  throw new DriftlessError("store", `the state of application ${application} was changed by others ${attempts} times in a row`, {
    retryable: true,
  });
}

export function unknownApplication(application: string): DriftlessError {
  return new DriftlessError("not-found", `there is no application ${application}`);
}
