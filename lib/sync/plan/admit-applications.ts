import type { Application } from "../../model/application.ts";
import { gitSources } from "../../model/application-source.ts";
import { repositoryKey } from "../../model/repository.ts";
import type { StoredFile } from "../../store/store.ts";
import { fileKey, fileText, type TeamFile } from "./configuration-files.ts";

/** What a look at a team's file came to. */
export type FileLook =
  /** It is as it was. */
  | { readonly outcome: "same" }
  | {
      readonly outcome: "read";
      readonly applications: readonly Application[];
      readonly origin: Pick<StoredFile, "revision" | "oid" | "directories">;
    }
  /** It keeps what it gave; `directories` are those by which that may change. */
  | { readonly outcome: "failed"; readonly problem: string; readonly directories: StoredFile["directories"] };

export interface LookedFile {
  readonly file: TeamFile;
  readonly look: FileLook;
}

/** An application in force so far, and the file that gave it. */
interface Given {
  readonly application: Application;
  readonly file: StoredFile;
}

export interface AdmitRequest {
  /** Of the platform's own file, which comes before all others. */
  readonly platform: readonly Application[];
  /** All that projects name now, in their order. */
  readonly looked: readonly LookedFile[];
  /** What was in force. */
  readonly before: { readonly files: readonly StoredFile[]; readonly applications: readonly Application[] };
}

export interface Admitted {
  readonly files: readonly StoredFile[];
  /** Without the platform's own. */
  readonly applications: readonly Application[];
}

/**
 * Which applications of the teams' files are in force. Names are unique over all files: the platform's own come first, and then
 * who has a name keeps it; of two that come at once the first in the order of files gets it. A file that states a name
 * of another one keeps all that it gave, since a rename that went wrong must not delete anything.
 *
 * A file that was never read yet may hold what left another one with the same change, so until it can be read it stands for it:
 *
 *     platform   shop's file moves to deploy/apps.yaml           (and there is no such file: a slip)
 *     before     apps.yaml gives web, api
 *     after      deploy/apps.yaml gives web, api, and the problem that it is not there
 */
export function admitApplications({ platform, looked, before }: AdmitRequest): Admitted {
  const reserved = new Set(platform.map(({ name }) => name));
  const byName = new Map(before.applications.map((application) => [application.name, application]));
  const known = new Map(before.files.filter(({ project }) => project !== "").map((file) => [fileKey(file), file]));
  const given = (key: string): readonly Application[] =>
    (known.get(key)?.applications ?? []).flatMap((name) => (reserved.has(name) ? [] : (byName.get(name) ?? [])));
  const wasRead = (key: string): boolean => (known.get(key)?.oid ?? "") !== "";

  const keys = looked.map(({ file }) => fileKey(file));
  const inForce = new Map(keys.flatMap((key) => (wasRead(key) ? [[key, given(key)] as const] : [])));
  const offers = new Map(looked.flatMap((each) => offerOf(each, known.get(fileKey(each.file)))));
  const refused = settle({ offers, inForce, reserved });

  const taken = new Set([...reserved, ...[...inForce.values()].flat().map(({ name }) => name)]);
  const leaving = leavingOf({ listed: new Set(keys), before, byName });
  for (const { file } of looked) {
    const key = fileKey(file);
    if (inForce.has(key)) continue;
    const may = [...given(key), ...leaving.filter((left) => mayHold(file, left)).map(({ application }) => application)];
    const inherited = may.filter(({ name }) => !taken.has(name) && taken.add(name));
    inForce.set(key, inherited);
  }

  const texts = new Map(looked.map(({ file }) => [fileKey(file), fileText(file)]));
  const files = looked.map((each): StoredFile => {
    const key = fileKey(each.file);
    const stored = storedFile(each, known.get(key), inForce.get(key) ?? []);
    const clash = refused.get(key);
    if (clash === undefined) return offers.has(key) ? { ...stored, problem: "" } : stored;
    const unread = wasRead(key) ? {} : { revision: "", oid: "" };
    return { ...stored, ...unread, waiting: offers.get(key) ?? [], problem: clashText(clash, texts) };
  });
  return { files, applications: keys.flatMap((key) => inForce.get(key) ?? []) };
}

