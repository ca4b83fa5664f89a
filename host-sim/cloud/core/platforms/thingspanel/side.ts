import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { BusMessage, Session } from "../../broker/bus";
import type { Admission, ConnectAttempt, PublishVerdict } from "../../broker/gate";
import { isRepetition, type FinalReport } from "../repetition";
import type { Package } from "../../files/packages";
import type { PlatformSide, PushOptions, SideHost } from "../platform-side";
import { isFinal, isGivenUp, NO_RESULT, type Task } from "../../devices/tasks";
import { behindVerneMq, mayPublish, maySubscribe, taskTopic, type Spelling } from "./access";
import { ServerFaults, type ServerFault } from "./faults";
import { answerDownload, downloadPath } from "./download";
import { GENERATIONS, REPUSHES } from "./generations";
import { accessProblem, deviceNumberOf, readIdentity, type ThingsPanelDevice } from "./identity";
import { moduleOf, taskMessage, type MessageOptions } from "./message";
import { announcedSeconds } from "../../devices/sleep";
import { readProgress, readVersion, type Progress, type Version } from "./report";
import { rewrite, unwrap } from "./rewrite";

export interface ThingsPanelOptions extends MessageOptions {
  /**
   * v1: spellings at which tasks are published, and those that devices may subscribe to. Default: both, and the right
   * one, as repaired servers do.
   */
  readonly publishes?: readonly Spelling[];
  readonly permits?: readonly Spelling[];
  /** `ota.download_address`. Default: where this cloud is; "": URLs are relative. */
  readonly downloadAddress?: string;
  /** Faults of the real servers; default: none. */
  readonly faults?: readonly ServerFault[];
}

/** Milliseconds after which an unanswered push is repeated, where the broker does not report who is connected. */
const UNHEARD = 5_000;

interface Known {
  readonly id: string;
  /** Names it inside, after the broker's rewriting. */
  readonly uuid: string;
  readonly device: ThingsPanelDevice;
  /** The task that began without a push, because the device was not there (v0). */
  waited?: string;
  /** The task that was sent last. */
  sent?: string;
  /** The report that ended the last task, to distinguish a repetition from a second one. */
  ending?: FinalReport;
}

/** ThingsPanel, both generations; v1 with the repairs without which it never publishes a task. */
export class ThingsPanelSide implements PlatformSide {
  readonly name = "thingspanel";
  readonly #options: ThingsPanelOptions;
  readonly #byId = new Map<string, Known>();
  readonly #byToken = new Map<string, Known>();
  readonly #byUuid = new Map<string, Known>();
  #host!: SideHost;
  #faults!: ServerFaults;

  constructor(options: ThingsPanelOptions = {}) {
    this.#options = options;
  }

