/**
 * TLS on the SDK's engine, against good servers and wrong ones. With most of the wrong ones the SDK's own TLS socket
 * opens the connection, writes in the clear, or aborts the VM.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { BUILD, HeadlessRun, ROOT, build, buildHeadless, warnings } from "./harness";
import type { Line } from "./harness";
import { GET, prepare, servers } from "./tls-cases";
import type { Expected } from "./tls-cases";

let folder: string;
/** Whose sockets are below: the SDK's, or those of the chip over the fake lwIP (tests/esp32/tcp). */
const SOCKETS = ["SDK", "chip"] as const;
const results = new Map<string, readonly Line[]>();
let expected: readonly Expected[] = [];

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "xs-ota-moddable-"));
  const prepared = await prepare();
  expected = prepared.expected;
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
  const privateKey = prepared.client.key.replace(/-----[^-]+-----|\s/g, "");
  const cases = expected.map(({ title, port, host = "localhost", tls = "https", send = GET }) => ({
    title,
    port,
    host,
    tls,
    send,
  }));
  writeFileSync(
    join(folder, "cases.json"),
    JSON.stringify({
      roots: prepared.roots.map(({ der }) => base64(der)),
      certificate: base64(prepared.client.der),
      privateKey,
      cases,
    }),
  );
  const { path, output } = build(join(ROOT, "tests", "moddable", "tls"), BUILD);
  assert.deepEqual(warnings(output), []);
  const headless = buildHeadless(BUILD);
  for (const sockets of SOCKETS) {
    const run = new HeadlessRun(headless, path, { XS_OTA_SIM: folder, XS_OTA_SOCKETS: sockets });
    await run.line(({ done }) => done === true);
    await run.cut();
    results.set(sockets, run.lines);
  }
});

after(() => {
  servers.close();
  rmSync(folder, { recursive: true });
});

for (const sockets of SOCKETS)
  test(`good servers are accepted, and each wrong one is refused for its cause, over the sockets of the ${sockets}`, async (context) => {
    for (const each of expected) {
      await context.test(each.title, () => {
        const line = results.get(sockets)?.find(({ title }) => title === each.title);
        assert.ok(line !== undefined, "the app did not say how it went");
        each.check(line);
      });
    }
  });
