/**
 * The broker and the cloud behind it, for one device: MQTT 3.1.1 packets in memory. A power cut loses the packets that
 * are under way, not those that have arrived.
 */
import { generate, parser } from "mqtt-packet";
import type { Packet } from "mqtt-packet";
import type { Offer } from "../../../src/job/types";
import { offerMessage, readReport } from "./cloud-messages";
import type { Heard } from "./cloud-side";
import type { Surroundings } from "./device";
import type { Connection, Peer } from "../../kit/peer";
import type { NetworkFault } from "./network-faults";
import { connected, checkReport } from "../checks/report-checks";
import type { Connection as Reporting } from "../checks/report-checks";
import { rulesOf } from "./platforms";
import type { SimulationState } from "./simulation-state";

/** Version of the probe: an offer that the device can only refuse. */
export const PROBE = "9.9.9";

/** The cloud of a device, whatever it is reached by. */
export interface CloudPeer extends Peer {
  /** The device is in contact with it. */
  readonly up: boolean;
  /** The device has answered the probe. */
  readonly probed: boolean;
  push(offer: Offer): void;
}

export class BrokerPeer implements CloudPeer {
  readonly #with: Surroundings;
  readonly #fault: NetworkFault | undefined;
  readonly #state: () => string;
  #parser = parser();
  #connection: Connection | undefined;
  #reporting: Reporting = { owesFail: false, version: false };
  /** SUBACKs that are missing until the device is up. */
  #awaited = 1;
  #packetId = 0;
  #probing = false;
  /** The device has answered the probe. */
  probed = false;

  constructor(surroundings: Surroundings, fault: NetworkFault | undefined, state: () => string) {
    this.#with = surroundings;
    this.#fault = fault;
    this.#state = state;
  }

  /** The device is connected and subscribed. */
  get up(): boolean {
    return this.#connection !== undefined && !this.#connection.closed && this.#awaited === 0;
  }

  opened(connection: Connection): void {
    this.#connection = connection;
    this.#parser = parser();
    this.#parser.on("packet", (packet) => this.#packet(packet, connection));
    this.#awaited = this.#with.simulation.scenario.platform === "thingspanel-v1" ? 2 : 1;
  }

  received(bytes: Uint8Array, connection: Connection): void {
    if (connection === this.#connection) this.#parser.parse(Buffer.from(bytes));
  }

  push(offer: Offer): void {
    const { simulation, monitor, cycle } = this.#with;
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#probing = offer.version === PROBE;
    const count = this.#probing ? 0 : ++simulation.network.toDevice;
    if (this.#isFault("down", count)) return this.#lose(connection);
    const { topic, payload } = offerMessage(simulation.scenario.platform, offer);
    for (let copy = this.#isFault("twice", count) ? 2 : 1; copy > 0; copy--) {
      this.#packetId = (this.#packetId % 65_535) + 1;
      connection.send(
        generate({ cmd: "publish", topic, payload, qos: 1, messageId: this.#packetId, dup: false, retain: false }),
        () => {
          if (!cycle.message(`offer of ${offer.version}`, () => undefined)) return false;
          const { job } = monitor;
          monitor.otherOffered ||= job !== undefined && job.record.offer.version !== offer.version;
          return true;
        },
      );
    }
  }

  #packet(packet: Packet, connection: Connection): void {
    switch (packet.cmd) {
      case "connect":
        return connection.send(generate({ cmd: "connack", returnCode: 0, sessionPresent: false }));
      case "subscribe":
        return connection.send(generate({ cmd: "suback", messageId: packet.messageId!, granted: [1] }), () =>
          this.#subscribed(),
        );
      case "pingreq":
        return connection.send(generate({ cmd: "pingresp" }));
      case "publish":
        return this.#published(
          packet.topic,
          packet.payload.toString(),
          packet.qos === 1 ? packet.messageId : undefined,
          connection,
        );
      default:
    }
  }

  #subscribed(): boolean {
    const { simulation, monitor, cycle } = this.#with;
    if (!cycle.message("SUBACK", () => undefined)) return false;
    if (--this.#awaited > 0) return true;
    this.#reporting = connected(monitor);
    if (!rulesOf(simulation.scenario.platform).versionReport) monitor.reached = true;
    const offers = [
      simulation.cloud.offer(),
      this.#state() === "trial" ? simulation.cloud.inTrial(monitor.running.version) : undefined,
    ];
    for (const offer of offers) if (offer !== undefined) this.push(offer);
    return true;
  }

  #published(topic: string, payload: string, messageId: number | undefined, connection: Connection): void {
    const { simulation, cycle } = this.#with;
    const count = ++simulation.network.fromDevice;
    if (this.#isFault("lost", count)) return this.#lose(connection);
    const report = readReport(topic, payload);
    if (report !== undefined && this.#isProbe(report)) {
      this.probed = true;
      return;
    }
    const heard = this.#named(report);
    if (heard === undefined) return;
    if (!cycle.message(`${heard.kind} report`, (child) => void this.#arrive(child, heard, { ...this.#reporting })))
      return;
    const answer = this.#arrive(simulation, heard, this.#reporting);
    if (this.#isFault("unacked", count)) return this.#lose(connection);
    if (messageId !== undefined)
      connection.send(generate({ cmd: "puback", messageId }), () => this.#acknowledging(heard));
    if (answer !== undefined) this.push(answer);
  }

  /** ThingsPanel's reports name no version: they belong to the current job, if there is one with such a report. */
  #named(heard: Heard | undefined): Heard | undefined {
    if (heard === undefined || heard.kind === "version" || heard.version !== undefined) return heard;
    const { job, outcome } = this.#with.monitor;
    return job === undefined || (heard.kind === "outcome" && outcome === undefined)
      ? heard
      : { ...heard, version: job.record.offer.version };
  }

  #isProbe(heard: Heard): boolean {
    return (
      heard.kind === "outcome" &&
      (heard.version === PROBE ||
        (heard.version === undefined && this.#probing && /does not fit|do not fit/.test(heard.message)))
    );
  }

  #arrive(simulation: SimulationState, heard: Heard, reporting: Reporting): Offer | undefined {
    checkReport(simulation, this.#with.monitor, reporting, heard);
    return simulation.cloud.heard(heard);
  }

  /** The PUBACK is about to reach the device. */
  #acknowledging(heard: Heard): boolean {
    const { simulation, monitor, cycle } = this.#with;
    if (!cycle.message(`PUBACK of ${heard.kind}`, () => undefined)) return false;
    if (simulation.scenario.losesAcks === true && !simulation.cloud.lostAcks.has(heard.kind)) {
      simulation.cloud.lostAcks.add(heard.kind);
      this.#lose(this.#connection!);
      return false;
    }
    const { proof = "version" } = rulesOf(simulation.scenario.platform);
    if (heard.kind === "version" || (heard.kind === proof && this.#state() === "trial")) monitor.reached = true;
    if (heard.kind === "outcome" && monitor.job !== undefined && monitor.outcome !== undefined)
      simulation.ledger.acknowledged = true;
    return true;
  }

  #isFault(kind: NetworkFault["kind"], count: number): boolean {
    const hit = this.#fault?.kind === kind && this.#fault.n === count;
    if (hit) this.#with.simulation.ledger.networkFaults++;
    return hit;
  }

  #lose(connection: Connection): void {
    connection.reset();
  }
}
