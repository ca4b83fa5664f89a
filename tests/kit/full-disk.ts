import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import type { TestContext } from "node:test";

/** Until the end of the test a disk is full: `writeFileSync` gets half of the bytes onto it. */
export function fullDisk(t: TestContext): void {
  const { writeFileSync } = fs;
  const half = (path: string, bytes: Uint8Array | string, options?: fs.WriteFileOptions): never => {
    writeFileSync(path, bytes.slice(0, bytes.length >> 1), options);
    throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
  };
  t.mock.method(fs, "writeFileSync", half as typeof writeFileSync);
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
}
