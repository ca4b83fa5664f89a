/**
 * `npm run test:long`: what is too large for each run of `npm test`, which keeps a sample of each. One line for each
 * part, one for the total; exit status 1 where a part fails. Progress of the parts goes to stderr.
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { ROOT } from "./test-files.mjs";

const NODE = [process.execPath, "--import", "tsx"];
const POWERCUT = [...NODE, "tests/powercut/command.ts"];
const FLEET = [process.execPath, "host-sim/bin/xs-ota.mjs", "fleet", "--json"];

/** The summary of a fleet, from its JSON. */
function fleetSummary(json) {
  const { devices, counts, unexpected, updateTimes, served } = JSON.parse(json);
  const { success, failure } = counts;
  return `${success} of ${devices} devices updated, ${failure} failed, ${unexpected} of them not on purpose; 99 % within ${(updateTimes.p99 / 1000).toFixed(0)} s, ${served} bytes served`;
}

/**
 * Times are those of two idle cores. The last line on stdout is the summary of a part, or `summary` makes it from that
 * line.
 */
const PARTS = [
  {
    name: "pairs",
    what: "the search of npm test with every pair of power cuts",
    time: "5 min",
    command: [...POWERCUT, "--pairs"],
  },
  {
    name: "sleeps",
    what: "10,000 sequences of deep sleep and power cuts",
    time: "4 min",
    command: [...POWERCUT, "--sleeps"],
  },
  {
    name: "stock",
    what: "the search on a bootloader without rollback: a thousand trials each, and every power cut",
    time: "15 min",
    command: [...POWERCUT, "--stock"],
  },
  {
    name: "containers",
    what: "power cuts in updates by containers: every cut of three scenarios, pairs, and cuts in a bad network",
    time: "15 min",
    command: [...POWERCUT, "--containers"],
  },
  {
    name: "files",
    what: "the search on plain files: every power cut of the whole agent, and sequences of two to five",
    time: "15 min",
    command: [...POWERCUT, "--files"],
  },
  {
    name: "thingsboard",
    what: "the search on ThingsBoard: every power cut of the whole agent over MQTT and over HTTP, and sequences of two to five",
    time: "15 min",
    command: [...POWERCUT, "--thingsboard"],
  },
  {
    name: "interleavings",
    what: "10,000 interleavings of re-assignment, reconnect and power cut on ThingsBoard",
    time: "5 min",
    command: [process.execPath, "scripts/test.mjs", "tests/thingsboard/interleavings.test.ts"],
    env: { XS_OTA_INTERLEAVINGS: "10000" },
  },
  {
    name: "replays",
    what: "10,000 random lives of a board, recorded and replayed",
    time: "15 min",
    command: [process.execPath, "scripts/test.mjs", "tests/replay/random-runs.test.ts"],
    env: { XS_OTA_REPLAYS: "10000" },
  },
  {
    name: "replays-injected",
    what: "10,000 failures by injected causes: recorded, replayed, and told",
    time: "2 min",
    command: [process.execPath, "scripts/test.mjs", "tests/replay/injected.test.ts"],
    env: { XS_OTA_INJECTED: "10000" },
  },
  {
    name: "recordings",
    what: "1,000,000 damaged recordings",
    time: "15 min",
    command: [process.execPath, "scripts/test.mjs", "tests/replay/damaged.test.ts"],
    env: { XS_OTA_DAMAGED_RECORDINGS: "1000000" },
  },
  {
    name: "hawkbit",
    what: "the search on hawkBit: every power cut of the whole agent, and sequences of two to five",
    time: "15 min",
    command: [...POWERCUT, "--hawkbit"],
  },
  {
    name: "hawkbit-fleet",
    what: "rollouts to 1,000 devices on the double of hawkBit, with its rate limiter",
    time: "5 min",
    command: [...NODE, "tests/hawkbit/fleet-main.ts"],
  },
  {
    name: "search",
    what: "a million power cuts, of other seeds than npm test",
    time: "3 h",
    command: [...POWERCUT, "--cuts", "1000000", "--seed", "7"],
  },
  {
    name: "mutants",
    what: "every mutant: does a test or the search notice it?",
    time: "6 h",
    command: [...POWERCUT, "--mutants"],
  },
  {
    name: "outages",
    what: "outages of 1, 4 and 30 minutes begun at each phase of an update, all cases",
    time: "1 min",
    command: [process.execPath, "scripts/test.mjs", "tests/outages/outages.test.ts"],
    env: { XS_OTA_OUTAGES: "all" },
  },
  {
    name: "hostile",
    what: "100,000 devices in the model, each with a cloud that does its worst",
    time: "1 h",
    command: [...NODE, "tests/hostile/main.ts", "--devices", "100000", "--seed", "7"],
  },
  {
    name: "kills",
    what: "300 kills of the board's process",
    time: "30 min",
    command: [process.execPath, "scripts/test.mjs", "tests/powercut/processes.test.ts"],
    env: { XS_OTA_KILLS: "300", XS_OTA_SEED: "7" },
  },
  {
    name: "fuzz",
    what: "each parser, by mutated inputs",
    time: "30 min",
    command: [...NODE, "tests/fuzz/main.ts", "--seconds", "1800", "--seed", "7"],
  },
  {
    name: "delta",
    what: "the chip's decoder under AddressSanitizer and UBSan, a million damaged blocks",
    time: "10 min",
    command: [process.execPath, "scripts/test.mjs", "tests/delta/native.test.ts"],
    env: { XS_OTA_INPUTS: "500000" },
  },
  {
    name: "delta-xs",
    what: "20,000 damaged containers, each taken by the agent in the XS engine of the simulated board",
    time: "5 min",
    command: [process.execPath, "scripts/test.mjs", "tests/delta/in-xs.test.ts"],
    env: { XS_OTA_CONTAINERS: "20000" },
  },
  {
    name: "rollout",
    what: "1,000 devices on five older versions take one container, over weak lines and power cuts",
    time: "3 min",
    command: [...NODE, "tests/delta/rollout-main.ts"],
  },
  {
    name: "sockets",
    what: "the chip's TCP under ThreadSanitizer and AddressSanitizer, a million segments each",
    time: "2 min",
    command: [process.execPath, "scripts/test.mjs", "tests/esp32/tcp/stress.test.ts"],
    env: { XS_OTA_SEGMENTS: "1000000" },
  },
  {
    name: "editions",
    what: "updates from edition 1 to this edition and back, with power cuts",
    time: "15 min",
    command: [...NODE, "tests/editions/main.ts"],
  },
  {
    name: "fleet",
    what: "1,000 devices, a tenth of them to fail",
    time: "10 min",
    command: [...FLEET, "--devices", "1000", "--fail-share", "0.1", "--plot", "build/fleet-long.svg"],
    summary: fleetSummary,
  },
  {
    name: "outage",
    what: "1,000 devices whose cloud is killed in mid-rollout and comes back",
    time: "10 min",
    command: [...FLEET, "--devices", "1000", "--outage", "30", "--plot", "build/fleet-outage.svg"],
    summary: fleetSummary,
  },
  {
    name: "guide",
    what: "the commands of docs/guide in a shell, page by page",
    time: "2 min",
    command: [...NODE, "tests/docs/walk.ts"],
  },
  {
    name: "servers",
    what: "1,000 devices on static files, on hawkBit with its limiter on, and on ThingsBoard",
    time: "15 min",
    command: [process.execPath, "scripts/test.mjs", "tests/fleet/platforms.test.ts"],
    env: { XS_OTA_FLEET: "1000" },
  },
];

