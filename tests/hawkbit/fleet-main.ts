/** The rollouts of fleet-checks.ts with a thousand devices and the limiter of a stock server, or as many as named. */
import { FLEET_CHECKS, runCheck } from "./fleet-checks";

const devices = Number(process.argv[2] ?? 1_000);
const failed: string[] = [];
for (const check of FLEET_CHECKS)
  await runCheck(check, devices).then(
    (line) => console.log(`ok: ${check.title}: ${line}`),
    (error: unknown) => {
      failed.push(check.title);
      console.log(`not ok: ${check.title}: ${(error as Error).message}`);
    },
  );
console.log(
  `hawkbit fleet: ${devices} devices, ${FLEET_CHECKS.length - failed.length} of ${FLEET_CHECKS.length} rollouts as expected`,
);
if (failed.length > 0) process.exitCode = 1;
