/**
 * `npm run release`: the files that are handed out, into build/release, with their SHA-256 sums in SHA256SUMS. The same
 * sources give the same bytes, wherever and whenever they are built: scripts/reproducible.mjs shows it.
 *
 *   xs-ota-VERSION.tgz         sources of the agent and its ports: unpacked, a manifest can include it without npm
 *   xs-ota-board-VERSION.bin   firmware of the simulated board
 *   xs-ota-VERSION.cdx.json    what the firmware of a chip is made of (SBOM, CycloneDX)
 *
 *     node --import tsx scripts/release.ts [folder]
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";
import { sampleImage } from "../host-sim/board/firmware/sample-image";
import { sbom } from "./sbom";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
export const SUMS = "SHA256SUMS";

/** Writes everything into `folder`, which is emptied first. Returns the lines of SHA256SUMS. */
export async function release(folder: string): Promise<string[]> {
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { readonly version: string };
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `xs-ota-board-${version}.bin`), await sampleImage(version));
  writeFileSync(join(folder, `xs-ota-${version}.cdx.json`), sbom(ROOT, version));
  pack(folder);
  const sums = readdirSync(folder)
    .sort()
    .map(
      (name) =>
        `${createHash("sha256")
          .update(readFileSync(join(folder, name)))
          .digest("hex")}  ${name}`,
    );
  writeFileSync(join(folder, SUMS), `${sums.join("\n")}\n`);
  return sums;
}

/**
 * npm leaves times and owners out of the archive, and sorts; the modes that git's umask gave to the files are left to
 * us.
 */
function pack(folder: string): void {
  const { status, stderr, error } = spawnSync(
    "npm",
    ["pack", "--ignore-scripts", "--silent", "--pack-destination", folder],
    { cwd: ROOT, encoding: "utf8", shell: process.platform === "win32" },
  );
  if (status !== 0) throw new Error(`npm pack failed: ${error?.message ?? stderr.trim()}`);
  const path = join(
    folder,
    readdirSync(folder).find((name) => name.endsWith(".tgz"))!,
  );
  const zipped = gzipSync(withPlainModes(gunzipSync(readFileSync(path))), { level: 9 });
  // The operating system that it was made on (RFC 1952, section 2.3.1): unknown.
  zipped[9] = 255;
  writeFileSync(path, zipped);
}

/**
 * A tar archive (POSIX ustar) with every entry readable by all and written by its owner: mode at 100, length at 124,
 * checksum at 148.
 */
function withPlainModes(tar: Buffer): Buffer {
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0;) {
    const header = tar.subarray(at, at + 512);
    header.write("000644 \0", 100, "latin1");
    header.fill(" ", 148, 156);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
    at += 512 + Math.ceil(parseInt(header.toString("latin1", 124, 136), 8) / 512) * 512;
  }
  return tar;
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const folder = resolve(process.argv[2] ?? join(ROOT, "build", "release"));
  for (const line of await release(folder)) console.log(line);
}
