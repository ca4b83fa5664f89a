/**
 * The whole agent as device under test: MQTT session, HTTP downloader, dialect and job, over an in-memory network with
 * virtual time.
 */
import { OtaAgent } from "../../../src/agent/agent";
import type { AgentOptions } from "../../../src/agent/agent-options";
import type { Notice } from "../../../src/job/effects";
import { NodeCrypto } from "../../../host-sim/board/node-crypto";
import { BrokerPeer, PROBE } from "./broker-peer";
import type { CloudPeer } from "./broker-peer";
import { POLICY } from "./job-device";
import { PROBE_STEPS } from "./device";
import type { Device, Surroundings } from "./device";
import { FilePeer } from "./file-peer";
import { HawkbitPeer } from "./hawkbit-peer";
import { StaticPeer } from "./static-peer";
import { ThingsBoardPeer } from "./thingsboard-peer";
import { VirtualClock } from "../../kit/virtual-clock";
import { VirtualNetwork } from "../../kit/virtual-network";
import type { Peer } from "../../kit/peer";
import type { NetworkFault } from "./network-faults";
import { ASLEEP, Sleeps } from "./sleeps";
import { platformOf } from "./platforms";
import type { Scenario } from "./scenarios";

/** Notices of one start before the agent counts as wedged. */
const NOTICES_MAX = 500;
/** One way, ms. To a device that sleeps it is longer: wakes of some seconds then end anywhere in an update. */
const LATENCY = 10;
const SLEEPER_LATENCY = 250;

/** What this device needs of an agent. An agent of another edition can take its place. */
export interface Agent {
  readonly state: string;
  start(): void;
  sleepUntil?(seconds: number): void;
}
export type MakeAgent = (options: Omit<AgentOptions, "platform" | "policy">, scenario: Scenario) => Agent;

const makeAgent: MakeAgent = (options, scenario) =>
  new OtaAgent({ ...options, platform: platformOf(scenario), policy: POLICY });

export class AgentDevice implements Device {
  readonly #with: Surroundings;
  readonly #clock: VirtualClock;
  readonly #agent: Agent;
  readonly #cloud: CloudPeer;
  readonly #sleeps: boolean;
  #notices = 0;

  /** `sleeps`: seed of a device that sleeps. */
  constructor(
    surroundings: Surroundings,
    fault: NetworkFault | undefined,
    make: MakeAgent = makeAgent,
    sleeps: number = 0,
  ) {
    this.#with = surroundings;
    const { simulation, monitor, cycle } = surroundings;
    const { after } = new Sleeps(simulation, sleeps);
    this.#sleeps = after !== undefined;
    const clock = new VirtualClock(simulation);
    this.#clock = clock;
    const { platform } = simulation.scenario;
    const state = (): string => this.state;
    const isPolled = platform === "static" || platform === "hawkbit";
    const cloud =
      platform === "static"
        ? new StaticPeer(surroundings, state)
        : platform === "hawkbit"
          ? new HawkbitPeer(surroundings, fault, state)
          : platform.startsWith("thingsboard")
            ? new ThingsBoardPeer(surroundings, state)
            : new BrokerPeer(surroundings, fault, state);
    this.#cloud = cloud;
    const files = new FilePeer(surroundings, fault, (offer) => offer !== undefined && cloud.push(offer));
    const peers = (host: string): Peer | undefined =>
      cycle.behaviour === "offline" || simulation.cloud.awayUntil(this.state, simulation.now) !== undefined
        ? undefined
        : host === (isPolled ? "cloud" : "broker")
          ? cloud
          : host === "files"
            ? files
            : undefined;
    const options: Parameters<MakeAgent>[0] = {
      ports: {
        ...monitor.ports,
        network: new VirtualNetwork({
          clock,
          line: { latency: after === undefined ? LATENCY : SLEEPER_LATENCY },
          peers: ({ host }) => peers(host),
          powered: () => !cycle.stopped,
        }),
        crypto: new NodeCrypto(() => 0.5),
        clock,
      },
      broker: { host: "broker", port: 1883, tls: false },
      // What it leaves at a rollback would be one more point to cut at: case lines count them. tests/replay has it.
      recorder: false,
      onNotice: (notice) => this.#notice(notice),
      onHealthCheck: (answer) => {
        if (cycle.behaviour === "mute") return;
        monitor.healthy = cycle.behaviour !== "unhealthy";
        answer(monitor.healthy, "sensor missing");
      },
    };
    this.#agent = make(after === undefined ? options : { ...options, wake: { seconds: after } }, simulation.scenario);
    if (after !== undefined) this.#agent.sleepUntil?.(ASLEEP);
  }

  get state(): string {
    return this.#agent.state;
  }

  start(): void {
    this.#agent.start();
    if (!this.#with.cycle.stopped) this.#with.monitor.checkStart();
  }

  step(): boolean {
    const { simulation, cycle } = this.#with;
    if (this.state === "idle" && this.#cloud.up && this.#clock.quiet) {
      if (simulation.restarts()) return true;
      const offer = simulation.operate();
      // One that sleeps is asked at the end of its last sleep whether it still listens.
      if (offer === undefined && !this.#sleeps) return false;
      if (typeof offer === "object") this.#cloud.push(offer);
    }
    return this.#clock.step() && !cycle.stopped;
  }

  answers(): boolean {
    this.#cloud.push({
      version: PROBE,
      size: 64 << 20,
      url: "http://files/probe",
      digest: { algorithm: "MD5", hex: "f".repeat(32) },
    });
    for (let steps = 0; steps < PROBE_STEPS && !this.#cloud.probed && !this.#with.cycle.stopped; steps++)
      this.#clock.step();
    return this.#cloud.probed || this.#with.cycle.stopped;
  }

  #notice(notice: Notice): void {
    const { simulation, cycle } = this.#with;
    if (cycle.stopped) return;
    simulation.ledger.expect(
      "never wedged",
      ++this.#notices < NOTICES_MAX,
      () => `more than ${NOTICES_MAX} notices in one start`,
    );
    if (notice.event === "warning" && notice.message.startsWith("internal error"))
      simulation.ledger.violate("never wedged", notice.message);
  }
}
