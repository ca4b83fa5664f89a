/**
 * What the double of hawkBit claims of the real server, checked on a server of one's own.
 *
 *     XS_OTA_HAWKBIT=http://192.0.2.1:8080 npm run test:hawkbit        XS_OTA_HAWKBIT_USER, XS_OTA_HAWKBIT_PASSWORD: admin
 */
import { setTimeout as wait } from "node:timers/promises";
import { CONTRACT } from "./hawkbit/contract";
import { accountFrom, RestOperator } from "./hawkbit/rest";

let operator: RestOperator | undefined;
try {
  operator = new RestOperator(accountFrom(process.env));
  await operator.prepare();
  let failed = 0;
  for (const { title, run } of CONTRACT)
    await run({ operator, wait: (milliseconds) => wait(milliseconds) }).then(
      () => console.log(`ok: ${title}`),
      (error: unknown) => {
        failed++;
        console.log(`not ok: ${title}: ${(error as Error).message}`);
      },
    );
  if (failed > 0) throw new Error(`${failed} of ${CONTRACT.length} checks`);
  console.log(`ok: ${CONTRACT.length} checks on hawkBit at ${operator.server}`);
} catch (error) {
  console.error(`failed: ${(error as Error).message}`);
  process.exitCode = 1;
} finally {
  await operator?.cleanUp();
}
