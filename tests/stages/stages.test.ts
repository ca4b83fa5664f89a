/**
 * New firmware at each stage at which its start can stop: it ends at the deadline or earlier, the old firmware is back,
 * and the cloud hears the stage and the cause. Writes the rows for `npm run faults:table`.
 */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import type { TestContext } from "node:test";
import { MESSAGE_MAX } from "../../src/constants";
import { utf8Length } from "../../src/util/utf8";
import { SETTINGS_KEY } from "../../host-sim/board/firmware/settings";
import type { Cloud } from "../../host-sim/cloud/core/cloud";
import { Scenery, TRIAL_SECONDS } from "./scene";
import type { Trouble } from "./scene";
import {
  CONNECTED,
  app,
  brokerAt,
  closedPort,
  crashing,
  fault,
  foreignRoot,
  relay,
  source,
  takes,
  xs,
} from "./troubles";

interface Stage {
  readonly stage: string;
  readonly trouble: (t: TestContext, cloud: Cloud) => Trouble | Promise<Trouble>;
  readonly text: RegExp;
  /** "deadline": of the agent's trial; "start-up": the one of the start-up in C; else at once. */
  readonly ends?: "deadline" | "start-up";
}

/** Of the clock, where no agent ends the trial. */
const IDLE = 20;
/** Of the clock, where the longest trial passes and no firmware has to start within it. */
const LONGEST_IDLE = 100;
/** There is no network before what comes late. */
const LATER = { address: 5_000, time: "set" } as const;
/** Bytecodes in one turn of firmware that hangs. */
const SHORT = 50_000_000;
/** Address space that holds the engine's own reservation, bytes. */
const MEMORY = 1_080 << 20;

let scenery: Scenery;
const rows = new Map<string, string>();

before(async () => {
  scenery = await Scenery.make();
});
after(async () => {
  await scenery.close();
  mkdirSync("build/stages", { recursive: true });
  const lines = STAGES.flatMap(({ stage }) => rows.get(stage) ?? []);
  writeFileSync(
    "build/stages/board.md",
    ["| stage | ends after | the cloud hears |", "|---|--:|---|", ...lines, ""].join("\n"),
  );
});

/* ---- the table ---- */

const REACHED = /; 0\.1\.0 reached it after the rollback$/;
/**
 * On a machine that stops JavaScript for 3 s, which are 30 s of these fast clocks, the deadline of the chip ends the
 * trial before the agent does.
 */
const CHIPS_DEADLINE = /; not confirmed within (\d+) s \(software reset\)/;

const NOT_STARTED = (reason: string): RegExp =>
  new RegExp(`^trial: the new firmware did not come to powerOn \\(${reason} reset\\)$`);
const SILENT = "software reset that nobody announced \\(memory or stack exhausted\\?\\)";

