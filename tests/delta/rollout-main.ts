/** 1,000 devices take one container: exit status 1 where one does not come to the end. */
import { rollout } from "./rollout";

const { devices, updated, unknown, cuts, served, full } = rollout(1_000);
console.log(
  `${updated} of ${devices} devices on five older versions updated by one container, ${unknown} of them without a patch, ${cuts} power cuts; ` +
    `${served} bytes served, ${((served / full) * 100).toFixed(1)} % of a rollout of the image (${full})`,
);
if (updated < devices) process.exitCode = 1;
