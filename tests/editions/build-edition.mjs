/**
 * Builds the agent of an earlier edition from its commit, as one ES module for Node: tests/editions/COMMIT/agent.mjs. The bundle is kept in the
 * repository because a shallow clone does not have the commit.
 *
 *     node tests/editions/build-edition.mjs COMMIT
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const ROOT = resolve(fileURLToPath(new URL("../..", import.meta.url)));

/** What the tests need of an edition: the agent and one platform. */
const ENTRY = `export { OtaAgent } from "./src/agent/agent";
export { TencentPlatform } from "./src/platforms/tencent/dialect";
`;

/** The bundle's text. Throws where the clone does not have the commit. */
export async function buildEdition(commit) {
  const archive = execFileSync("git", ["archive", "--format=tar", commit, "src"], {
    cwd: ROOT,
    maxBuffer: 64 << 20,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const folder = mkdtempSync(join(tmpdir(), "xs-ota-edition-"));
  try {
    execFileSync("tar", ["-x", "-C", folder], { input: archive });
    const { outputFiles } = await build({
      stdin: { contents: ENTRY, resolveDir: folder, sourcefile: "entry.ts", loader: "ts" },
      absWorkingDir: folder,
      bundle: true,
      write: false,
      format: "esm",
      platform: "neutral",
      target: "es2022",
      tsconfigRaw: {},
      // Pinned in package.json; the MQTT packets are not what differs between editions.
      external: ["mqtt-packet"],
      logLevel: "silent",
    });
    return `// The agent of commit ${commit}. Made by: node tests/editions/build-edition.mjs ${commit}\n${outputFiles[0].text}`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Whether this clone has the commit. */
export function hasCommit(commit) {
  try {
    execFileSync("git", ["cat-file", "-e", `${commit}^{commit}`], { cwd: ROOT, stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const [commit] = process.argv.slice(2);
  if (commit === undefined) throw new Error("usage: node tests/editions/build-edition.mjs COMMIT");
  writeFileSync(join(ROOT, "tests", "editions", commit, "agent.mjs"), await buildEdition(commit));
}
