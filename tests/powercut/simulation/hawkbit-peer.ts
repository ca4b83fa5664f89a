/** The update server for one device: the double behind connections in memory, and the power may go at each message. */
import { answer, jsonAnswer } from "../../doubles/http/message";
import type { HttpAnswer, HttpRequest } from "../../doubles/http/message";
import { HttpPeer } from "../../doubles/http/peer";
import { wireOf } from "../../doubles/http/wire";
import type { Offer } from "../../../src/job/types";
import type { Connection, Peer } from "../../kit/peer";
import { checkCancelled, checkEnding, checkNotCancelled, checkRequest } from "../checks/hawkbit-checks";
import { checkReport, connected } from "../checks/report-checks";
import type { Connection as Reporting } from "../checks/report-checks";
import { PROBE } from "./broker-peer";
import type { CloudPeer } from "./broker-peer";
import type { Heard } from "./cloud-side";
import type { Surroundings } from "./device";
import { FilePeer } from "./file-peer";
import type { FileSite } from "./file-peer";
import type { HawkbitSide } from "./hawkbit-side";
import { HAWKBIT_DEVICE } from "./hawkbit-side";
import type { NetworkFault } from "./network-faults";
import type { Push } from "./push";
import type { SimulationState } from "./simulation-state";

const BASE = `/DEFAULT/controller/v1/${HAWKBIT_DEVICE.controllerId}`;
/** Id of the action of the probe. */
const PROBE_ACTION = "4611686018427387904";
const SILENCE = answer(0);

/** What a request is, as far as the search looks at it. */
interface Said {
  readonly what: "poll" | "document" | "version" | "burning" | "closed" | "cancel accepted" | "report";
  readonly id: string;
  readonly text: string;
}

export class HawkbitPeer implements Peer, CloudPeer, FileSite {
  readonly #with: Surroundings;
  readonly #state: () => string;
  readonly #http: HttpPeer;
  readonly #files: FilePeer;
  readonly #downloads = new WeakSet<Connection>();
  #reporting: Reporting | undefined;
  /** A report was taken in this start. */
  #taken = false;
  /** In place of what the server wants. */
  #probe: Offer | undefined;
  probed = false;

