import { kindKey, visitLive } from "../../apply/live.ts";
import type { ClusterReader, Clusters, ListVisitor } from "../../cluster/cluster.ts";
import { mapConcurrently } from "../../cluster/concurrency.ts";
import type { CallOptions } from "../../model/call.ts";
import type { DriftRow } from "../../model/drift.ts";
import type { Project } from "../../model/project.ts";
import { type GroupVersionKind, resourceKey } from "../../model/resource.ts";
import type { ApplicationState } from "../../model/sync.ts";
import { findProject } from "../../projects/find.ts";
import { objectRefusal } from "../../projects/limits.ts";
import { projectOf } from "../projects.ts";
import { bodiesSeen, listSuspects, withBodies } from "./sweep-bodies.ts";
import type { IdentityGroup } from "./sweep-identities.ts";
import type { createJudge, JudgeLook, Verdict } from "./sweep-judge.ts";
import { visitObjects } from "./sweep-objects.ts";
import { openReaders, type Readers } from "./sweep-readers.ts";
import { type KnownOwners, type Owner, type Sighting, type TrackOptions, trackOwners } from "./sweep-tracking.ts";

/** Applications with suspects that are looked at together: their bodies are held at once. */
const closeLooks = 50;

export interface PartDeps {
  readonly clusters: Pick<Clusters, "reader">;
  readonly judge: ReturnType<typeof createJudge>;
}

export interface PartLook extends Omit<TrackOptions, "known"> {
  readonly sweep: string;
  readonly group: IdentityGroup;
  /** Of the configuration. */
  readonly projects: readonly Project[];
  /** False where only the entries that the owners have are looked at, each by one GET. */
  readonly isWhole: boolean;
  /** Owners of the whole cluster with their entries, read once for all parts. */
  readonly owners: () => Promise<{ readonly all: readonly Owner[]; readonly known: KnownOwners }>;
  /** Looks along at what the lists bring. */
  readonly along: (visitorOf: (kind: GroupVersionKind) => ListVisitor) => (kind: GroupVersionKind) => ListVisitor;
}

/** What was found as one identity. */
export interface Part {
  /** "" for Driftless' own identity. */
  readonly project: string;
  readonly readers: Readers;
  readonly kinds: number;
  readonly sightings: readonly Sighting[];
  readonly verdicts: readonly Verdict[];
  /** Kinds that could not be listed, by `GROUP/KIND`, with the reason. */
  readonly refused: ReadonlyMap<string, string>;
  readonly unknownOwners: readonly string[];
}

/** Looks at the applications of one identity: one metadata LIST a kind for all of them, and closer at what that cannot clear. */
export function createSweepPart({ clusters, judge }: PartDeps): (look: PartLook, options: CallOptions) => Promise<Part> {
  return async ({ sweep, group, projects, isWhole, owners, along, cluster, now, rules = "" }, options) => {
    const readers = await openReaders(clusters, { cluster, project: group.project, hasProjects: projects.length > 0 }, options);
    const { all, known } = await owners();
    const members = new Set(group.states.map(({ application }) => application));
    const own = all.filter(({ state }) => members.has(state.application));
    const tracking = trackOwners(own, { cluster, now, rules, known });
    const reader = readers.main;
    const refused = isWhole
      ? await visitLive({ reader, kinds: tracking.kinds, visitorOf: along(tracking.visitorOf) }, options)
      : await visitObjects({ reader, owners: own, visitorOf: tracking.visitorOf }, options);
    const unreadable = new Set(refused.keys());
    const sightings = tracking.sightings(unreadable).map((sighting) => withOwnOrphans(sighting, projects));
    const only = isWhole ? {} : { only: new Set(own.flatMap(({ entries }) => entries.map(({ ref }) => resourceKey(ref)))) };
    const look: JudgeLook = { reader, now, sweep, unreadable, ...only };
    const verdicts = await judgeAll(sightings, { look, readers }, options);
    const [kinds, unknownOwners] = [tracking.kinds.length, tracking.unknownOwners()];
    return { project: group.project, readers, kinds, sightings, verdicts, refused, unknownOwners };
  };

  /** Those without suspects first, since that is nothing to wait for. */
  async function judgeAll(
    sightings: readonly Sighting[],
    { look, readers }: { readonly look: JudgeLook; readonly readers: Readers },
    options: CallOptions,
  ): Promise<readonly Verdict[]> {
    const isClose = ({ suspects }: Sighting): boolean => suspects.length > 0;
    const quiet = sightings.filter((sighting) => !isClose(sighting));
    const verdicts = await mapConcurrently(quiet, { limit: 8, work: (sighting) => judge(sighting, look, options) });
    const close = sightings.filter(isClose);
    for (let from = 0; from < close.length; from += closeLooks) {
      const part = close.slice(from, from + closeLooks);
      const bodies = look.only === undefined ? await listSuspects(look.reader, part, options) : bodiesSeen(part);
      const judgeClosely = async (sighting: Sighting): Promise<Verdict> => {
        const reader: ClusterReader = withBodies(await readers.of(sighting.state), bodies);
        return judge(sighting, { ...look, reader }, options);
      };
      verdicts.push(...(await mapConcurrently(part, { limit: closeLooks, work: judgeClosely })));
    }
    return verdicts;
  }
}

/** Whoever may write anywhere in a cluster may put anybody's label there: what its project does not allow is none of an application's. */
function withOwnOrphans(sighting: Sighting, projects: readonly Project[]): Sighting {
  const { definition } = sighting.state;
  const project = findProject({ projects }, projectOf(definition));
  if (sighting.orphans.length === 0 || project === undefined) return sighting;
  const { cluster } = definition;
  const isOwn = ({ ref }: DriftRow): boolean =>
    objectRefusal(project, { cluster, ref, namespaced: ref.namespace !== "" }) === undefined;
  return { ...sighting, orphans: sighting.orphans.filter(isOwn) };
}

/** Applications that have something of a kind which could not be listed, as they stand now, with the reason. */
export function unreadOf({ verdicts, refused }: Part): readonly { readonly state: ApplicationState; readonly reason: string }[] {
  return verdicts.flatMap(({ state, sighting, skipped }) => {
    const unread = skipped ? undefined : sighting.entries.find(({ ref }) => refused.has(kindKey(ref)));
    return unread === undefined ? [] : [{ state, reason: refused.get(kindKey(unread.ref)) ?? "" }];
  });
}