const USAGE = `npm run test:long                    all parts, hours
npm run test:long -- --only NAME     the parts whose name contains NAME; may be given more than once

${PARTS.map(({ name, what, time }) => `  ${name.padEnd(10)} ${time.padEnd(8)} ${what}`).join("\n")}`;

/** Resolves to the exit status and the last line on stdout. */
function run({ command: [program, ...args], env }) {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let last = "no output";
    createInterface({ input: child.stdout }).on("line", (line) => (last = line.trim() || last));
    child.on("error", (error) => resolve({ status: 1, last: error.message }));
    child.on("close", (code) => resolve({ status: code ?? 1, last }));
  });
}

function partsOf(args) {
  const names = [];
  for (let at = 0; at < args.length; at++) {
    if (args[at] !== "--only") throw new Error(`unknown argument ${args[at]}; see npm run test:long -- --help`);
    const name = args[++at];
    if (name === undefined) throw new Error("--only needs a name");
    names.push(name);
  }
  const parts = PARTS.filter(({ name }) => names.length === 0 || names.some((part) => name.includes(part)));
  if (parts.length === 0)
    throw new Error(`no part matches ${names.join(" ")}: ${PARTS.map(({ name }) => name).join(", ")}`);
  return parts;
}

async function main(args) {
  if (args.includes("--help")) return console.log(USAGE);
  const started = performance.now();
  const failed = [];
  const parts = partsOf(args);
  for (const part of parts) {
    const begun = performance.now();
    const { status, last } = await run(part);
    const summary = status === 0 && part.summary !== undefined ? part.summary(last) : last;
    if (status !== 0) failed.push(part.name);
    console.log(
      `${part.name}: ${status === 0 ? "ok" : "failed"}, ${((performance.now() - begun) / 1000).toFixed(0)} s: ${summary}`,
    );
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.log(
    failed.length === 0
      ? `ok: ${parts.length} parts, ${seconds} s`
      : `failed: ${failed.join(", ")} of ${parts.length} parts, ${seconds} s`,
  );
  if (failed.length > 0) process.exitCode = 1;
}

main(process.argv.slice(2)).catch((error) => {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
});
