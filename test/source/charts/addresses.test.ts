import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { promisify } from "node:util";
import { checkPublicHost, isPublicAddress, publicLookup } from "../../../lib/source/charts/addresses.ts";
import { createWeb } from "../../../lib/source/charts/web.ts";
import { createHttpClient } from "../../../lib/source/http.ts";
import { systemClock as clock } from "../../../lib/telemetry/clock.ts";
import { failure } from "./support.ts";

test("C7: private, local, shared and reserved addresses are told from public ones, in every notation", () => {
  for (const address of [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "169.254.169.254",
    "172.31.255.255",
    "192.168.1.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:10.0.0.1",
    "::ffff:a9fe:a9fe",
    "64:ff9b::a00:1",
    "fd00:ec2::254",
    "fe80::1",
    "no address",
  ])
    assert.equal(isPublicAddress(address), false, address);
  for (const address of ["1.1.1.1", "172.32.0.1", "192.169.0.1", "2606:4700::1111", "::ffff:1.1.1.1"])
    assert.equal(isPublicAddress(address), true, address);
});

test("C7: a URL with a private address for a host is refused before anything is sent", () => {
  for (const host of ["169.254.169.254", "0x7f.1", "2130706433", "[::1]", "[fd00:ec2::254]", "[::ffff:10.0.0.1]"])
    assert.throws(
      () => checkPublicHost(new URL(`https://${host}/`)),
      /is in a private network; a chart repository may not send there/,
    );
  checkPublicHost(new URL("https://1.1.1.1/"));
  checkPublicHost(new URL("https://storage.example/"));
});

test("C7: a name that leads to a private address is refused when it is looked up, in both forms of the answer", async () => {
  const lookup = promisify(publicLookup);
  for (const all of [true, false]) await assert.rejects(lookup("localhost", { all }), /localhost is in a private network/);
});

test("C7: a public repository cannot send requests into the network, by address or by name", async () => {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { readonly port: number };
  const web = createWeb({ http: createHttpClient({ clock, timeoutMs: 5000 }), clock });
  const home = new URL("https://charts.example/");
  for (const host of ["localhost", "127.0.0.1", "[::ffff:127.0.0.1]"]) {
    const url = new URL(`https://${host}:${port}/shop.tgz`);
    const error = await failure(web.get({ url, home, limit: 10 }, {}));
    assert.match(error.message, /is in a private network/);
    assert.equal(error.retryable, false);
  }
  assert.equal(connections, 0);
  // Named by who runs the installation, it may be private.
  await failure(web.get({ url: new URL(`https://127.0.0.1:${port}/`), home, limit: 10, trusted: true }, {}));
  assert.equal(connections, 1);
  await new Promise((resolve) => server.close(resolve));
});
