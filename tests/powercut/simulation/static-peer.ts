/**
 * A web server with the manifest of the latest push, and the address that gets the reports, for one device. The manifest
 * shows what is wanted at each poll; nothing is ever pushed.
 */
import type { Offer } from "../../../src/job/types";
import type { Heard } from "./cloud-side";
import type { Surroundings } from "./device";
import type { Connection, Peer } from "../../kit/peer";
import { connected, checkReport } from "../checks/report-checks";
import type { Connection as Reporting } from "../checks/report-checks";
import { PROBE } from "./broker-peer";
import type { CloudPeer } from "./broker-peer";
import type { SimulationState } from "./simulation-state";

const NO_CONTENT = "HTTP/1.1 204 No Content\r\n\r\n";

export class StaticPeer implements Peer, CloudPeer {
  readonly #with: Surroundings;
  readonly #state: () => string;
  readonly #texts = new Map<Connection, string>();
  #reporting: Reporting | undefined;
  /** What the manifest names in place of the latest push. */
  #probe: Offer | undefined;
  probed = false;

  constructor(surroundings: Surroundings, state: () => string) {
    this.#with = surroundings;
    this.#state = state;
  }

  /** The device has polled since its start. */
  get up(): boolean {
    return this.#reporting !== undefined;
  }

  /** The manifest is another one; the device finds out when it polls. */
  push(offer: Offer): void {
    if (offer.version === PROBE) this.#probe = offer;
  }

  received(bytes: Uint8Array, connection: Connection): void {
    const text = (this.#texts.get(connection) ?? "") + Buffer.from(bytes).toString();
    const [head = "", body] = text.split("\r\n\r\n");
    const length = Number(/Content-Length: (\d+)/.exec(head)?.[1] ?? 0);
    const isWhole = body !== undefined && body.length >= length;
    this.#texts.set(connection, isWhole ? "" : text);
    if (!isWhole) return;
    if (head.startsWith("GET /manifest.json ")) this.#polled(connection);
    else if (head.startsWith("POST /report ")) this.#reported(body, connection);
    else connection.send(Buffer.from("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"));
  }

  #polled(connection: Connection): void {
    const { simulation, monitor, cycle } = this.#with;
    if (!cycle.message("poll", () => undefined)) return;
    this.#reporting ??= connected(monitor);
    const { cloud } = simulation;
    cloud.polled();
    // Marks what is shown now as delivered.
    if (cloud.offer() === undefined && this.#state() === "trial") cloud.inTrial(monitor.running.version);
    const { version, url, size, digest } = this.#probe ?? cloud.pushOf(cloud.tasks.at(-1)!).offer;
    const ota = { path: url, md5: digest?.hex, size };
    const manifest = JSON.stringify({ name: "board", version, builds: [{ chipFamily: "ESP32", ota }] });
    const answer = `HTTP/1.1 200 OK\r\nContent-Length: ${manifest.length}\r\nETag: "${version}"\r\n\r\n${manifest}`;
    connection.send(Buffer.from(answer), () => {
      if (!cycle.message(`manifest of ${version}`, () => undefined)) return false;
      const { job } = monitor;
      monitor.otherOffered ||= job !== undefined && job.record.offer.version !== version;
      monitor.reached = true;
      return true;
    });
  }

  #reported(body: string, connection: Connection): void {
    const { simulation, monitor, cycle } = this.#with;
    const report = JSON.parse(body) as { version: string; state: string; cause?: string; message?: string };
    if (report.version === PROBE) {
      this.probed = true;
      return connection.send(Buffer.from(NO_CONTENT));
    }
    const heard: Heard = {
      kind: "outcome",
      done: report.state === "done",
      cause: report.cause,
      message: report.message ?? "",
      version: report.version,
    };
    const reporting = (this.#reporting ??= connected(monitor));
    const arrive = (at: SimulationState, on: Reporting): void => {
      checkReport(at, monitor, on, heard);
      at.cloud.heard(heard);
    };
    if (!cycle.message("outcome report", (child) => arrive(child, { ...reporting }))) return;
    arrive(simulation, reporting);
    connection.send(Buffer.from(NO_CONTENT), () => {
      if (!cycle.message("204 to an outcome", () => undefined)) return false;
      if (monitor.job !== undefined && monitor.outcome !== undefined) simulation.ledger.acknowledged = true;
      return true;
    });
  }
}
