/**
 * A ThingsBoard server for one device: its attributes show what is wanted whenever they are asked for, a push is heard
 * only by a device that is connected, and chunks come from the package that their request id was bound to. What the
 * device leaves in client attributes is kept over power cuts. Requests over HTTP go to the file peer.
 */
import { generate, parser } from "mqtt-packet";
import type { IPublishPacket, Packet } from "mqtt-packet";
import { RANGE_MAX, SECTOR } from "../../../src/constants";
import type { Offer } from "../../../src/job/types";
import type { Connection } from "../../kit/peer";
import { checkDownload, checkRequest, noteServed } from "../checks/download-checks";
import { checkReport, connected } from "../checks/report-checks";
import type { Connection as Reporting } from "../checks/report-checks";
import { PROBE } from "./broker-peer";
import type { CloudPeer } from "./broker-peer";
import type { Heard } from "./cloud-side";
import type { Surroundings } from "./device";
import { servedOf } from "./push";
import type { Push } from "./push";
import type { SimulationState } from "./simulation-state";
import { readTelemetry } from "./thingsboard-messages";

const ATTRIBUTES = "v1/devices/me/attributes";
const CHUNK = /^v2\/fw\/request\/(\d+)\/chunk\/(\d+)$/;
export const TITLE = "board";

export class ThingsBoardPeer implements CloudPeer {
  readonly #with: Surroundings;
  readonly #state: () => string;
  #parser = parser();
  #connection: Connection | undefined;
  #reporting: Reporting = { owesFail: false, version: false };
  /** The device has heard on this connection what is wanted. */
  #told = false;
  /** What each request id of this connection is bound to. */
  #bound = new Map<string, Push>();
  #packetId = 0;
  #probe: Offer | undefined;
  probed = false;

  constructor(surroundings: Surroundings, state: () => string) {
    this.#with = surroundings;
    this.#state = state;
  }

  get up(): boolean {
    return this.#told && this.#connection?.closed === false;
  }

  opened(connection: Connection): void {
    this.#connection = connection;
    this.#told = false;
    this.#bound = new Map();
    this.#parser = parser();
    this.#parser.on("packet", (packet) => this.#packet(packet, connection));
  }

