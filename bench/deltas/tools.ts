/** What other tools make of a pair of images. Each is asked for what it does best; a tool that is not there has no column. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Tool {
  readonly name: string;
  readonly command: string;
  /** Tells its version; fails where it is not installed. */
  readonly probe: readonly string[];
  arguments(old: string, file: string, patch: string): string[];
}

const TOOLS: readonly Tool[] = [
  {
    name: "bsdiff",
    command: "bsdiff",
    probe: [],
    arguments: (old, file, patch) => [old, file, patch],
  },
  {
    name: "xdelta3 -9",
    command: "xdelta3",
    probe: ["-V"],
    arguments: (old, file, patch) => ["-e", "-9", "-f", "-s", old, file, patch],
  },
  {
    name: "detools, heatshrink",
    command: "detools",
    probe: ["--version"],
    arguments: (old, file, patch) => ["create_patch", "-c", "heatshrink", old, file, patch],
  },
];

/** Without arguments bsdiff tells its usage and fails: what counts is that it is there. */
function isInstalled({ command, probe }: Tool): boolean {
  try {
    execFileSync(command, probe, { stdio: "ignore" });
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ENOENT";
  }
}

export const installedTools = (): Tool[] => TOOLS.filter(isInstalled);

/** Bytes of the patch. */
export function patchSize(tool: Tool, old: string, file: string): number {
  const folder = mkdtempSync(join(tmpdir(), "xs-ota-patch-"));
  const patch = join(folder, "patch");
  try {
    execFileSync(tool.command, tool.arguments(old, file, patch), { stdio: ["ignore", "ignore", "inherit"] });
    return statSync(patch).size;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
