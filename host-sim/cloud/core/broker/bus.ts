/**
 * What the cloud needs of a message broker. The platform sides know this and nothing else of MQTT, so that the broker
 * in this process (broker.ts) and one elsewhere are the same to them.
 */

/** One device's connection, as far as it was admitted by a platform side. */
export interface Session {
  readonly clientId: string;
  readonly username: string;
  /**
   * Different for every connection: distinguishes a message repeated on the same connection from one repeated on a new
   * one.
   */
  readonly serial: number;
  /** Name of the platform side that admitted it. */
  readonly side: string;
  /** Id of the device in the registry. */
  readonly device: string;
}

export interface BusMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1 | 2;
  /** The sender marked it as sent before (MQTT 3.1.1, section 3.3.1.1). */
  readonly dup: boolean;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Absent where the broker does not report who published. */
  readonly session?: Session;
}

export interface Presence {
  readonly session: Session;
  readonly online: boolean;
  readonly at: number;
}

export interface Bus {
  /** False: the broker does not report who is connected, and messages come without their sender's session. */
  readonly tellsPresence: boolean;
  /** Hands a message to the broker; that a subscriber gets it is not promised. */
  publish(topic: string, payload: string, qos: 0 | 1): void;
  /**
   * `filter` may hold + and #. Messages come in the order in which each connection sent them. Returns the way to stop.
   */
  onMessage(filter: string, handler: (message: BusMessage) => void): () => void;
  /**
   * When a client id is taken over by a new connection, the old session goes offline before the new one comes online.
   */
  onPresence(handler: (presence: Presence) => void): () => void;
}

/** A bus with the connection or the listeners that it needs. */
export interface Broker extends Bus {
  /** May be called again after `stop`. Rejects with one line. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Ports under which devices find it; 0 = none. */
  readonly port: number;
  readonly tlsPort: number;
  /** Presents another certificate from now on, where it has one of ours. */
  present(): void;
  /** Ends a device's connection, where it can. */
  disconnect(clientId: string): void;
}

/**
 * Topic names against filters: MQTT 3.1.1, section 4.7. A wildcard at the first level matches no topic that begins with
 * $.
 */
export function topicMatches(filter: string, topic: string): boolean {
  const wanted = filter.split("/");
  const levels = topic.split("/");
  if (topic.startsWith("$") && (wanted[0] === "+" || wanted[0] === "#")) return false;
  for (const [index, level] of wanted.entries()) {
    if (level === "#") return levels.length >= index;
    if (index >= levels.length || (level !== "+" && level !== levels[index])) return false;
  }
  return levels.length === wanted.length;
}
