import assert from "node:assert/strict";
import { after } from "node:test";
import { DriftlessError } from "../../lib/errors.ts";
import { noHelmOptions } from "../../lib/model/application-source.ts";
import type { Manifest } from "../../lib/model/resource.ts";
import type { Decryption } from "../../lib/render/decryption.ts";
import { createHelperRenderer } from "../../lib/render/helper-renderer.ts";
import type { Renderer } from "../../lib/render/renderer.ts";
import type { AgeKeyPair, Sops } from "../support/sops.ts";
import { helperBinary, renderFolder } from "./helper.ts";
import { memoryTree } from "./tree.ts";

/** A manifest to encrypt, and the object that it is. */
export const encryptedManifest = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\nstringData:\n  password: hunter2-canary\n";
export const encryptedObject = {
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name: "db" },
  stringData: { password: "hunter2-canary" },
};

/** Renders of a plain folder `app` with one file, by default `db.yaml`. */
export interface EncryptedRenders {
  readonly render: (text: string, decryption?: Decryption, file?: string) => Promise<readonly Manifest[]>;
  /** Fails unless the render is refused with this message, which holds no canary. */
  readonly refused: (text: string, message: string | RegExp, decryption?: Decryption, retryable?: boolean) => Promise<void>;
}

/** One helper for each set of keys, all ended when the tests of the calling file are through. */
export async function encryptedRenders(): Promise<EncryptedRenders> {
  const helper = await helperBinary();
  const noKeys: Decryption = {};
  const renderers = new Map<Decryption, Renderer>();
  after(async () => {
    for (const renderer of renderers.values()) await renderer.close();
  });
  const render: EncryptedRenders["render"] = async (text, decryption = noKeys, file = "db.yaml") => {
    const renderer = renderers.get(decryption) ?? createHelperRenderer({ helper, decryption });
    renderers.set(decryption, renderer);
    return (await renderFolder(renderer, { tree: memoryTree({ [`app/${file}`]: text }), path: "app" })).objects;
  };
  return {
    render,
    refused: (text, message, decryption, retryable = false) =>
      assert.rejects(render(text, decryption), (error: unknown) => {
        assert.ok(error instanceof DriftlessError);
        assert.deepEqual([error.code, error.retryable], ["render", retryable]);
        if (typeof message === "string") assert.equal(error.message, message);
        else assert.match(error.message, message);
        assert.doesNotMatch(error.message, /canary/);
        return true;
      }),
  };
}

export interface PlainFiles {
  readonly [file: string]: string | Uint8Array;
}

/** The files, with those of `secret` encrypted. */
export async function encryptFiles(
  plain: PlainFiles,
  { secret, sops, key }: { readonly secret: readonly string[]; readonly sops: Sops; readonly key: AgeKeyPair },
): Promise<{ readonly [file: string]: string | Uint8Array }> {
  const files: { [file: string]: string | Uint8Array } = { ...plain };
  for (const file of secret) {
    files[file] = await sops.encrypt(file, { content: plain[file] ?? "", args: ["--age", key.recipient] });
  }
  return files;
}

/** A chart of one Secret, in `app`. */
export const shopChart = {
  "app/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\n",
  "app/values.yaml": "user: shop\npassword: unset\n",
  "app/templates/db.yaml":
    'apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {user: {{ .Values.user }}, password: {{ .Values.password | quote }}, file: {{ .Files.Get "extra.txt" | quote }}}\n',
};

/** The version is stated, so that no cluster is asked. */
export const statedHelmOptions = { ...noHelmOptions, kubeVersion: "v1.35.0" };
