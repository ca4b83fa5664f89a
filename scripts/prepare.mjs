/** What `npm ci` leaves built: the XS engine of the simulated board, and the libraries bundled for XS. */
import { buildVendor } from "./build-vendor.mjs";
import { buildXsEngine } from "./xs-engine.mjs";

try {
  await buildVendor();
  buildXsEngine((line) => console.error(line));
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}