  constructor(surroundings: Surroundings, fault: NetworkFault | undefined, state: () => string) {
    this.#with = surroundings;
    this.#state = state;
    const { simulation, monitor } = surroundings;
    checkNotCancelled(simulation, monitor.running.version);
    const { now } = this.#side(simulation).double.repository;
    this.#http = new HttpPeer({
      answer: (request) => this.#answer(request),
      arriving: (request, answered) => this.#arriving(request, answered),
      now,
      requestsPerConnection: 100,
    });
    this.#files = new FilePeer(surroundings, fault, () => this.#side(simulation).assign(simulation.cloud), this);
  }

  get up(): boolean {
    return this.#reporting !== undefined;
  }

  /** The device finds out when it polls. */
  push(offer: Offer): void {
    if (offer.version === PROBE) this.#probe = offer;
  }

  opened(connection: Connection): void {
    this.#http.opened(connection);
    this.#files.opened(connection);
  }

  received(bytes: Uint8Array, connection: Connection): void {
    if (Buffer.from(bytes).indexOf(`GET ${BASE}/softwaremodules/`) === 0) this.#downloads.add(connection);
    if (this.#downloads.has(connection)) this.#files.received(bytes, connection);
    else this.#http.received(bytes, connection);
  }

  closed(connection: Connection): void {
    this.#http.closed(connection);
  }

  /* ---- files ---- */

  pushOf(target: string): Push | undefined {
    const { simulation } = this.#with;
    return simulation.scenario.pushes[this.#side(simulation).pushAt(target)];
  }

  /** Where the action is not, or no longer, that of this device: an error in chunked form. */
  refusal(target: string): Uint8Array | undefined {
    const { double } = this.#side(this.#with.simulation);
    const answered = double.answer(this.#request("GET", target, { range: "bytes=0-0" }));
    return answered.status === 206 ? undefined : wireOf(answered, false, false, double.repository.now());
  }

  served(push: Push, end: number): void {
    const { simulation } = this.#with;
    if (push.cancelledAt === undefined || end < push.cancelledAt) return;
    const { tasks, scenario } = simulation.cloud;
    const task = tasks.findLastIndex((each) => scenario.pushes[each.push] === push);
    this.#side(simulation).cancel(task);
  }

  /* ---- the device API ---- */

  #answer(request: HttpRequest): HttpAnswer {
    const { simulation, monitor, cycle } = this.#with;
    const said = saidBy(request);
    if (this.#probe !== undefined) return this.#probing(said, this.#probe);
    const first = this.#reporting ?? connected(monitor);
    if (!cycle.message(said.what, (child) => void this.#arrive(child, request, said, { ...first }))) return SILENCE;
    this.#reporting = first;
    return this.#arrive(simulation, request, said, first);
  }

  /** `at`: where the request arrives, which a power cut may make another simulation. */
  #arrive(at: SimulationState, request: HttpRequest, said: Said, reporting: Reporting): HttpAnswer {
    const { monitor } = this.#with;
    const { cloud } = at;
    const side = this.#side(at);
    if (said.what === "poll") this.#operate(at);
    side.assign(cloud);
    checkRequest(at, side, request);
    const heard = this.#heard(at, said);
    if (heard?.kind === "outcome") checkEnding(at, side, said.id, heard.done ? "success" : "failure");
    if (heard !== undefined) checkReport(at, monitor, reporting, heard);
    const answered = side.double.answer(request);
    if (heard !== undefined) cloud.heard(heard);
    if (said.what === "cancel accepted" && answered.status === 200) this.#cancelled(at, side, said.id);
    return answered;
  }

  #operate(at: SimulationState): void {
    const { cloud } = at;
    // Marks what is assigned as delivered.
    cloud.offer();
    if (this.#state() !== "trial") return;
    const { version } = this.#with.monitor.running;
    cloud.inTrial(version);
    const task = cloud.tasks.findLastIndex((each) => cloud.pushOf(each).offer.version === version);
    if (task >= 0 && cloud.pushOf(cloud.tasks[task]!).cancelledInTrial === true) this.#side(at).cancel(task);
  }

  #cancelled(at: SimulationState, side: HawkbitSide, id: string): void {
    const task = side.actions.indexOf(id);
    const { offer } = at.cloud.pushOf(at.cloud.tasks[task]!);
    checkCancelled(at, this.#with.monitor, offer.version);
    checkEnding(at, side, id, "canceled");
    at.cloud.canceled(task);
    // What was in flight is lost, as in a cut.
    for (const [image, { cuts }] of at.ledger.fetching) at.ledger.note(image, { cuts: cuts + 1 });
  }

  #heard({ cloud }: SimulationState, { what, id, text }: Said): Heard | undefined {
    const task = this.#side(this.#with.simulation).actions.indexOf(id);
    const version = cloud.tasks[task] && cloud.pushOf(cloud.tasks[task]).offer.version;
    if (what === "version") return { kind: "version", version: text };
    if (what === "burning") return { kind: "burning", version };
    if (what !== "closed") return undefined;
    const { status } = JSON.parse(text) as Feedback;
    const done = status.result.finished !== "failure";
    const [, cause, message = ""] = /^([a-z-]+): (.*)$/s.exec(status.details[0] ?? "") ?? [];
    return { kind: "outcome", done, cause: done ? undefined : cause, message: done ? "" : message, version, task };
  }

  #arriving(request: HttpRequest, { status, body }: HttpAnswer): boolean {
    const { simulation, monitor, cycle } = this.#with;
    const { what } = saidBy(request);
    if (this.#probe !== undefined) return true;
    if (!cycle.message(`${status} to ${what}`, () => undefined)) return false;
    const { job } = monitor;
    if (request.method !== "GET" && status === 200) this.#taken = true;
    if (what === "poll" && this.#taken) monitor.reached = true;
    const text = Buffer.from(body).toString();
    // What was offered before is cancelled, or another one is offered.
    if (
      job !== undefined &&
      (text.includes("cancelAction") || (what === "document" && !text.includes(`"${job.record.offer.version}"`)))
    )
      monitor.otherOffered = true;
    const settled = [200, 404, 405, 410].includes(status) && (what === "closed" || what === "cancel accepted");
    if (settled && job !== undefined && monitor.outcome !== undefined) simulation.ledger.acknowledged = true;
    return true;
  }

  /** An offer that is too large for any slot. */
  #probing({ what, id }: Said, { version, size, url, digest }: Offer): HttpAnswer {
    if (what === "closed" && id === PROBE_ACTION) this.probed = true;
    if (what === "document") {
      const _links = { "download-http": { href: url } };
      const artifacts = [{ filename: "app.bin", hashes: { md5: digest!.hex }, size, _links }];
      const chunks = [{ part: HAWKBIT_DEVICE.part, version, name: "app", artifacts }];
      return jsonAnswer(200, { id: PROBE_ACTION, deployment: { download: "forced", update: "forced", chunks } });
    }
    if (what !== "poll") return answer(200);
    const href = `http://cloud${BASE}/deploymentBase/${PROBE_ACTION}?c=1`;
    const _links = this.probed ? {} : { deploymentBase: { href } };
    return jsonAnswer(200, { config: { polling: { sleep: "00:05:00" } }, _links });
  }

  #side({ hawkbit }: SimulationState): HawkbitSide {
    return hawkbit!;
  }

  #request(method: string, target: string, headers: Record<string, string>): HttpRequest {
    const authorization = `TargetToken ${HAWKBIT_DEVICE.targetToken}`;
    return {
      method,
      target,
      headers: { host: "cloud", authorization, ...headers },
      body: new Uint8Array(),
      address: "127.0.0.1",
      scheme: "http",
    };
  }
}

interface Feedback {
  readonly status: { readonly execution: string; readonly result: { finished: string }; readonly details: string[] };
}

function saidBy({ method, target, body }: HttpRequest): Said {
  const text = Buffer.from(body).toString();
  const [, kind, id = ""] = /\/(deploymentBase|cancelAction)\/(\d+)/.exec(target) ?? [];
  if (method === "GET") return { what: kind === undefined ? "poll" : "document", id, text };
  if (method === "PUT")
    return {
      what: "version",
      id,
      text: (JSON.parse(text) as { data: Record<string, string> }).data["fw.version"] ?? "",
    };
  const { status } = JSON.parse(text) as Feedback;
  const { execution, details } = status;
  if (kind === "cancelAction") return { what: execution === "closed" ? "cancel accepted" : "report", id, text };
  if (execution === "closed") return { what: "closed", id, text };
  return { what: details[0]?.startsWith("installing ") === true ? "burning" : "report", id, text };
}
