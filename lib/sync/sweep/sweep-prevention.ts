import { createPrevention, type PreventionDeps, type PreventionWish } from "../../apply/prevention.ts";
import type { ListVisitor, PartialObject } from "../../cluster/cluster.ts";
import type { CallOptions } from "../../model/call.ts";
import { isJsonObject, type JsonValue } from "../../model/json.ts";
import { defaultPrevention } from "../../model/prevention.ts";
import { applicationLabel, type GroupVersionKind, gvkOf, type ObjectMeta } from "../../model/resource.ts";
import type { ApplicationState } from "../../model/sync.ts";
import { ourEntry } from "../../ownership/entries.ts";
import { driftAnnotation } from "../../plan/drift-options.ts";
import { projectIdentities } from "../../plan/prevent-identity.ts";
import { placeOf } from "../../plan/prevent-policy.ts";
import type { Stores } from "../../store/store.ts";
import { projectsOf } from "../projects.ts";

export interface SweepPreventionDeps extends Omit<PreventionDeps, "stores"> {
  readonly stores: PreventionDeps["stores"] & Pick<Stores, "configuration">;
}

export interface PreventionScope {
  readonly cluster: string;
  readonly states: readonly ApplicationState[];
}

/** One sweep's look at one cluster for what is to be prevented there. */
export interface PreventionLook {
  /** The same visitors, at which this look sees every live object with our label. */
  along(visitorOf: (kind: GroupVersionKind) => ListVisitor): (kind: GroupVersionKind) => ListVisitor;
  /** Brings the cluster's policies to what was seen and stated; asks nothing where nothing is wanted and nothing installed. */
  settle(options: CallOptions): Promise<{ readonly errors: readonly string[] }>;
}

export interface SweepPrevention {
  look(scope: PreventionScope): PreventionLook;
  /** Removes the policies from all clusters but these: no application is left in them. */
  leaveOthers(clusters: Iterable<string>, options: CallOptions): Promise<void>;
}

/** Which applications and objects of a cluster ask for prevention: by `drift: prevent`, or by the annotation that Git puts on them. */
export function createSweepPrevention(deps: SweepPreventionDeps): SweepPrevention {
  const { stores } = deps;
  const prevent = createPrevention(deps);

  return {
    look: (scope) => lookAt(scope),
    async leaveOthers(clusters, options) {
      const known = new Set(clusters);
      const left = (await stores.prevention.list(options)).filter(({ cluster }) => !known.has(cluster));
      for (const { cluster } of left) await lookAt({ cluster, states: [] }).settle(options);
    },
  };

  function lookAt({ cluster, states }: PreventionScope): PreventionLook {
    // Nobody states the objects of a removed application any more.
    const stated = new Map(states.filter(({ removed }) => !removed).map((state) => [state.application, state.definition]));
    const wholes = new Set([...stated].filter(([, { drift }]) => drift === "prevent").map(([name]) => name));
    const singles = new Set<string>();
    const objects = new Map<string, Names>();

    function see(object: PartialObject): void {
      const { labels, namespace = "", name } = object.metadata;
      const application = labels?.[applicationLabel] ?? "";
      // Others have the label as a copy: an EndpointSlice has the labels of its Service.
      if (!stated.has(application) || ourEntry(object.metadata) === undefined) return;
      const asked = askedOf(object.metadata);
      if (asked === "prevent" && !wholes.has(application)) singles.add(application);
      if (asked !== "prevent" && (otherPolicies.has(asked) || !wholes.has(application))) return;
      const key = `${application} ${object.apiVersion}/${object.kind}`;
      const known = objects.get(key) ?? { kind: gvkOf(object), application, names: new Set() };
      known.names.add(`${namespace}/${name}`);
      objects.set(key, known);
    }

    return {
      along: (visitorOf) => (kind) => {
        const visitor = visitorOf(kind);
        return {
          begin: () => visitor.begin(),
          page(page) {
            visitor.page(page);
            for (const object of page) see(object);
          },
        };
      },
      async settle(options) {
        const applications = [...stated].flatMap(([name, definition]) => {
          const whole = wholes.has(name);
          return whole || singles.has(name) ? [{ name, place: placeOf(definition), whole }] : [];
        });
        const wish = applications.length === 0 ? { settings: defaultPrevention } : await statedFor(cluster, options);
        const prevented = [...objects.values()].map((one) => ({ ...one, names: [...one.names] }));
        const { error } = await prevent({ cluster, applications, objects: prevented, ...wish }, options);
        return { errors: error === "" ? [] : [error] };
      },
    };
  }

  async function statedFor(cluster: string, options: CallOptions): Promise<Stated> {
    const stored = await stores.configuration.load(options);
    const definition = stored?.configuration.clusters.find(({ name }) => name === cluster);
    const role = definition?.kind === "eks" ? (definition.role ?? "") : "";
    return {
      settings: definition?.prevent ?? defaultPrevention,
      projects: projectIdentities(projectsOf(stored?.configuration), cluster),
      ...(role === "" ? {} : { role }),
    };
  }
}

type Stated = Pick<PreventionWish, "settings" | "projects" | "role">;

interface Names {
  readonly kind: GroupVersionKind;
  readonly application: string;
  readonly names: Set<string>;
}

const otherPolicies: ReadonlySet<string> = new Set(["heal", "report", "ignore"]);

/** What the object's annotation states; "" for none, and for one that we did not apply: what somebody puts on the live object does not count. */
function askedOf(metadata: ObjectMeta): string {
  const stated = metadata.annotations?.[driftAnnotation];
  if (stated === undefined) return "";
  let field: JsonValue | undefined = ourEntry(metadata)?.fieldsV1;
  for (const step of ["f:metadata", "f:annotations", `f:${driftAnnotation}`])
    field = isJsonObject(field) ? field[step] : undefined;
  return field === undefined ? "" : stated;
}
