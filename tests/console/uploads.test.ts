import assert from "node:assert/strict";
import { watch } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { request as send } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { PACKAGE_MAX } from "../../host-sim/cloud/core/files/package-writer";
import { firmware } from "../cloud/helpers";
import { call, ok, raw, withHost } from "./helpers";

test("names of packages are texts for people and no paths", async () => {
  const folder = await mkdtemp(join(tmpdir(), "xs-ota-api-"));
  try {
    const state = join(folder, "inner", "state");
    await withHost(
      async (host) => {
        const evil = [
          "../../escape.bin",
          "/etc/passwd",
          "..\\..\\x",
          "a\0b",
          "%2e%2e%2fx",
          "<img src=x onerror=alert(1)>",
        ];
        for (const [index, name] of evil.entries()) {
          const query = new URLSearchParams({ name, version: `1.0.${index}` }).toString();
          const { id } = await ok<{ id: string }>(host, `/packages?${query}`, {
            method: "POST",
            body: firmware(1_000 + index),
          });
          assert.match(id, /^[0-9a-f]{16}$/);
        }
        for (const version of ["../1", "a/b", "a\\b", "a\nb", ""]) {
          const query = new URLSearchParams({ version }).toString();
          const { status } = await call(host, `/packages?${query}`, { method: "POST", body: firmware(999) });
          assert.ok(status === 400 || status === 422, JSON.stringify(version));
        }
        for (const id of ["..%2f..%2fcloud.db", "..%2fcloud", "%2e%2e", "....", "cloud.db"]) {
          for (const method of ["GET", "DELETE"])
            assert.equal((await call(host, `/packages/${id}`, { method })).status, 404, id);
        }
        for (const path of [
          "/console/../cloud.db",
          "/console/..%2f..%2fpackage.json",
          "/console//etc/passwd",
          "/console/main.tsx",
        ]) {
          assert.equal((await raw(host.cloud.httpPort, path)).status, 404, path);
        }
        const files = await readdir(join(state, "packages"));
        assert.ok(
          files.every((file) => /^[0-9a-f]{16}\.(bin|json)$/.test(file)),
          files.join(),
        );
        assert.deepEqual(await readdir(folder), ["inner"]);
        assert.deepEqual(await readdir(join(folder, "inner")), ["state"]);
      },
      { cloud: { state } },
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

/**
 * Sends the head of a POST alone: a body that is written while the server refuses it can break the connection before
 * the answer is read.
 */
function statusOfHead(port: number, path: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = send({ port, path: `/cloud/v1${path}`, method: "POST", headers }, (response) => {
      resolve(response.statusCode ?? 0);
      sent.destroy();
    });
    sent.on("error", reject);
    sent.flushHeaders();
  });
}

/** Resolves when the names in a folder fit. */
async function folderHas(folder: string, fits: (names: readonly string[]) => boolean): Promise<void> {
  let changed = (): void => undefined;
  const watcher = watch(folder, () => changed());
  for (;;) {
    const change = new Promise<void>((resolve) => (changed = resolve));
    if (fits(await readdir(folder))) break;
    await change;
  }
  watcher.close();
}

test("uploads stream to disk, are bounded, and leave nothing behind when they break off", async () => {
  const state = await mkdtemp(join(tmpdir(), "xs-ota-api-"));
  try {
    await withHost(
      async (host) => {
        const { httpPort } = host.cloud;
        const announced = {
          authorization: `Bearer ${host.apiToken}`,
          "content-type": "application/octet-stream",
          "content-length": String(70 << 20),
        };
        const tooLong = await statusOfHead(httpPort, "/packages?version=1", announced);
        assert.equal(tooLong, 413, "by what is announced, before a byte is taken");

        const chunked = await new Promise<number>((resolve, reject) => {
          const headers = { authorization: `Bearer ${host.apiToken}`, "content-type": "application/octet-stream" };
          const sent = send(
            { port: httpPort, path: "/cloud/v1/packages?version=1", method: "POST", headers },
            (response) => {
              resolve(response.statusCode ?? 0);
              sent.destroy();
            },
          );
          sent.on("error", reject);
          // One byte too many, and no more: a write after the answer can fail before the answer is read.
          sent.write(Buffer.alloc(PACKAGE_MAX, 7));
          sent.write(Buffer.alloc(1));
        });
        assert.equal(chunked, 413, "by what has come, where nothing is announced");

        const cut = send({
          port: httpPort,
          path: "/cloud/v1/packages?version=1",
          method: "POST",
          headers: { ...announced, "content-length": "100000" },
        });
        cut.on("error", () => undefined);
        await new Promise<void>((resolve) => cut.write(Buffer.alloc(50_000), () => resolve()));
        const packages = join(state, "packages");
        await folderHas(packages, (names) => names.some((name) => name.endsWith(".upload")));
        cut.destroy();
        await folderHas(packages, (names) => names.length === 0);
        const { items } = await ok<{ items: unknown[] }>(host, "/packages");
        assert.deepEqual(items, []);
        const bigJson = { ...announced, "content-type": "application/json", "content-length": String(3 << 20) };
        assert.equal(await statusOfHead(httpPort, "/devices", bigJson), 413);
      },
      { cloud: { state } },
    );
  } finally {
    await rm(state, { recursive: true, force: true });
  }
});
