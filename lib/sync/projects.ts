import { defaultProject, type Project } from "../model/project.ts";

/** The project that an application or a batch is in; rows of older versions name none. */
export function projectOf({ project = defaultProject }: { readonly project?: string }): string {
  return project;
}

/** What a row says of its project. */
export function projectNote(of: { readonly project?: string }): { readonly project?: string } {
  const project = projectOf(of);
  return project === defaultProject ? {} : { project };
}

/** The projects of a stored configuration; one of an older version states none. */
export function projectsOf(configuration: { readonly projects?: readonly Project[] } | undefined): readonly Project[] {
  return configuration?.projects ?? [];
}
