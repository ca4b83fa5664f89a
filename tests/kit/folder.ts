import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What a folder goes with: a test (`t`), or a test file (`{ after }` of node:test). */
export interface Scope {
  after(remove: () => void): void;
}

/** A folder of its own that is removed at the end of the test, or of the file. */
export function temporaryFolder(scope: Scope): string {
  const folder = mkdtempSync(join(tmpdir(), "xs-ota-test-"));
  scope.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
