/** Rollouts to forty devices, with a limiter of the same share; `npm run test:long -- --only hawkbit-fleet` takes a thousand. */
import { test } from "node:test";
import { FLEET_CHECKS, runCheck } from "./fleet-checks";

for (const check of FLEET_CHECKS)
  test(`forty devices: ${check.title}`, async (t) => t.diagnostic(await runCheck(check, 40, { reads: 8, writes: 2 })));
