/** Scenarios on ThingsBoard: another push is another assignment. */
import { image, push, rolledBack } from "./push";
import type { Push } from "./push";

interface Made {
  readonly about: string;
  readonly platform: "thingsboard" | "thingsboard-http";
  readonly pushes: readonly Push[];
}
type Change = Partial<Omit<Push, "offer">>;

/** Under the URL that the agent makes for it: chunks over MQTT, ... */
const chunked = (version: string, size: number, change: Change = {}): Push => {
  const made = push(image(version, size), version, change);
  return { ...made, offer: { ...made.offer, url: `mqtt:${version}/${made.offer.digest!.hex}` } };
};
/** ... and HTTP. */
const packaged = (version: string, size: number, change: Change = {}): Push => {
  const url = `http://files/api/v1/token/firmware?title=board&version=${version}`;
  return push(image(version, size), version, { ...change, offer: { url } });
};

export const thingsboardScenarios: { readonly [name: string]: (size: number) => Made } = {
  chunks: (size) => ({
    about: "ThingsBoard, chunks over MQTT: a good update, one that is rolled back, and the next",
    platform: "thingsboard",
    pushes: [
      chunked("0.2.0", size),
      chunked("0.3.0", size, {
        behaviour: "unhealthy",
        ends: rolledBack(/health check failed|failed in its trial/),
      }),
      chunked("0.3.1", size),
    ],
  }),

  reassigned: (size) => ({
    about: "ThingsBoard, chunks over MQTT: another package in mid-download, and another while one is on trial",
    platform: "thingsboard",
    pushes: [
      chunked("0.2.0", size, { supersededAt: Math.floor(size / 2) }),
      chunked("0.3.0", size, { nextInTrial: true }),
      chunked("0.4.0", size),
    ],
  }),

  packages: (size) => ({
    about: "ThingsBoard over HTTP: another package in mid-download, one that is rolled back, and the next",
    platform: "thingsboard-http",
    pushes: [
      packaged("0.2.0", size, { supersededAt: Math.floor(size / 2) }),
      packaged("0.3.0", size, {
        behaviour: "unhealthy",
        ends: rolledBack(/health check failed|failed in its trial/),
      }),
      packaged("0.3.1", size),
    ],
  }),
};
