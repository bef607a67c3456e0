import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { suite, test } from "node:test";
import { type Dependency, goDependencies, licenceOf, npmDependencies } from "../../scripts/dependencies.ts";
import { licencePage, refusedLicences } from "../../scripts/licences.ts";
import { billOfMaterials, listedByNpm, type Spdx } from "../../scripts/sbom.ts";

const root = path.dirname(path.dirname(import.meta.dirname));
const [npm, go] = await Promise.all([npmDependencies(), goDependencies()]);

const aDependency = (licence: string): Dependency => ({ ecosystem: "npm", name: "left", version: "1.0.0", licence, folder: "" });

suite("what an installation runs", () => {
  test("has a licence that allows it, all of it", () => {
    assert.ok(npm.length > 50 && go.length > 50);
    assert.deepEqual(refusedLicences([...npm, ...go]), []);
  });

  test("stands in THIRD-PARTY-LICENCES.md: `npm run licences` writes it", () => {
    assert.equal(readFileSync(path.join(root, "THIRD-PARTY-LICENCES.md"), "utf8"), licencePage(npm, go));
  });

  test("is refused with a licence that is not on the list, or with none", () => {
    assert.deepEqual(refusedLicences(["MIT", "(MIT OR GPL-3.0)", "MIT AND ISC"].map(aDependency)), []);
    assert.deepEqual(refusedLicences(["", "GPL-3.0", "MIT AND GPL-3.0", "SSPL-1.0"].map(aDependency)), [
      "left 1.0.0: no licence was found",
      "left 1.0.0: GPL-3.0",
      "left 1.0.0: MIT AND GPL-3.0",
      "left 1.0.0: SSPL-1.0",
    ]);
  });

  test("a licence is known by its own words", () => {
    assert.equal(licenceOf("Apache License\n   Version 2.0, January 2004"), "Apache-2.0");
    assert.equal(licenceOf("GNU AFFERO GENERAL PUBLIC LICENSE\n   Version 3"), "GPL");
    const binary = "Redistributions in binary form must reproduce the above copyright notice.";
    assert.equal(licenceOf(binary), "BSD-2-Clause");
    assert.equal(licenceOf(`${binary} Neither the name of its holder`), "BSD-3-Clause");
    assert.equal(licenceOf("All rights reserved."), "");
  });
});

suite("the bill of materials", () => {
  const at = new Date("2026-11-21T10:00:00.500Z");
  let bill: Spdx;

  test("names every package and module once, and nothing that only development needs", async () => {
    bill = billOfMaterials(await listedByNpm(), { npm, go, at });
    const names = bill.packages.map(({ name, versionInfo }) => `${name}@${versionInfo}`);
    // A package of another platform is in the lock file and is not installed.
    const installed = npm.filter(({ name }) => !name.startsWith("node-linux-"));
    for (const { name, version } of [...installed, ...go]) assert.ok(names.includes(`${name}@${version}`), name);
    assert.ok(!names.some((name) => /^(?:typescript|fauxqs|osls|fast-check)@/.test(name)));
    assert.equal(new Set(bill.packages.map(({ SPDXID }) => SPDXID)).size, bill.packages.length);
  });

  test("is related without loose ends, and says how it was made", () => {
    const ids = new Set(["SPDXRef-DOCUMENT", ...bill.packages.map(({ SPDXID }) => SPDXID)]);
    for (const { spdxElementId, relatedSpdxElement } of bill.relationships)
      assert.ok(ids.has(spdxElementId) && ids.has(relatedSpdxElement), `${spdxElementId} ${relatedSpdxElement}`);
    assert.equal(bill.creationInfo.created, "2026-11-21T10:00:00Z");
    assert.match(bill.documentNamespace, /^http:\/\/spdx\.org\/spdxdocs\/driftless-0\.1\.0-[0-9a-f]{32}$/);
  });
});
