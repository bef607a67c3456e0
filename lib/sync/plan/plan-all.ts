import { mapConcurrently } from "../../cluster/concurrency.ts";
import { isDriftlessError } from "../../errors.ts";
import type { Application, Configuration } from "../../model/application.ts";
import type { ClusterCapabilities } from "../../model/application-source.ts";
import type { CallOptions } from "../../model/call.ts";
import type { ApplicationState } from "../../model/sync.ts";
import { findProject } from "../../projects/find.ts";
import { projectOf, projectsOf } from "../projects.ts";
import type { OpenedHeads } from "./heads.ts";
import { createPlanApplication, type PlanApplicationDeps, type PlanOutcome } from "./plan-application.ts";

/** What one plan asks for once. */
export interface Opened {
  readonly heads: OpenedHeads;
  readonly capabilities: (cluster: string) => Promise<ClusterCapabilities>;
}

export interface PlannedAll {
  /** Those whose plan came to its end. */
  readonly applications: readonly Application[];
  readonly outcomes: readonly PlanOutcome[];
  /** Why others were cut off; undefined when none was. */
  readonly interrupted: unknown;
}

export interface PlanAllRequest {
  readonly configuration: Configuration;
  readonly correlationId: string;
  readonly states: ReadonlyMap<string, ApplicationState>;
  readonly opened: Opened;
}

/** Plans each by itself: one that is cut off, since a repository or a cluster is away, leaves the others their outcomes. */
export function createPlanAll(
  deps: PlanApplicationDeps,
): (applications: readonly Application[], request: PlanAllRequest, options: CallOptions) => Promise<PlannedAll> {
  const planApplication = createPlanApplication(deps);

  return async (applications, { configuration, correlationId, states, opened }, options) => {
    const { remoteBases } = configuration;
    const projects = projectsOf(configuration);
    const cutOff = new Map<string, unknown>();
    const outcomes = await mapConcurrently(applications, {
      limit: 16,
      work: async (application) => {
        const { name } = application;
        const { heads, capabilities } = opened;
        try {
          const project = findProject({ projects }, projectOf(application));
          const told = { remoteBases, project, correlationId };
          const request = { application, state: states.get(name), open: heads.open, capabilities, ...told };
          return [await planApplication(request, options)];
        } catch (error) {
          cutOff.set(name, error);
          return [];
        }
      },
    });
    return {
      applications: applications.filter(({ name }) => !cutOff.has(name)),
      outcomes: outcomes.flat(),
      interrupted: weightiest([...cutOff.values()]),
    };
  };
}

/** The one that decides when the message comes again: a wait that somebody asked for before any other. */
function weightiest(errors: readonly unknown[]): unknown {
  return errors.find((error) => isDriftlessError(error) && error.facts["retryAfterSeconds"] !== undefined) ?? errors[0];
}
