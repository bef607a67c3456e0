import assert from "node:assert/strict";
import { test } from "node:test";
import { isDriftlessError } from "../../../lib/errors.ts";
import { placeOf } from "../../../lib/source/charts/place.ts";

const chart = { repository: "https://charts.example/stable", name: "shop", version: "1.2.3" };
const hrefs = (place: object): object =>
  Object.fromEntries(Object.entries(place).map(([key, value]) => [key, value instanceof URL ? value.href : value]));

test("a repository is a folder on the web, or the charts below a path of a registry", () => {
  assert.deepEqual(hrefs(placeOf(chart)), { kind: "http", base: "https://charts.example/stable/" });
  assert.deepEqual(hrefs(placeOf({ ...chart, repository: "HTTPS://Charts.Example" })), {
    kind: "http",
    base: "https://charts.example/",
  });
  assert.deepEqual(hrefs(placeOf({ ...chart, repository: "oci://ghcr.io/acme/charts/", version: "1.2.3+b.1" })), {
    kind: "oci",
    registry: "https://ghcr.io/",
    repository: "acme/charts/shop",
    tag: "1.2.3_b.1",
  });
  assert.deepEqual(hrefs(placeOf({ ...chart, repository: "oci://registry.example:5000" })), {
    kind: "oci",
    registry: "https://registry.example:5000/",
    repository: "shop",
    tag: "1.2.3",
  });
});

test("Docker Hub is found by the name that people know", () => {
  const { registry } = hrefs(placeOf({ ...chart, repository: "oci://docker.io/acme" })) as { readonly registry: string };
  assert.equal(registry, "https://registry-1.docker.io/");
});

test("plain http is for this machine only, for registries too", () => {
  for (const host of ["localhost:5000", "127.0.0.1:5000", "[::1]:5000"]) {
    assert.equal(hrefs(placeOf({ ...chart, repository: `oci://${host}/x` }))["registry" as never], `http://${host}/`);
    assert.equal(hrefs(placeOf({ ...chart, repository: `http://${host}/x` }))["base" as never], `http://${host}/x/`);
  }
  assert.throws(
    () => placeOf({ ...chart, repository: "http://charts.example" }),
    /plain http is allowed to this machine only; use https:\/\//,
  );
});

test("exact versions only", () => {
  for (const version of ["1.2.3", "v1.2.3", "1.2", "7", "1.2.3-rc.1", "1.2.3+sha.5114f85", "0.0.0-20240101-x+y"])
    assert.equal(placeOf({ ...chart, version }).kind, "http");
  for (const version of [
    "^1.2.3",
    "~1.2",
    ">=1.0.0",
    ">1 <2",
    "1.x",
    "1.2.*",
    "*",
    "1.2.3 || 2.0.0",
    "1.0.0 - 2.0.0",
    "latest",
    "X",
  ])
    assert.throws(() => placeOf({ ...chart, version }), /a range of versions is not allowed; give an exact one, such as 1\.2\.3/);
  for (const version of ["main", "1.2.3/..", "1.2.3.4", "-1", `1.2.3-${"a".repeat(128)}`])
    assert.throws(() => placeOf({ ...chart, version }), /this is no version/);
  assert.throws(() => placeOf({ ...chart, version: "" }), /it has no version/);
});

for (const [what, changes, words] of [
  ["ssh", { repository: "ssh://charts.example/x" }, /has to be https:\/\/HOST\/PATH or oci:\/\/HOST\/PATH/],
  ["a file", { repository: "file:///charts" }, /has to be https/],
  ["a path", { repository: "charts/shop" }, /has to be https/],
  ["nothing", { repository: "" }, /has to be https/],
  ["no host", { repository: "https://" }, /is not a URL/],
  ["credentials", { repository: "https://ada:canary@charts.example/x" }, /credentials do not belong into the repository's URL/],
  ["a query", { repository: "https://charts.example/x?token=canary" }, /has no \? or # part/],
  ["a name with a path", { name: "../shop" }, /its name may have letters, digits, dots, dashes and underscores only/],
  ["an empty name", { name: "" }, /its name may have/],
  ["capitals in a registry", { repository: "oci://ghcr.io/Acme" }, /a registry knows no name like Acme\/shop/],
  ["odd separators in a registry", { repository: "oci://ghcr.io/a", name: "shop-.-x" }, /a registry knows no name like/],
  ["a way out of the registry's API", { repository: "oci://ghcr.io/a/%2e%2e/b" }, undefined],
] as const) {
  test(`a reference with ${what} names no place beyond its repository`, () => {
    if (words === undefined) return assert.equal(hrefs(placeOf({ ...chart, ...changes }))["repository" as never], "b/shop");
    return assert.throws(
      () => placeOf({ ...chart, ...changes }),
      (error: Error) => {
        assert.ok(isDriftlessError(error, "source"));
        assert.match(error.message, words);
        assert.doesNotMatch(`${error.message} ${JSON.stringify(error.facts)}`, /canary/);
        return true;
      },
    );
  });
}
