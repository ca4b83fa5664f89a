import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import type { Page } from "playwright-core";
import { readRecording } from "../../host-sim/replay/read-recording";

/** The page of a device whose new firmware was rolled back: cause, meaning, line of time, and the file. */
export async function checkRecording(page: Page, picture: (name: string) => Promise<void>): Promise<void> {
  const recordings = page.getByRole("region", { name: "recordings of failed updates" });
  await recordings.getByText("Cause: rolled-back: trial: the new firmware did not come to powerOn").waitFor();
  await recordings.getByText("The new firmware ended early in its trial: try it on a board").waitFor();
  const line = recordings.getByRole("img", { name: /^0\.2\.1 in ota_\d; .*reporting/ });
  assert.ok((await line.locator("rect.phase").count()) > 0);
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    recordings.getByRole("link", { name: /^Download [0-9a-f]{6}\.xsr$/ }).click(),
  ]);
  const recording = readRecording(await readFile(await file.path()));
  assert.equal(file.suggestedFilename(), `${recording.reference}.xsr`);
  assert.equal(recording.run.end?.cause, "rolled-back");
  await picture("09-recording");
}
