/** The start of a device: what an application may forget or do wrong while its firmware is on trial. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Main, Program } from "../../hal/moddable/device";
import { FaultRecord } from "../../hal/moddable/fault-record";
import type { AbortHost } from "../../hal/moddable/fault-record";
import { startUp } from "../../hal/moddable/start-up";
import { NodeCrypto } from "../../host-sim/board/node-crypto";
import { TRIAL_SECONDS, TRIAL_SECONDS_MAX } from "../../src/constants";
import { OtaAgent } from "../../src/index";
import { TencentPlatform } from "../../src/platforms/tencent/dialect";
import type { Boot, Ports } from "../../src/ports";
import { JobFixture } from "../job/job-fixture";
import { onTrial } from "../job/on-trial";
import { restartingBoot, Restart } from "../job/restarting-boot";
import { VirtualClock } from "../kit/virtual-clock";

const IDLE: Program = { stop() {} };

class Started {
  readonly fixture: JobFixture;
  readonly clock = new VirtualClock();
  readonly host: AbortHost = {};
  readonly lines: string[] = [];
  connects = 0;
  missing: ((what: string | undefined) => void) | undefined;
  readonly ports: Ports;

  /** `restarting`: in place of restarts that end what runs. */
  constructor(fixture: JobFixture, main: Main, restarting?: (boot: Boot) => Boot) {
    this.fixture = fixture;
    const { board } = fixture;
    this.ports = {
      ...board.ports,
      boot: restarting?.(board.ports.boot) ?? restartingBoot(board.ports.boot, board),
      clock: this.clock,
      crypto: new NodeCrypto(),
      network: { connect: () => (this.connects++, { read: () => 0, write: () => 0, close() {} }) },
      log: (line) => this.lines.push(line),
    };
    const faults = new FaultRecord(board.ports.space("xs-ota-run"));
    this.until(() =>
      startUp(main, {
        ports: this.ports,
        faults,
        host: this.host,
        setting: () => undefined,
        connect: (missing) => (this.missing = missing),
      }),
    );
  }

  /** A restart ends what runs, as on a chip. */
  until(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof Restart)) throw error;
    }
  }

  after(seconds: number): void {
    this.until(() => this.clock.advance(seconds * 1000));
  }

  /** What the firmware that is back knows of the end of the trial. */
  get told(): string | undefined {
    assert.notEqual(this.fixture.board.restartWanted, undefined, "the firmware gave itself up");
    this.fixture.powerOn("software");
    assert.equal(this.fixture.running.version, "0.1.0");
    return new FaultRecord(this.fixture.board.ports.space("xs-ota-run")).begin("software");
  }
}

const trial = (main: Main): Started => new Started(onTrial({ answers: { health: "silent" } }), main);

const agentOn = (ports: Ports): OtaAgent =>
  new OtaAgent({
    ports,
    platform: new TencentPlatform(
      { productId: "A1B2C3D4E5", deviceName: "d", authMode: "KEY", deviceSecret: "3ZxkQmVyVGVzdFZlY3Rvcg==" },
      ports.crypto,
    ),
    broker: { host: "127.0.0.1", port: 1883, tls: false },
    policy: { allowHttp: true, trialSeconds: 30 },
  });

test("the agent starts by itself when the network is there, in a trial and outside of one", () => {
  for (const fixture of [new JobFixture(), onTrial({ answers: { health: "silent" } })]) {
    const started = new Started(fixture, ({ ports }) => agentOn(ports));
    started.after(1);
    assert.equal(started.connects, 0);
    started.missing!("clock not set");
    started.after(1);
    assert.equal(started.connects, 0);
    started.missing!(undefined);
    started.after(0);
    assert.equal(started.connects, 1);
  }
});

test("an app that asks for the network gets it after the agent, once, and also later", () => {
  const order: string[] = [];
  const started = new Started(new JobFixture(), (device) => {
    device.connect(() => order.push(`first, ${started.connects}`));
    return agentOn(device.ports);
  });
  started.after(0);
  started.missing!(undefined);
  started.missing!("no address");
  started.missing!(undefined);
  assert.deepEqual(order, ["first, 1"]);
});

test("an app without agent and without network brings none up", () => {
  const started = new Started(new JobFixture(), () => IDLE);
  started.after(10_000);
  assert.equal(started.missing, undefined);
  assert.equal(started.fixture.board.restartWanted, undefined, "it was confirmed");
});

