/** The firmware of a simulated board with an app that goes wrong. APP is put in front of the bundle. */
import { PLATFORMS } from "../../src/platforms/index";
import type { App } from "../../host-sim/board/firmware/app";
import { runFirmware } from "../../host-sim/board/firmware/run";

declare const APP: string;

/** Device time to what comes late, ms: before there is a network (scene.ts). */
const LATE = 1_000;
const IDLE = { stop() {} };

const late = (action: () => void): App => ({
  options(clock) {
    clock.set(action, LATE);
    return {};
  },
});

const endless = (depth: number): number => endless(depth + 1) + 1;

const APPS: { readonly [name: string]: App } = {
  "main throws": {
    main() {
      throw new Error("no display");
    },
  },
  "main rejects": { main: () => Promise.reject(new Error("no sensor")) },
  "no agent": { main: () => IDLE },
  "rejects unseen": {
    main() {
      void Promise.reject(new Error("no sensor"));
      return IDLE;
    },
  },
  "stops its agent": {
    main(agent) {
      agent().stop();
      return IDLE;
    },
  },
  mute: { options: () => ({ onHealthCheck: () => {} }) },
  unwell: { options: () => ({ onHealthCheck: (answer) => answer(false, "the pump does not turn") }) },
  "check throws": {
    options: () => ({
      onHealthCheck() {
        throw new Error("no pump");
      },
    }),
  },
  "late throw": late(() => {
    throw new Error("no pump");
  }),
  blocked: late(() => {
    for (;;);
  }),
  slots: late(() => {
    for (let list: object = {}; ;) list = { list };
  }),
  chunks: late(() => {
    // Beyond what the engine may have in all.
    for (const blocks: ArrayBuffer[] = []; ;) blocks.push(new ArrayBuffer(0x7fff_fff0));
  }),
  stack: late(() => void endless(0)),
};

runFirmware(PLATFORMS, APPS[APP] ?? {});
