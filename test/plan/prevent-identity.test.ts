import assert from "node:assert/strict";
import { test } from "node:test";
import type { Project } from "../../lib/model/project.ts";
import { projectIdentities, writerIdentities } from "../../lib/plan/prevent-identity.ts";
import { openProject } from "../../lib/projects/find.ts";

const aProject = (change: Partial<Project>): Project => ({ ...openProject, ...change });
const role = (cluster: string, name: string) => ({
  cluster,
  arn: `arn:aws:iam::111122223333:role/teams/${name}`,
  externalId: "",
});

const projects = [
  aProject({ name: "team-a", identity: "impersonate", destinations: [{ cluster: "eu-*", namespace: "a" }] }),
  aProject({ name: "team-b", identity: "role", roles: [role("us-1", "b-us"), role("*", "b")] }),
  aProject({ name: "team-c", identity: "impersonate", destinations: [{ cluster: "us-1", namespace: "c" }] }),
  aProject({ name: "team-d", identity: "installation" }),
  aProject({ name: "team-e", identity: "role", roles: [] }),
];

test("projects come to a cluster that is one of their destinations, as their users or by their roles", () => {
  assert.deepEqual(projectIdentities(projects, "eu-1"), {
    usernames: ["driftless:team-a"],
    roles: ["arn:aws:iam::111122223333:role/teams/b"],
  });
  assert.deepEqual(projectIdentities(projects, "us-1"), {
    usernames: ["driftless:team-c"],
    roles: ["arn:aws:iam::111122223333:role/teams/b-us"],
  });
});

const ofTeams = projectIdentities(projects, "eu-1");
const sync = "arn:aws:iam::111122223333:role/driftless/sync";

test("on EKS the roles of projects are known as Driftless' own are, and users of impersonation by name", () => {
  const self = { username: "sweep", extra: { canonicalArn: ["arn:aws:iam::111122223333:role/sweep"] } };
  assert.deepEqual(writerIdentities({ self, roles: [sync], projects: ofTeams }), [
    { by: "canonicalArn", arn: "arn:aws:iam::111122223333:role/sync" },
    { by: "canonicalArn", arn: "arn:aws:iam::111122223333:role/b" },
    { by: "username", username: "driftless:team-a" },
  ]);
});

test("a cluster that names sessions of roles alone lets through the sessions of projects' roles", () => {
  const self = { username: "arn:aws:sts::111122223333:assumed-role/sweep/1", extra: {} };
  assert.deepEqual(writerIdentities({ self, roles: [sync], projects: ofTeams }), [
    { by: "role", prefix: "arn:aws:sts::111122223333:assumed-role/sync/" },
    { by: "role", prefix: "arn:aws:sts::111122223333:assumed-role/b/" },
    { by: "username", username: "driftless:team-a" },
  ]);
});

test("another cluster knows no roles, and lets through the users of its projects", () => {
  const self = { username: "driftless", extra: {} };
  assert.deepEqual(writerIdentities({ self, roles: [], projects: ofTeams }), [
    { by: "username", username: "driftless" },
    { by: "username", username: "driftless:team-a" },
  ]);
});
