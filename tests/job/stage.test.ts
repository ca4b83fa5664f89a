/** The text of a rollback at the deadline names what the trial waited for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MESSAGE_MAX } from "../../src/constants";
import type { JobEvent } from "../../src/job/effects";
import { truncateUtf8 } from "../../src/util/utf8";
import { onTrial } from "./on-trial";

const LINK_DOWN = (reason: string): JobEvent => ({ type: "link", up: false, reason });
const REFUSED = "broker refused the connection, code 4: bad user name or password: check the device's secret";

const ROWS: readonly (readonly [what: string, events: readonly JobEvent[], text: string])[] = [
  ["nothing is known", [], "trial: cloud not reached within 120 s"],
  ["no address", [{ type: "network", missing: "no address" }], "trial: no address within 120 s"],
  ["no clock", [{ type: "network", missing: "clock not set" }], "trial: clock not set within 120 s"],
  ["a link that fails", [{ type: "network", missing: undefined }, LINK_DOWN(REFUSED)], `trial: ${REFUSED}`],
  [
    "an address that was lost again counts before the link",
    [LINK_DOWN(REFUSED), { type: "network", missing: "no address" }],
    "trial: no address within 120 s",
  ],
  ["no PUBACK", [{ type: "link", up: true }], "trial: no PUBACK of the version report within 120 s"],
  [
    "no health",
    [
      { type: "link", up: true },
      { type: "acked", token: "version" },
    ],
    "trial: health check did not answer within 120 s",
  ],
];

for (const [what, events, text] of ROWS)
  test(`a trial that ends at its deadline, ${what}: ${text}`, () => {
    const fixture = onTrial({ answers: { health: "silent" } });
    for (const event of events) fixture.dispatch(event);
    fixture.wait();
    assert.equal(fixture.running.version, "0.1.0");
    fixture.connect();
    // An unreachable cloud is the image's fault only where the old firmware reaches it.
    const reached = text.includes("health check") ? "" : "; 0.1.0 reached it after the rollback";
    assert.equal(fixture.outcomes.at(-1), truncateUtf8(`rolled-back: ${text}${reached}`, 13 + MESSAGE_MAX));
  });
