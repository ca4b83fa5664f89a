/** What `npm ci` leaves built: the XS engine of the simulated board, the libraries bundled for XS, and that board's chip for Moddable's simulator. */
import { buildSimulatedChip } from "./build-simulated-chip.mjs";
import { buildVendor } from "./build-vendor.mjs";
import { buildXsEngine } from "./xs-engine.mjs";

try {
  await buildVendor();
  await buildSimulatedChip();
  buildXsEngine((line) => console.error(line));
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}
