import type { Stores } from "../../store/store.ts";
import { whyRefused } from "../actions/action-rules.ts";

/** Why a run that has begun goes no further: its application's project refused a plan since; undefined when it may go on. */
export async function refusedMeanwhile(stores: Pick<Stores, "applications">, application: string): Promise<string | undefined> {
  const state = await stores.applications.get(application);
  return state && whyRefused(state);
}