const STAGES: readonly Stage[] = [
  { stage: "module throws at import", trouble: fault("throw"), text: NOT_STARTED("software") },
  {
    stage: "app throws before powerOn",
    trouble: source('(() => { throw new Error("no display"); })();'),
    text: NOT_STARTED("software"),
  },
  {
    stage: "hangs at its start",
    trouble: fault("hang", { engine: xs({ turnBytecodes: SHORT }) }),
    text: NOT_STARTED("watchdog"),
  },
  {
    stage: "powerOn is never called",
    trouble: () => ({ source: Promise.resolve("globalThis.handleCommand = () => {};"), speed: LONGEST_IDLE }),
    text: /^trial: no powerOn; not confirmed within 900 s \(software reset\)$/,
    ends: "start-up",
  },
  {
    stage: "main throws",
    trouble: app("main throws"),
    text: /^trial: start of the app; Error: no display \(software reset\)$/,
  },
  {
    stage: "settings unreadable",
    trouble: () => ({ settings: (nvs) => nvs.setBytes(SETTINGS_KEY, Buffer.from('{"platform":')) }),
    text: /^trial: start of the app; Error: setting device\.json: unreadable, not JSON \(software reset\)$/,
  },
  {
    stage: "settings missing",
    trouble: () => ({ settings: (nvs) => nvs.delete(SETTINGS_KEY) }),
    text: /^trial: start of the app; Error: setting device\.json: is missing in NVS \(software reset\)$/,
  },
  {
    stage: "settings of another firmware",
    trouble: () => ({ configuration: (good) => ({ ...good, platform: { kind: "other" } }) }),
    text: /^trial: start of the app; Error: platform: "other" is not one of this firmware \(software reset\)$/,
  },
  {
    stage: "start of the app is rejected",
    trouble: fault("reject"),
    text: /^trial: no agent was constructed; Error: this firmware's start is rejected \(software reset\)$/,
  },
  {
    stage: "no agent",
    trouble: app("no agent", { speed: IDLE }),
    text: /^trial: no agent was constructed; not confirmed within 120 s \(software reset\)$/,
    ends: "start-up",
  },
  {
    stage: "rejected promise",
    trouble: app("rejects unseen", { speed: IDLE }),
    text: /^trial: no agent was constructed; unhandled rejection: Error: no sensor \(software reset\)$/,
  },
  {
    stage: "agent is stopped",
    trouble: app("stops its agent", { speed: IDLE }),
    text: /^trial: the agent was stopped; not confirmed within 180 s \(software reset\)$/,
    ends: "start-up",
  },
  { stage: "no interface", trouble: fault("no-network"), text: /^trial: no address within 60 s$/, ends: "deadline" },
  {
    stage: "no address",
    trouble: () => ({ surroundings: { address: "no address in time", time: "set" } }),
    text: /^trial: no address: no address in time within 60 s$/,
    ends: "deadline",
  },
  {
    stage: "clock never set",
    trouble: fault("no-clock"),
    text: /^trial: clock not set within 60 s$/,
    ends: "deadline",
  },
  {
    stage: "no clock for TLS",
    trouble: () => ({
      surroundings: { address: 0, time: "unknown" },
      configuration: brokerAt(8883, true),
      speed: CONNECTED,
    }),
    text: /^trial: could not connect: no TLS yet: the clock is not set$/,
    ends: "deadline",
  },
  {
    stage: "no DNS",
    trouble: () => ({
      configuration: (good) => ({ ...good, broker: { ...good.broker!, host: "broker.example" } }),
      speed: CONNECTED,
      network: {
        lookup: (hostname, _options, callback) =>
          callback(Object.assign(new Error("getaddrinfo"), { code: "ENOTFOUND", hostname }), ""),
      },
    }),
    text: /^trial: could not connect: DNS: broker\.example not found$/,
    ends: "deadline",
  },
  {
    stage: "broker does not listen",
    trouble: async () => ({ configuration: brokerAt(await closedPort()), speed: CONNECTED }),
    text: /^trial: could not connect: connect ECONNREFUSED /,
    ends: "deadline",
  },
  {
    stage: "broker never answers",
    trouble: fault("offline"),
    text: /^trial: no connection within 10 s$/,
    ends: "deadline",
  },
  {
    stage: "no trusted root",
    trouble: foreignRoot,
    text: /^trial: could not connect: .*certificate/,
    ends: "deadline",
  },
  {
    stage: "broker refuses",
    trouble: relay({
      up: ({ cmd }, connection) => {
        if (cmd !== "connect") return "pass";
        connection.toDevice({ cmd: "connack", returnCode: 3, sessionPresent: false });
        connection.end();
        return "taken";
      },
    }),
    text: /^trial: broker refused the connection, code 3: server unavailable/,
    ends: "deadline",
  },
  {
    stage: "wrong credentials",
    trouble: () => ({
      configuration: (good) => ({ ...good, platform: { ...good.platform, deviceSecret: "b3RoZXIgc2VjcmV0IQ==" } }),
      speed: CONNECTED,
    }),
    text: /^trial: broker refused the connection, code [45]: /,
    ends: "deadline",
  },
  {
    stage: "no CONNACK",
    trouble: relay({ down: takes("connack") }),
    text: /^trial: no CONNACK within 10 s$/,
    ends: "deadline",
  },
  {
    stage: "SUBACK refused",
    trouble: relay({
      down: (packet, connection) => {
        if (packet.cmd !== "suback") return "pass";
        connection.toDevice({ cmd: "suback", messageId: packet.messageId ?? 0, granted: [0x80] });
        return "taken";
      },
    }),
    text: /^trial: SUBACK refused for \$ota\/update\/\S+: no offer could ever arrive$/,
    ends: "deadline",
  },
  {
    stage: "PUBACK never",
    trouble: relay({ down: takes("puback") }),
    text: /^trial: no PUBACK of the version report within 30 s$/,
    ends: "deadline",
  },
  {
    stage: "health check never answers",
    trouble: app("mute", { speed: CONNECTED }),
    text: /^trial: health check did not answer within 30 s$/,
    ends: "deadline",
  },
  {
    stage: "health check fails",
    trouble: app("unwell", { speed: CONNECTED }),
    text: /^trial: health check failed: the pump does not turn$/,
  },
  {
    stage: "health check throws",
    trouble: app("check throws", { speed: CONNECTED }),
    text: /^trial: health check failed: Error: no pump$/,
  },
  {
    stage: "late throw",
    trouble: app("late throw", { surroundings: LATER }),
    text: /^trial: (start of the app|no address); unhandled exception: Error: no pump \(software reset\)$/,
  },
  {
    stage: "event loop blocked",
    trouble: app("blocked", { surroundings: LATER, engine: xs({ turnBytecodes: SHORT }) }),
    text: /^trial: (start of the app|no address); watchdog reset$/,
  },
  {
    stage: "slots exhausted",
    trouble: app("slots", { surroundings: LATER, engine: xs({ memory: MEMORY }) }),
    text: new RegExp(`^trial: (start of the app|no address); ${SILENT}$`),
  },
  {
    stage: "chunks exhausted",
    trouble: app("chunks", { surroundings: LATER, engine: xs({ memory: MEMORY }) }),
    text: new RegExp(`^trial: (start of the app|no address); ${SILENT}$`),
  },
  {
    stage: "native stack overflow",
    trouble: app("stack", { surroundings: LATER }),
    text: new RegExp(`^trial: (start of the app|no address); ${SILENT}$`),
  },
  { stage: "native crash", trouble: () => ({ engine: crashing }), text: /^trial: start of the app; panic reset$/ },
];

