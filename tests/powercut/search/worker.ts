/** A worker process: runs each piece of work that it is sent, and answers with its tally. */
import { carryOut } from "./work";
import type { Work } from "./work";

process.on("message", (work: Work) => {
  process.send?.(carryOut(work));
});
// The parent process has ended.
process.on("disconnect", () => process.exit(0));
