import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type DriftlessError, isDriftlessError } from "../../lib/errors.ts";
import { createSources } from "../../lib/source/sources.ts";

function refusal(repository: string): DriftlessError {
  try {
    createSources().source(repository);
  } catch (error) {
    if (isDriftlessError(error, "config")) return error;
    throw error;
  }
  return assert.fail(`${repository} was accepted`);
}

describe("createSources", () => {
  it("ssh and other forms are refused with the form to use", () => {
    for (const repository of [
      "git@github.com:acme/shop.git",
      "ssh://git@github.com/acme/shop",
      "git://example.com/shop",
      "host:shop.git",
    ]) {
      assert.match(refusal(repository).message, /use https:\/\//, repository);
    }
  });

  it("plain http is for this machine only, unless it is allowed", () => {
    assert.match(refusal("http://git.example.com/shop").message, /plain http/);
    assert.match(refusal("http://127.0.0.1.example.com/shop").message, /plain http/);
    const sources = createSources({ allowInsecureHttp: true });
    for (const repository of [
      "http://git.example.com/shop",
      "http://127.0.0.1:1/shop",
      "http://localhost/shop",
      "http://[::1]:1/shop",
    ]) {
      assert.ok(sources.source(repository), repository);
    }
  });

  it("credentials in a URL are refused and not repeated", () => {
    for (const repository of [
      "https://user:canary@github.com/acme/shop",
      "https://canary@github.com/acme/shop",
      "https://github.com/acme/shop?token=canary",
      "ssh://user:canary@host/shop",
      "https://user:canary@bad host/shop",
    ]) {
      assert.doesNotMatch(refusal(repository).message, /canary/, repository);
    }
  });

  it("one repository has one source in a process", () => {
    const sources = createSources();
    assert.equal(sources.source("https://github.com/acme/shop"), sources.source("https://github.com/acme/shop"));
  });

  it("a folder that is no repository says so when it is read", async () => {
    const source = createSources().source("/nonexistent/shop");
    await assert.rejects(
      source.head("main"),
      (error) => isDriftlessError(error, "source") && /is not a Git repository/.test(error.message),
    );
  });
});