  attach(host: SideHost): void {
    this.#host = host;
    this.#faults = new ServerFaults(this.#options.faults ?? [], (delay, run) => void host.after(delay, run));
    const { v0, v1 } = GENERATIONS;
    for (const filter of [v0.progress, `${v0.progress}/+`, v1.progress, v0.version!])
      host.bus.onMessage(filter, (message) => this.#received(message));
  }

  add(identity: unknown): string {
    const device = readIdentity(identity);
    const id = `thingspanel/${deviceNumberOf(device)}`;
    if (this.#byToken.has(device.username))
      throw new Error(`a device with user name ${device.username} is there already`);
    this.#host.devices.add({ id, platform: this.name, name: deviceNumberOf(device) });
    const known: Known = { id, uuid: randomUUID(), device };
    this.#byId.set(id, known);
    this.#byToken.set(device.username, known);
    this.#byUuid.set(known.uuid, known);
    return id;
  }

  identity(id: string): Record<string, unknown> | undefined {
    const device = this.#byId.get(id)?.device;
    return device && { ...device };
  }

  remove(id: string): void {
    const known = this.#byId.get(id);
    if (known === undefined) return;
    this.#byId.delete(id);
    this.#byToken.delete(known.device.username);
    this.#byUuid.delete(known.uuid);
  }

  deviceConfig(id: string): Record<string, unknown> | undefined {
    const device = this.#byId.get(id)?.device;
    if (device === undefined) return undefined;
    const { profile, username, password = "", module } = device;
    const number = deviceNumberOf(device);
    return {
      platform: this.name,
      profile,
      username,
      password,
      clientId: device.clientId ?? number,
      deviceNumber: number,
      ...(module === undefined ? {} : { module }),
    };
  }

  /* ---- the broker ---- */

  connect(attempt: ConnectAttempt): Admission | undefined {
    const known = this.#byToken.get(attempt.username ?? "");
    if (known === undefined) return undefined;
    const reason = accessProblem(known.device, attempt);
    return reason === undefined
      ? { admitted: true, side: this.name, device: known.id }
      : { admitted: false, code: 4, reason };
  }

  publish(session: Session, topic: string): PublishVerdict {
    const known = this.#byId.get(session.device);
    const verdict = known === undefined ? "disconnect" : mayPublish(known.device, topic);
    if (verdict !== "accept") this.#violation(session.device, "published to a topic where nobody listens", { topic });
    return verdict;
  }

  /** Asking for both spellings is what a device must do, so that a refusal of one is no violation. */
  subscribe(session: Session, filter: string): boolean {
    const known = this.#byId.get(session.device);
    if (known === undefined) return false;
    const { permits = ["inform"] } = this.#options;
    const own = (["inform", "infrom"] as const).some((spelling) => filter === taskTopic(known.device, spelling));
    if (!own) this.#violation(known.id, "subscribed to a topic that is not its own", { topic: filter });
    return maySubscribe(known.device, filter, permits);
  }

  request(request: IncomingMessage, response: ServerResponse): boolean {
    return answerDownload(this.#host, this.#faults, request, response);
  }

  /* ---- tasks ---- */

  /** A server of 1.x would refuse while another task is open; like an operator, this ends the other one first. */
  push(id: string, file: Package, options: PushOptions = {}): Task {
    const known = this.#byId.get(id);
    if (known === undefined) throw new Error(`no device ${id}`);
    const { tasks, devices } = this.#host;
    const { states, waitsForDevice } = GENERATIONS[known.device.profile];
    const older = this.#faults.has("open-tasks") ? undefined : tasks.active(id);
    if (older) this.cancel(older);
    const task = tasks.create({
      device: id,
      package: file.id,
      version: file.version,
      status: "pending",
      state: states.pending,
      createdAt: this.#host.now(),
      ...(options.rollout === undefined ? {} : { rollout: options.rollout }),
      ...(options.fields === undefined ? {} : { fields: options.fields }),
      ...(this.#faults.has("open-tasks") ? { beside: true } : {}),
    });
    if (devices.get(id)?.online === true) this.#send(known, task);
    else if (waitsForDevice) {
      known.waited = task.id;
      tasks.update(task.id, { state: states.upgrading, message: "设备不在线，等待升级" });
    } else if (this.#host.bus.tellsPresence) this.#finish(known, task, { status: "failure", message: "设备离线" });
    else this.#sendUntilHeard(known, task);
    return tasks.get(task.id)!;
  }

  cancel(task: Task, why?: "timeout"): void {
    const known = this.#byId.get(task.device);
    const { status = task.status } = this.#host.tasks.get(task.id) ?? {};
    // In the console of a server with that fault, people end what swallows reports.
    const ending = status === "failure" && this.#faults.has("failed-row") && why === undefined;
    if (known === undefined || (isFinal({ status }) && !ending)) return;
    this.#finish(known, task, why === "timeout" ? { status: "failure", message: NO_RESULT } : { status: "cancelled" });
  }

  #send(known: Known, task: Task): void {
    const { bus, devices, packages, tasks, now } = this.#host;
    const { device, id } = known;
    const { states, qos } = GENERATIONS[device.profile];
    const file = packages.get(task.package);
    if (file === undefined) return this.#finish(known, task, { status: "failure", message: "the package was removed" });
    const origin = this.#options.downloadAddress ?? this.#host.origin(id);
    const payload = taskMessage(device, file, origin + downloadPath(file, device.profile), this.#options, task.fields);
    const { publishes = ["inform", "infrom"] } = this.#options;
    for (const topic of new Set(publishes.map((spelling) => taskTopic(device, spelling)))) {
      devices.log(id, { at: now(), direction: "down", topic, payload, qos, dup: false });
      bus.publish(topic, payload, qos);
    }
    known.sent = task.id;
    // A device that has begun stays at "upgrading" when v0 pushes again.
    const begun = task.state === states.upgrading && task.pushes > 0;
    tasks.update(task.id, {
      status: begun ? "upgrading" : "pushed",
      state: task.state === states.upgrading ? states.upgrading : states.pushed,
      pushedAt: now(),
      pushes: task.pushes + 1,
    });
  }

  /** For brokers that do not report who is connected: v1's devices publish nothing before they have a task. */
  #sendUntilHeard(known: Known, task: Task): void {
    const { tasks, after } = this.#host;
    this.#send(known, task);
    after(UNHEARD, () => {
      const open = tasks.active(known.id);
      if (open?.id === task.id && open.state === GENERATIONS[known.device.profile].states.pushed)
        this.#sendUntilHeard(known, open);
    });
  }

  #finish(known: Known, task: Task, end: Pick<Task, "status"> & Partial<Pick<Task, "code" | "message">>): void {
    const { states } = GENERATIONS[known.device.profile];
    const state =
      end.status === "success" ? states.success : end.status === "cancelled" ? states.cancelled : states.failed;
    this.#host.tasks.update(task.id, { ...end, state, finishedAt: this.#host.now() });
  }

  /* ---- reports of devices ---- */

  #received(message: BusMessage): void {
    const sender = this.#sender(message);
    if (sender === undefined) return;
    const { at, topic, qos, dup, session } = message;
    const payload = Buffer.from(message.payload).toString("utf8");
    this.#host.devices.log(sender.id, {
      at,
      direction: "up",
      topic,
      payload,
      qos,
      dup,
      ...(session === undefined ? {} : { connection: session.serial }),
    });
    // Between the broker and the backend.
    const seen = unwrap(rewrite(sender.uuid, message.payload));
    const known = seen && this.#byUuid.get(seen.deviceId);
    if (seen === undefined || known === undefined) return;
    const { version } = GENERATIONS[known.device.profile];
    const { report, complaints } = topic === version ? readVersion(seen.payload) : readProgress(seen.payload);
    for (const rule of complaints) this.#violation(known.id, rule, { topic, payload });
    if (report === undefined) return;
    this.#faults.schedule(() => {
      if ("version" in report) this.#version(known, report, at);
      else this.#progress(known, report, message, payload);
    });
  }

  /** Topics name no device, so a broker that does not either leaves only this: the one that has a task. */
  #sender({ session, topic }: BusMessage): Known | undefined {
    if (session !== undefined) return this.#byId.get(session.device);
    const named = [...this.#byId.values()].find(({ device }) => topic === behindVerneMq(device));
    if (named !== undefined) return named;
    const candidates = [...this.#byId.values()].filter(
      ({ device }) => topic === GENERATIONS[device.profile].progress || topic === GENERATIONS[device.profile].version,
    );
    const busy = candidates.filter(({ id }) => this.#host.tasks.active(id) !== undefined);
    return busy.length === 1 ? busy[0] : candidates.length === 1 ? candidates[0] : undefined;
  }

  /** The re-push engine of v0. A version that fits does not mean success: only step 100 does. */
  #version(known: Known, { version }: Version, at: number): void {
    const { devices, tasks } = this.#host;
    const { states } = GENERATIONS[known.device.profile];
    devices.version(known.id, version, at);
    const open = tasks.ofDevice(known.id).filter((each) => each.state === states.upgrading && !isFinal(each));
    const task = open.find((each) => each.version !== version);
    if (task === undefined) return;
    const again = task.pushes - (known.waited === task.id ? 0 : 1);
    if (again >= REPUSHES && !this.#faults.has("endless-push"))
      this.#finish(known, task, { status: "failure", message: "升级失败" });
    else this.#send(known, task);
  }

  #progress(known: Known, report: Progress, message: BusMessage, payload: string): void {
    const { devices, tasks } = this.#host;
    const seconds = announcedSeconds(report.desc);
    if (seconds !== undefined) devices.asleep(known.id, seconds, message.at);
    const { device } = known;
    const { states, looksAtModule } = GENERATIONS[device.profile];
    const all = tasks.ofDevice(known.id);
    const isSameModule = (each: Task): boolean => (report.module ?? "") === (moduleOf(device, each.fields) ?? "");
    if (this.#faults.swallowing(all, states.failed, isSameModule) !== undefined) return;
    // Of several that are open, the one that was sent last.
    const task = all.find((each) => each.id === known.sent && !isFinal(each)) ?? tasks.awaited(known.id);
    const { step, desc } = report;
    const final = step === 100 || (step <= -1 && step >= -4);
    const open = task?.state === states.pushed || task?.state === states.upgrading;
    if (task === undefined || !(open || (final && isGivenUp(task)))) return this.#unexpected(known, message, payload);
    const { topic } = message;
    if (looksAtModule && !isSameModule(task))
      return this.#violation(known.id, "module is not the package's", { task: task.id, topic, payload });
    if (step >= 1 && step < 100)
      tasks.update(task.id, { status: "upgrading", state: states.upgrading, percent: step, message: desc });
    else if (final) {
      known.ending = { payload, connection: message.session?.serial };
      this.#finish(
        known,
        task,
        step === 100 ? { status: "success", message: desc } : { status: "failure", code: step, message: desc },
      );
    }
  }

  /**
   * A report that no open task is waiting for; a server of 1.x crashes on it. A device can not know of a task that was
   * cancelled or given up.
   */
  #unexpected(known: Known, message: BusMessage, payload: string): void {
    this.#faults.unexpected();
    const last = this.#host.tasks.ofDevice(known.id).at(-1);
    const ended = last?.status === "cancelled" || (last?.status === "failure" && last.code === undefined);
    if (ended || isRepetition(known.ending, payload, message)) return;
    this.#violation(known.id, "progress without a task under way", {
      ...(last === undefined ? {} : { task: last.id }),
      topic: message.topic,
      payload,
    });
  }

  #violation(
    device: string,
    rule: string,
    about: { readonly task?: string; readonly topic: string; readonly payload?: string },
  ): void {
    this.#host.violation({ at: this.#host.now(), device, rule, ...about });
  }
}
