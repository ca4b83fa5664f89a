/**
 * Runs at the end of `npm ci`: builds the XS engine of the simulated board, and bundles the command. npm itself links the `xs-ota` command:
 * host-sim/bin is a workspace with a `bin` entry. A `bin` entry of the root package would make npx install the project
 * into its cache at each call.
 */
import { bundleCommand } from "../host-sim/bin/bundle.mjs";
import { buildXsEngine } from "../host-sim/board/xs-engine.mjs";

try {
  buildXsEngine((line) => console.error(line));
  await bundleCommand();
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}