/** Applications of files that are not listed any more, and of the platform's own. */
function leavingOf({
  listed,
  before,
  byName,
}: {
  readonly listed: ReadonlySet<string>;
  readonly before: AdmitRequest["before"];
  readonly byName: ReadonlyMap<string, Application>;
}): readonly Given[] {
  const gone = before.files.filter((file) => file.project === "" || !listed.has(fileKey(file)));
  return gone.flatMap((file) =>
    file.applications.flatMap((name) => {
      const application = byName.get(name);
      return application === undefined ? [] : [{ application, file }];
    }),
  );
}

/** True for what was in the file's project, or came from its repository. */
function mayHold({ project, repository }: TeamFile, { application, file }: Given): boolean {
  const places = [file, ...gitSources(application.sources)];
  const key = repositoryKey(repository);
  return application.project === project || places.some((place) => repositoryKey(place.repository) === key);
}

function offerOf({ file, look }: LookedFile, stored: StoredFile | undefined): (readonly [string, readonly Application[]])[] {
  if (look.outcome === "read") return [[fileKey(file), look.applications]];
  return look.outcome === "same" && stored?.waiting !== undefined ? [[fileKey(file), stored.waiting]] : [];
}

/** A name, and the file that has it; "" for the platform's own. */
interface Clash {
  readonly name: string;
  readonly owner: string;
}

/** Lets in what has no name of another, again and again, since what one file gives up another may take; returns what stays out. */
function settle({
  offers,
  inForce,
  reserved,
}: {
  readonly offers: ReadonlyMap<string, readonly Application[]>;
  readonly inForce: Map<string, readonly Application[]>;
  readonly reserved: ReadonlySet<string>;
}): ReadonlyMap<string, Clash> {
  const open = new Map(offers);
  const owners = new Map([...inForce].flatMap(([key, applications]) => applications.map(({ name }) => [name, key] as const)));
  const clashOf = (key: string, offered: readonly Application[]): Clash | undefined => {
    for (const { name } of offered) {
      const owner = reserved.has(name) ? "" : owners.get(name);
      if (owner !== undefined && owner !== key) return { name, owner };
    }
    return undefined;
  };
  for (let isMoving = true; isMoving; ) {
    isMoving = false;
    for (const [key, offered] of open) {
      if (clashOf(key, offered) !== undefined) continue;
      for (const { name } of inForce.get(key) ?? []) owners.delete(name);
      for (const { name } of offered) owners.set(name, key);
      inForce.set(key, offered);
      open.delete(key);
      isMoving = true;
    }
  }
  return new Map([...open].flatMap(([key, offered]) => (clashOf(key, offered) ? [[key, clashOf(key, offered) as Clash]] : [])));
}

function clashText({ name, owner }: Clash, texts: ReadonlyMap<string, string>): string {
  const other = owner === "" ? "the platform's own configuration" : (texts.get(owner) ?? owner);
  return `application ${name} is in ${other} already, and names are unique over all files: give it another name; until then the file gives what it gave before`;
}

function storedFile({ file, look }: LookedFile, known: StoredFile | undefined, inForce: readonly Application[]): StoredFile {
  const { repository, targetRevision, path, project } = file;
  const place = { project, repository, targetRevision, path, applications: inForce.map(({ name }) => name) };
  const unread = { revision: "", oid: "", directories: [], problem: "" };
  switch (look.outcome) {
    case "same": {
      const { revision, oid, directories, problem } = known ?? unread;
      return { ...place, revision, oid, directories, problem };
    }
    case "read":
      return { ...place, ...look.origin, problem: "" };
    case "failed": {
      const { revision, oid } = known ?? unread;
      return { ...place, revision, oid, directories: look.directories, problem: look.problem };
    }
    default:
      return look satisfies never;
  }
}
