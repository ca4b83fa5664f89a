/** A worker process: does the pieces of work that it is sent, one after the other, and answers each with its tally. */
import { carryOut } from "./work";
import type { Work } from "./work";

process.on("message", (work: Work) => {
  process.send?.(carryOut(work));
});
// The parent is gone: nobody is waiting for the answer.
process.on("disconnect", () => process.exit(0));