/** Of device time, s: a machine is slow, a clock is fast. */
const LONGEST = { deadline: TRIAL_SECONDS, "start-up": 900 } as const;

describe("a start that stops", { concurrency: 8, timeout: 300_000 }, () => {
  for (const { stage, trouble, text, ends } of STAGES)
    test(stage, { timeout: 120_000 }, async (t) => {
      const end = await scenery.trial(t, await trouble(t, scenery.cloud));
      const told = ends === "deadline" ? end.text.replace(CHIPS_DEADLINE, " within $1 s") : end.text;
      // The old firmware has looked whether the cloud is there.
      assert.match(told.replace(REACHED, ""), text);
      assert.equal(end.code, -5);
      assert.ok(utf8Length(end.text) <= MESSAGE_MAX, end.text);
      const boots = end.eventLog.events.filter(({ event }) => event === "boot") as { slot: string; version: string }[];
      assert.deepEqual(
        boots.map(({ slot, version }) => `${slot} ${version}`),
        ["ota_1 0.2.0", "ota_0 0.1.0"],
      );
      if (ends === "deadline") assert.ok(end.seconds >= LONGEST.deadline, `ended after ${end.seconds} s`);
      rows.set(stage, rowOf(stage, told, ends));
    });
});

/** Without what differs from run to run. */
function rowOf(stage: string, text: string, ends: Stage["ends"]): string {
  const shown = text
    .replaceAll(/127\.0\.0\.1:\d+/g, "BROKER")
    .replaceAll(/stages-\d+/g, "DEVICE")
    .replaceAll("|", "\\|");
  const within = / within (\d+) s/.exec(
    text.startsWith("trial: no con") || text.startsWith("trial: no CON") ? "" : text,
  )?.[1];
  const time = ends === undefined ? "at once" : `${within ?? TRIAL_SECONDS} s`;
  return `| ${stage} | ${time} | ${shown} |`;
}
