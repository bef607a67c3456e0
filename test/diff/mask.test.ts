import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { maskError, maskSecrets } from "../../lib/diff/mask.ts";
import { stringifyJson } from "../../lib/model/json.ts";
import type { ResourceRef } from "../../lib/model/resource.ts";

const secret: ResourceRef = { group: "", version: "v1", kind: "Secret", namespace: "shop", name: "db" };
const configMap: ResourceRef = { ...secret, kind: "ConfigMap" };
const lastApplied = 'metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"]';

describe("maskSecrets", () => {
  it("hides every value of a Secret, and still tells which side changed", () => {
    assert.deepEqual(
      maskSecrets(secret, [
        { path: "data.password", desired: "aHVudGVyMg==", live: "aHVudGVyMw==" },
        { path: 'data["tls.crt"]', desired: "QQ==" },
        { path: "stringData.user", live: "root" },
        { path: "type", desired: "Opaque", live: "kubernetes.io/tls" },
      ]),
      [
        { path: "data.password", desired: "[secret]", live: "[secret, changed]" },
        { path: 'data["tls.crt"]', desired: "[secret]" },
        { path: "stringData.user", live: "[secret]" },
        { path: "type", desired: "Opaque", live: "kubernetes.io/tls" },
      ],
    );
  });

  it("hides value by value where a row holds all data, or the whole object", () => {
    assert.deepEqual(maskSecrets(secret, [{ path: "data", desired: { a: "QQ==", b: "Qg==" }, live: { a: "QQ==", b: "Qw==" } }]), [
      { path: "data", desired: { a: "[secret]", b: "[secret]" }, live: { a: "[secret]", b: "[secret, changed]" } },
    ]);
    assert.deepEqual(maskSecrets(secret, [{ path: "", live: { kind: "Secret", data: { a: "QQ==" }, stringData: { b: "x" } } }]), [
      { path: "", live: { kind: "Secret", data: { a: "[secret]" }, stringData: { b: "[secret]" } } },
    ]);
  });

  it("hides kubectl's last-applied annotation of any kind, and no other value of a ConfigMap", () => {
    const rows = [
      { path: lastApplied, live: '{"data":{"a":"1"}}' },
      { path: "metadata.annotations", live: { "kubectl.kubernetes.io/last-applied-configuration": "{}", note: "x" } },
      { path: "data.a", desired: "1", live: "2" },
    ];
    assert.deepEqual(maskSecrets(configMap, rows), [
      { path: lastApplied, live: "[secret]" },
      { path: "metadata.annotations", live: { "kubectl.kubernetes.io/last-applied-configuration": "[secret]", note: "x" } },
      { path: "data.a", desired: "1", live: "2" },
    ]);
  });

  it("does not take a custom resource named Secret for one, nor a field whose name only begins like data", () => {
    const other = { ...secret, group: "vault.example.com" };
    assert.deepEqual(maskSecrets(other, [{ path: "data.a", desired: "1" }]), [{ path: "data.a", desired: "1" }]);
    assert.deepEqual(maskSecrets(secret, [{ path: "dataVersion", desired: "1" }]), [{ path: "dataVersion", desired: "1" }]);
  });

  it("keeps the other members of a row", () => {
    assert.deepEqual(maskSecrets(secret, [{ path: "data.a", desired: "1", manager: "kubectl" }]), [
      { path: "data.a", desired: "[secret]", manager: "kubectl" },
    ]);
  });

  it("lets no byte of a secret value through, on either side", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Z]{8,20}$/), fc.stringMatching(/^[A-Z]{8,20}$/), (desired, live) => {
        const rows = maskSecrets(secret, [
          { path: "data.a", desired, live },
          { path: "stringData", desired: { a: desired, b: [desired] }, live: { a: live } },
          { path: lastApplied, desired, live },
        ]);
        const text = stringifyJson(rows);
        assert.ok(!text.includes(desired) && !text.includes(live));
      }),
    );
  });
});

describe("maskError", () => {
  const cases: readonly (readonly [string, string])[] = [
    [
      "failed to create typed patch object (shop/db; /v1, Kind=Secret): .stringData.password: expected string, got &value.valueUnstructured{Value:12345678}",
      "failed to create typed patch object (shop/db; /v1, Kind=Secret): .stringData.password: expected string, got [secret]",
    ],
    [
      'Secret "db" is invalid: data[key]: Invalid value: "hunter2": too short',
      'Secret "db" is invalid: data[key]: Invalid value: "[secret]": too short',
    ],
    ['Secret "db" is invalid: type: Invalid value: 1234: immutable', 'Secret "db" is invalid: type: Invalid value: [secret]'],
    ["illegal base64 data at input byte 4", "illegal base64 data at input byte 4"],
    ["yaml: cannot unmarshal !!str `hunter2` into int", 'yaml: cannot unmarshal !!str "[secret]" into int'],
    [
      "json: cannot unmarshal number 4321 into Go struct field Secret.data of type []uint8",
      "json: cannot unmarshal number [secret] into Go struct field Secret.data of type []uint8",
    ],
    ['strict decoding error: unknown field "dta.password"', 'strict decoding error: unknown field "dta.password"'],
    ['secrets "db" is forbidden: can\'t be changed', 'secrets "db" is forbidden: can\'t be changed'],
    ['parsing "hunter2 and it never ends', 'parsing "[secret]"'],
    ["parsing 'it\\'s hunter2' failed", 'parsing "[secret]" failed'],
  ];
  for (const [message, masked] of cases) {
    it(`says of a Secret only: ${masked}`, () => assert.equal(maskError(secret, message), masked));
  }

  it("leaves the texts of other kinds as they are", () => {
    assert.equal(maskError(configMap, 'Invalid value: "x"'), 'Invalid value: "x"');
  });

  it("lets no value through in any of the forms in which the server quotes it", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[\w "'`{}:,\\]*CANARY[\w "'`{}:,\\]*$/), (value) => {
        const forms = [
          `.data.a: expected string, got &value.valueUnstructured{Value:${value}}`,
          `Secret "db" is invalid: data[a]: Invalid value: ${JSON.stringify(value)}: must be short`,
          `.data.a: unsupported value: ${JSON.stringify(value)}`,
        ];
        for (const form of forms) assert.ok(!maskError(secret, form).includes("CANARY"), maskError(secret, form));
      }),
    );
  });
});