test("main throws in a trial: rolled back at once, with its words", () => {
  const started = trial(() => {
    throw new Error("setting mqttHost: is missing");
  });
  assert.equal(started.told, "0.2.0: start of the app; Error: setting mqttHost: is missing (software reset)");
});

test("main throws outside of a trial: the engine's affair", () => {
  assert.throws(
    () =>
      new Started(new JobFixture(), () => {
        throw new Error("no display");
      }),
    /no display/,
  );
});

test("the promise of main is rejected in a trial: rolled back, with its words", async () => {
  const promise = Promise.reject<Program>(new Error("no sensor"));
  const started = new Started(
    onTrial({ answers: { health: "silent" } }),
    () => promise,
    (boot) => boot,
  );
  await promise.catch(() => {});
  assert.equal(started.told, "0.2.0: no agent was constructed; Error: no sensor (software reset)");
});

test("no agent: rolled back after the default trial", () => {
  const started = trial(() => IDLE);
  started.after(TRIAL_SECONDS - 1);
  assert.equal(started.fixture.board.restartWanted, undefined);
  started.after(1);
  assert.equal(started.told, "0.2.0: no agent was constructed; not confirmed within 120 s (software reset)");
});

const rejects = ({ host }: Started): unknown => host.abort!("unhandled rejection", new Error("no sensor"));

test("a rejected promise that nobody handles ends a trial at once, with an agent and without one", () => {
  for (const [main, stage] of [
    [() => IDLE, "no agent was constructed"],
    [({ ports }) => agentOn(ports), "no address"],
  ] satisfies [Main, string][]) {
    const started = trial(main);
    started.after(1);
    started.until(() => rejects(started));
    assert.equal(started.told, `0.2.0: ${stage}; unhandled rejection: Error: no sensor (software reset)`);
  }
});

test("a rejected promise that nobody handles is only logged once the firmware is confirmed", () => {
  const proven = new Started(new JobFixture(), ({ ports }) => agentOn(ports));
  const confirmed = trial(({ ports }) => agentOn(ports));
  confirmed.ports.boot.confirm();
  for (const started of [proven, confirmed]) {
    assert.equal(rejects(started), false);
    assert.equal(started.fixture.board.restartWanted, undefined);
    assert.equal(started.lines.at(-1), "unhandled rejection: Error: no sensor");
  }
});

test("an app that constructs its agent when the network is there has the longest trial for that", () => {
  const started = trial((device) => {
    device.connect(() => void agentOn(device.ports));
    return IDLE;
  });
  started.after(TRIAL_SECONDS_MAX - 1);
  assert.equal(started.fixture.board.restartWanted, undefined);
  started.after(1);
  assert.equal(started.told, "0.2.0: no agent was constructed; not confirmed within 900 s (software reset)");
});

test("an agent that is constructed late starts, and ends its trial by itself", () => {
  const started = trial((device) => {
    device.connect(() => void agentOn(device.ports));
    return IDLE;
  });
  started.after(1);
  started.missing!(undefined);
  started.after(0);
  assert.equal(started.connects, 1);
  started.after(30);
  assert.equal(started.fixture.board.restartWanted, "rollback");
});

test("an agent that the app stops is not started, and made up for after twice its trial", () => {
  const started = trial(({ ports }) => {
    const agent = agentOn(ports);
    agent.stop();
    return agent;
  });
  started.after(1);
  started.missing!(undefined);
  started.after(2 * 30 + 118);
  assert.equal(started.connects, 0);
  assert.equal(started.fixture.board.restartWanted, undefined);
  started.after(1);
  assert.equal(started.told, "0.2.0: the agent was stopped; not confirmed within 180 s (software reset)");
});

test("an exception later in the trial is rolled back by the abort hook, with the stage", () => {
  const started = trial(({ ports }) => agentOn(ports));
  started.after(0);
  started.until(() => started.host.abort!("unhandled exception", new Error("late")));
  assert.equal(started.told, "0.2.0: no address; unhandled exception: Error: late (software reset)");
});

test("firmware that was confirmed is left alone by what waits for its agent", () => {
  const started = trial(() => IDLE);
  started.ports.boot.confirm();
  started.after(TRIAL_SECONDS_MAX);
  assert.equal(started.fixture.board.restartWanted, undefined);
});
