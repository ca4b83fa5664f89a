/**
 * Loaded before each test file (`node --import`): adds one JSON line with the file and its seconds to the file that
 * XS_OTA_TEST_SECONDS names. The seconds are those of the whole process, its start and its compilation among them.
 */
import { appendFileSync } from "node:fs";
import { isMainThread } from "node:worker_threads";

const [, file] = process.argv;
const log = process.env.XS_OTA_TEST_SECONDS;
// Processes that a test starts inherit the environment and, where they are forked, this import: only the test file
// itself counts.
if (log && isMainThread && file?.endsWith(".test.mjs") && process.env.NODE_TEST_CONTEXT) {
  process.on("exit", () => appendFileSync(log, `${JSON.stringify({ file, seconds: performance.now() / 1000 })}\n`));
}
