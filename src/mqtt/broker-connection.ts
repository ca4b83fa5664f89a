import type { Identity } from "./message";
import { PacketDecoder } from "./codec";
import { PacketFramer } from "./framing";
import { Liveness } from "./liveness";

/**
 * A handle holds the connection's number, whether the message came at QoS 2, and its packet id; nothing is stored for
 * it.
 */
const QOS2 = 0x1_0000;
const CONNECTION = 0x2_0000;

/** What a session knows of one open connection. */
export class BrokerConnection {
  readonly framer = new PacketFramer();
  readonly decoder = new PacketDecoder();
  readonly liveness: Liveness;
  /** One warning of a message that was too large is enough. */
  warnedOfSize = false;
  private readonly number: number;
  private readonly username: string;

  /** `number`: counts the session's connections, so that a handle of an earlier one is known as such. */
  constructor(number: number, { username, keepAlive }: Identity, now: number) {
    this.number = number;
    this.username = username ?? "";
    this.liveness = new Liveness(keepAlive, now);
  }

  /** The topic for people. Some platforms put an access token into user name and topics; it is masked. */
  masked(topic: string): string {
    return this.username === "" ? topic : topic.split(this.username).join("*");
  }

  handle(qos: number, id: number): number {
    return this.number * CONNECTION + (qos === 2 ? QOS2 : 0) + id;
  }

  /** The acknowledgement that a handle asks for; undefined: the message came over another connection. */
  acknowledgement(handle: number): { readonly cmd: "puback" | "pubrec"; readonly id: number } | undefined {
    if (Math.floor(handle / CONNECTION) !== this.number) return undefined;
    return { cmd: handle % CONNECTION >= QOS2 ? "pubrec" : "puback", id: handle % QOS2 };
  }
}