  received(bytes: Uint8Array, connection: Connection): void {
    if (connection === this.#connection) this.#parser.parse(Buffer.from(bytes));
  }

  /** What is assigned again was unassigned before: the same assignment once more does nothing. */
  push(offer: Offer): void {
    if (offer.version === PROBE) this.#probe = offer;
    const { cloud } = this.#with.simulation;
    const tasks = cloud.tasks.filter((task) => cloud.pushOf(task).offer.version === offer.version);
    if (tasks.length > 1 || tasks.some(({ deliveries }) => deliveries > 1))
      this.#send({ deleted: ["fw_title"] }, "unassigned");
    this.#send(attributesOf(offer), `offer of ${offer.version}`, offer);
  }

  #packet(packet: Packet, connection: Connection): void {
    switch (packet.cmd) {
      case "connect":
        return connection.send(generate({ cmd: "connack", returnCode: 0, sessionPresent: false }));
      case "subscribe": {
        const granted = packet.subscriptions.map(() => 1);
        return connection.send(generate({ cmd: "suback", messageId: packet.messageId!, granted }), () => {
          if (!this.#with.cycle.message("SUBACK", () => undefined)) return false;
          this.#reporting = connected(this.#with.monitor);
          return true;
        });
      }
      case "pingreq":
        return connection.send(generate({ cmd: "pingresp" }));
      case "publish":
        return this.#published(packet, connection);
      default:
    }
  }

  #published(packet: IPublishPacket, connection: Connection): void {
    const payload = packet.payload.toString();
    const [, id, chunk] = CHUNK.exec(packet.topic) ?? [];
    if (id !== undefined) return this.#chunk(id, Number(chunk), connection);
    if (packet.topic.startsWith(`${ATTRIBUTES}/request/`)) return this.#asked(packet.topic.split("/").at(-1)!);
    const message = JSON.parse(payload) as { readonly [key: string]: unknown };
    if (packet.topic === ATTRIBUTES) return this.#kept(message as Record<string, string>, packet, connection);
    const heard = readTelemetry(message, this.#with.monitor);
    if (heard === undefined) return;
    if (heard.kind === "outcome" && this.#probe !== undefined && /does not fit/.test(heard.message)) {
      this.probed = true;
      return;
    }
    const { simulation, cycle } = this.#with;
    if (!cycle.message(`${heard.kind} report`, (child) => this.#arrive(child, heard, { ...this.#reporting }))) return;
    this.#arrive(simulation, heard, this.#reporting);
    this.#acknowledge(packet, connection, heard);
  }

  /** No report makes the server send an offer. */
  #arrive(simulation: SimulationState, heard: Heard, reporting: Reporting): void {
    checkReport(simulation, this.#with.monitor, reporting, heard);
    if (heard.kind === "outcome") simulation.cloud.heard(heard);
  }

  #acknowledge({ qos, messageId }: IPublishPacket, connection: Connection, heard: Heard): void {
    if (qos === 0) return;
    const { simulation, monitor, cycle } = this.#with;
    connection.send(generate({ cmd: "puback", messageId: messageId! }), () => {
      if (!cycle.message(`PUBACK of ${heard.kind}`, () => undefined)) return false;
      if (heard.kind === "version" || (heard.kind === "burning" && this.#state() === "trial")) monitor.reached = true;
      if (heard.kind === "outcome" && monitor.job !== undefined && monitor.outcome !== undefined)
        simulation.ledger.acknowledged = true;
      return true;
    });
  }

  #kept(attributes: Record<string, string>, packet: IPublishPacket, connection: Connection): void {
    const { simulation, cycle } = this.#with;
    const keep = ({ cloud }: SimulationState): void => {
      for (const [key, value] of Object.entries(attributes)) cloud.attributes.set(key, value);
    };
    if (!cycle.message("client attributes", keep)) return;
    keep(simulation);
    connection.send(generate({ cmd: "puback", messageId: packet.messageId! }), () =>
      cycle.message("PUBACK of client attributes", () => undefined),
    );
  }

  #asked(number: string): void {
    const { simulation, monitor, cycle } = this.#with;
    const { cloud } = simulation;
    if (!cycle.message("request for attributes", () => undefined)) return;
    // Marks what is shown now as delivered.
    const fresh = cloud.offer();
    const offer = this.#probe ?? fresh ?? cloud.pushOf(cloud.tasks.at(-1)!).offer;
    const client = Object.fromEntries(cloud.attributes);
    const answer = { shared: attributesOf(offer), ...(cloud.attributes.size > 0 ? { client } : {}) };
    this.#send(answer, `attributes of ${offer.version}`, offer, `${ATTRIBUTES}/response/${number}`);
    if (fresh !== undefined || this.#state() !== "trial") return;
    const next = cloud.inTrial(monitor.running.version);
    if (next !== undefined) this.push(next);
  }

  #chunk(id: string, chunk: number, connection: Connection): void {
    const { simulation, monitor, cycle } = this.#with;
    const { cloud } = simulation;
    if (!cycle.message("request for a chunk", () => undefined)) return;
    const first = chunk * SECTOR;
    let push = this.#bound.get(id);
    if (push === undefined) {
      this.#bound.set(id, (push = cloud.pushOf(cloud.tasks.at(-1)!)));
      checkDownload(monitor, push, first, RANGE_MAX);
    }
    const bytes = servedOf(push).subarray(first, first + SECTOR);
    const end = first + bytes.length;
    // Requests for what was re-assigned may be on the line still, and the job of it is out of the store already.
    if (push === cloud.pushOf(cloud.tasks.at(-1)!))
      checkRequest(monitor, push, end, ((monitor.job && monitor.sectorsOf(monitor.job)) ?? 0) * SECTOR);
    noteServed(monitor, push, end);
    const topic = `v2/fw/response/${id}/chunk/${chunk}`;
    const payload = Buffer.from(bytes);
    connection.send(generate({ cmd: "publish", topic, payload, qos: 0, dup: false, retain: false }), () =>
      cycle.message("chunk", () => undefined),
    );
    const next = cloud.served(push.offer.version, end, monitor.running.version);
    if (next !== undefined) this.push(next);
  }

  /** `offer`: what the device knows then. */
  #send(message: object, what: string, offer?: Offer, topic = ATTRIBUTES): void {
    const { monitor, cycle } = this.#with;
    this.#packetId = (this.#packetId % 65_535) + 1;
    const payload = JSON.stringify(message);
    const packet = { topic, payload, qos: 1, messageId: this.#packetId, dup: false, retain: false } as const;
    this.#connection?.send(generate({ cmd: "publish", ...packet }), () => {
      if (!cycle.message(what, () => undefined)) return false;
      const { job } = monitor;
      monitor.otherOffered ||= offer !== undefined && job !== undefined && job.record.offer.version !== offer.version;
      this.#told ||= topic !== ATTRIBUTES;
      return true;
    });
  }
}

const attributesOf = ({ version, size, digest }: Offer): object => ({
  fw_title: TITLE,
  fw_version: version,
  fw_size: size,
  fw_checksum_algorithm: "MD5",
  fw_checksum: digest?.hex,
});

/** The HTTP API serves what is assigned, and answers 400 to a request for anything else. */
export const isAssigned = ({ cloud }: SimulationState, push: Push): boolean =>
  cloud.pushOf(cloud.tasks.at(-1)!) === push;
