/** The trial's deadline runs from the start of our code, whether there is a network or not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { TRIAL_MARGIN } from "../../src/constants";
import type { Network } from "../../src/ports";
import { NodeCrypto } from "../../host-sim/board/node-crypto";
import { OtaAgent } from "../../src/index";
import type { Notice } from "../../src/index";
import { TencentPlatform } from "../../src/platforms/tencent/dialect";
import { VirtualClock } from "../kit/virtual-clock";
import { JobFixture } from "../job/job-fixture";
import { onTrial } from "../job/on-trial";

const TRIAL_SECONDS = 30;

interface Started {
  readonly fixture: JobFixture;
  readonly clock: VirtualClock;
  readonly agent: OtaAgent;
  readonly notices: Notice[];
  /** Connections that the agent asked for. */
  connects(): number;
}

/** An agent on the board of `fixture`, constructed and not started, as an app does it that waits for its network. */
function constructed(fixture: JobFixture): Started {
  const clock = new VirtualClock();
  const notices: Notice[] = [];
  let connects = 0;
  const network: Network = {
    connect() {
      connects++;
      return { read: () => 0, write: () => 0, close() {} };
    },
  };
  const crypto = new NodeCrypto();
  const agent = new OtaAgent({
    ports: { ...fixture.board.ports, network, crypto, clock },
    platform: new TencentPlatform(
      { productId: "A1B2C3D4E5", deviceName: "d", authMode: "KEY", deviceSecret: "3ZxkQmVyVGVzdFZlY3Rvcg==" },
      crypto,
    ),
    broker: { host: "127.0.0.1", port: 1883, tls: false },
    policy: { allowHttp: true, trialSeconds: TRIAL_SECONDS },
    onNotice: (notice) => notices.push(notice),
  });
  return { fixture, clock, agent, notices, connects: () => connects };
}

test("new firmware whose network never comes up is rolled back at the deadline, with the cause", () => {
  const { fixture, clock, agent, connects } = constructed(onTrial({ answers: { health: "silent" } }));
  agent.network("no address");
  clock.advance(2 * TRIAL_SECONDS * 1000 - 1);
  assert.equal(fixture.board.restartWanted, undefined, "without an address the trial is extended once");
  clock.advance(1);
  assert.equal(fixture.board.restartWanted, "rollback");
  assert.equal(connects(), 0, "nothing was connected to without a network");
  fixture.powerOn("software");
  assert.deepEqual(fixture.running, { version: "0.1.0", slot: "ota_0", state: "valid" });
  fixture.connect();
  assert.deepEqual(
    fixture.outcomes.at(-1),
    `rolled-back: trial: no address within ${2 * TRIAL_SECONDS} s; 0.1.0 reached it after the rollback`,
  );
});

test("an address that comes in the first length of the trial extends nothing, one that comes later shortens nothing", () => {
  for (const [address, end] of [
    [TRIAL_SECONDS - 1, TRIAL_SECONDS],
    [TRIAL_SECONDS + 1, 2 * TRIAL_SECONDS],
  ] as const) {
    const { fixture, clock, agent } = constructed(onTrial({ answers: { health: "silent" } }));
    clock.advance(address * 1000);
    agent.start();
    clock.advance((end - address) * 1000 - 1);
    assert.equal(fixture.board.restartWanted, undefined, `address after ${address} s`);
    clock.advance(1);
    assert.equal(fixture.board.restartWanted, "rollback", `address after ${address} s`);
  }
});

test("a network that comes late does not start the trial anew", () => {
  const { fixture, clock, agent, connects } = constructed(onTrial({ answers: { health: "silent" } }));
  clock.advance(20_000);
  agent.start();
  clock.advance(0);
  assert.equal(connects(), 1);
  clock.advance(TRIAL_SECONDS * 1000 - 20_000);
  assert.equal(fixture.board.restartWanted, "rollback");
});

test("the trial is told once, at the start of our code, and then what it waits for whenever that changes", () => {
  const { clock, agent, notices } = constructed(onTrial({ answers: { health: "silent" } }));
  agent.network("no address");
  clock.advance(0);
  agent.network("no address");
  clock.advance(10_000);
  agent.network("clock not set");
  agent.start();
  clock.advance(0);
  assert.deepEqual(notices, [
    { event: "state", state: "trial" },
    { event: "trial", stage: "no address", secondsLeft: TRIAL_SECONDS },
    { event: "trial", stage: "clock not set", secondsLeft: TRIAL_SECONDS - 10 },
    { event: "trial", stage: "cloud not reached", secondsLeft: TRIAL_SECONDS - 10 },
  ]);
});

test("an agent that was stopped before its network came judges nothing", () => {
  const { fixture, clock, agent } = constructed(onTrial({ answers: { health: "silent" } }));
  agent.stop();
  assert.equal(clock.waiting, 0);
  clock.advance(TRIAL_SECONDS * 1000);
  assert.equal(fixture.board.restartWanted, undefined);
});

test("firmware that is not on trial waits for its network for ever", () => {
  const { fixture, clock, agent, notices } = constructed(new JobFixture());
  assert.equal(clock.waiting, 0);
  assert.deepEqual(notices, []);
  assert.equal(agent.state, "off");
  assert.equal(fixture.board.restartWanted, undefined);
});

test("the chip's own deadline follows the trial's, its extension and its end", () => {
  const fixture = onTrial({ answers: { health: "silent" } });
  const deadlines: number[] = [];
  fixture.board.ports.boot.deadline = (milliseconds) => void deadlines.push(milliseconds);
  const { clock } = constructed(fixture);
  clock.advance(TRIAL_SECONDS * 1000);
  const armed = TRIAL_SECONDS * 1000 + TRIAL_MARGIN;
  assert.deepEqual(deadlines, [armed, armed]);

  const good = onTrial({ answers: { health: true } });
  const told: number[] = [];
  good.board.ports.boot.deadline = (milliseconds) => void told.push(milliseconds);
  good.connect();
  assert.deepEqual(told, [0]);
});
