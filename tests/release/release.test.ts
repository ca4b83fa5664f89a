/** What is handed out is the same each time, says nothing of where it was made, and is made of pinned packages. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { homedir, hostname } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { SUMS, release } from "../../scripts/release";
import { temporaryFolder } from "../kit/folder";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

test("two releases are the same byte for byte, with true sums, and name no folder of this machine", async (t) => {
  const folders = [join(temporaryFolder(t), "first"), join(temporaryFolder(t), "second")] as const;
  for (const folder of folders) await release(folder);
  const names = readdirSync(folders[0]).sort();
  assert.deepEqual(readdirSync(folders[1]).sort(), names);
  const sums = readFileSync(join(folders[0], SUMS), "utf8").trimEnd().split("\n");
  assert.deepEqual(
    sums.map((line) => line.split("  ")[1]),
    names.filter((name) => name !== SUMS),
  );
  for (const name of names) {
    const bytes = readFileSync(join(folders[0], name));
    assert.ok(bytes.equals(readFileSync(join(folders[1], name))), name);
    if (name !== SUMS) assert.ok(sums.includes(`${createHash("sha256").update(bytes).digest("hex")}  ${name}`), name);
    const content = (name.endsWith(".tgz") ? gunzipSync(bytes) : bytes).toString("latin1");
    for (const place of [
      ROOT,
      homedir() === "/" ? undefined : `${homedir()}/`,
      hostname().length > 5 ? hostname() : undefined,
    ]) {
      assert.ok(place === undefined || !content.includes(place), `${name} names ${place}`);
    }
  }
});

test("the archive holds what a manifest includes, and nothing of the host side", async (t) => {
  const folder = join(temporaryFolder(t), "release");
  await release(folder);
  const archive = readdirSync(folder).find((name) => name.endsWith(".tgz"))!;
  const names = namesIn(gunzipSync(readFileSync(join(folder, archive))));
  for (const name of [
    "manifest.json",
    "src/manifest.json",
    "src/index.ts",
    "src/ports.ts",
    "hal/esp32/ota.c",
    "src/vendor/mqtt-packet.js",
    "firmware/main.ts",
    "docs/SPEC.md",
    "LICENSE",
  ]) {
    assert.ok(names.includes(`package/${name}`), name);
  }
  assert.deepEqual(
    names.filter((name) => /^package\/(host-sim|tests|scripts|node_modules|bench)\//.test(name)),
    [],
  );
});

/** Of a tar archive: 100 bytes of name at the start of each header (POSIX ustar), the file's length in octal at 124. */
function namesIn(tar: Buffer): string[] {
  const names: string[] = [];
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0;) {
    const text = (from: number, length: number): string =>
      tar.toString("latin1", at + from, at + from + length).replace(/\0.*$/s, "");
    const prefix = text(345, 155);
    names.push(prefix === "" ? text(0, 100) : `${prefix}/${text(0, 100)}`);
    at += 512 + Math.ceil(parseInt(text(124, 12), 8) / 512) * 512;
  }
  return names;
}

interface Lock {
  readonly packages: Readonly<
    Record<
      string,
      {
        readonly version: string;
        readonly resolved?: string;
        readonly integrity?: string;
        readonly hasInstallScript?: boolean;
        /** A package of this repository. */
        readonly link?: boolean;
      }
    >
  >;
}

test("every package is pinned: exact versions, each with its digest, none with a script at installation", () => {
  const { dependencies, devDependencies, allowScripts } = JSON.parse(
    readFileSync(join(ROOT, "package.json"), "utf8"),
  ) as Record<string, Record<string, unknown>>;
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies }))
    assert.match(String(version), /^\d+\.\d+\.\d+$/, name);
  const { packages } = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")) as Lock;
  for (const [name, { resolved, integrity, hasInstallScript, link }] of Object.entries(packages)) {
    // The project itself, and its own package with the `xs-ota` command, which npm links.
    if (name === "" || name === "host-sim/bin" || link === true) continue;
    // From no other place than a registry; the digest says what.
    if (resolved !== undefined) assert.match(resolved, /^https:\/\/registry\.npmjs\.org\//, name);
    assert.match(integrity ?? "", /^sha512-/, name);
    // None runs a script of its own at installation.
    if (hasInstallScript === true)
      assert.ok(
        name === "node_modules/fsevents" || allowScripts?.[name.replace(/^.*node_modules\//, "")] === false,
        `${name} wants to run a script`,
      );
  }
});
