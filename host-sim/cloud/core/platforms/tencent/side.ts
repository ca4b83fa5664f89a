import type { BusMessage, Session } from "../../broker/bus";
import type { Admission, ConnectAttempt, PublishVerdict } from "../../broker/gate";
import { isRepetition, type FinalReport } from "../repetition";
import type { Package } from "../../files/packages";
import type { PlatformSide, PushOptions, SideHost } from "../platform-side";
import { NO_RESULT, isFinal, type Task } from "../../devices/tasks";
import { accessProblem, clientIdOf, identityProblem, readIdentity, type TencentDevice } from "./access";
import { announcedSeconds } from "../../devices/sleep";
import { readReport, type ProgressReport } from "./report";

export interface TencentOptions {
  /**
   * Milliseconds between the answer to a version report and the push that follows it; the platform's own log shows 20.
   */
  readonly pushDelay?: number;
  /**
   * Seconds after a push when an unfinished task counts as timed out (the platform's are 120 to 900); absent = never.
   */
  readonly taskTimeout?: number;
}

/** Task states by Tencent's numbers (cloud API DescribeFirmwareUpdateStatus). */
export const TENCENT_STATE = {
  offline: 0,
  pending: 1,
  delivered: 2,
  downloading: 3,
  burning: 4,
  failed: 5,
  done: 6,
  timedOut: 10,
} as const;

const TIMED_OUT = { status: "failure", state: TENCENT_STATE.timedOut, message: NO_RESULT } as const;

interface Known {
  readonly id: string;
  readonly identity: TencentDevice;
  /** Calls off the push that follows a version report. */
  pushLater?: () => void;
  timeout?: () => void;
  /** The report that ended the last task, to distinguish a repetition from a second one. */
  ending?: FinalReport;
}

/** Tencent IoT Hub and IoT Explorer, which are the same on these topics. */
export class TencentSide implements PlatformSide {
  readonly name = "tencent";
  readonly #pushDelay: number;
  readonly #taskTimeout: number | undefined;
  readonly #byId = new Map<string, Known>();
  readonly #byClientId = new Map<string, Known>();
  #host!: SideHost;

  constructor(options: TencentOptions = {}) {
    this.#pushDelay = options.pushDelay ?? 20;
    this.#taskTimeout = options.taskTimeout;
  }

  attach(host: SideHost): void {
    this.#host = host;
    host.bus.onMessage("$ota/report/+/+", (message) => this.#report(message));
    host.bus.onPresence(({ session, online }) => {
      const task = this.#byId.has(session.device) ? host.tasks.active(session.device) : undefined;
      if (online && task?.state === TENCENT_STATE.offline) host.tasks.update(task.id, { state: TENCENT_STATE.pending });
    });
  }

  add(value: unknown): string {
    const identity = readIdentity(value);
    const problem = identityProblem(identity);
    if (problem) throw new Error(problem);
    const { productId, deviceName } = identity;
    const clientId = clientIdOf(identity);
    if (this.#byClientId.has(clientId)) throw new Error(`a device with client id ${clientId} is there already`);
    const id = `tencent/${productId}/${deviceName}`;
    const known: Known = { id, identity };
    this.#byId.set(id, known);
    this.#byClientId.set(clientId, known);
    try {
      this.#host.devices.add({ id, platform: this.name, name: deviceName });
    } catch (error) {
      this.remove(id);
      throw error;
    }
    return id;
  }

  identity(device: string): Record<string, unknown> | undefined {
    const identity = this.#byId.get(device)?.identity;
    return identity && { ...identity };
  }

  remove(device: string): void {
    const known = this.#byId.get(device);
    if (!known) return;
    known.pushLater?.();
    known.timeout?.();
    this.#byId.delete(device);
    this.#byClientId.delete(clientIdOf(known.identity));
  }

  connect(attempt: ConnectAttempt): Admission | undefined {
    const known = this.#byClientId.get(attempt.clientId);
    if (!known) return undefined;
    const reason = accessProblem(known.identity, attempt);
    return reason === undefined
      ? { admitted: true, side: this.name, device: known.id }
      : { admitted: false, code: 4, reason };
  }

  publish(session: Session, topic: string): PublishVerdict {
    const known = this.#byId.get(session.device);
    if (known && topic === `$ota/report/${path(known)}`) return "accept";
    const { device } = session;
    this.#host.violation({ at: this.#host.now(), device, rule: "published to a topic that is not its own", topic });
    return "drop";
  }

  subscribe(session: Session, filter: string): boolean {
    const known = this.#byId.get(session.device);
    if (known && filter === `$ota/update/${path(known)}`) return true;
    const { device } = session;
    this.#host.violation({
      at: this.#host.now(),
      device,
      rule: "subscribed to a topic that is not its own",
      topic: filter,
    });
    return false;
  }

  push(device: string, file: Package, options: PushOptions = {}): Task {
    const known = this.#byId.get(device);
    if (!known) throw new Error(`no device ${device}`);
    const { bus, tasks, devices } = this.#host;
    const older = tasks.active(device);
    if (older) this.cancel(older);
    const online = devices.get(device)?.online === true || !bus.tellsPresence;
    const task = tasks.create({
      device,
      package: file.id,
      version: file.version,
      status: "pending",
      state: online ? TENCENT_STATE.pending : TENCENT_STATE.offline,
      createdAt: this.#host.now(),
      ...(options.rollout === undefined ? {} : { rollout: options.rollout }),
      ...(options.fields ? { fields: options.fields } : {}),
    });
    if (online) this.#offer(known, task);
    return tasks.get(task.id)!;
  }

  cancel(task: Task, why?: "timeout"): void {
    if (isFinal(this.#host.tasks.get(task.id) ?? task)) return;
    this.#finish(task, why === "timeout" ? TIMED_OUT : { status: "cancelled" });
  }

  deviceConfig(device: string): Record<string, unknown> | undefined {
    const identity = this.#byId.get(device)?.identity;
    if (!identity) return undefined;
    const { productId, deviceName, deviceSecret } = identity;
    return {
      platform: this.name,
      auth_mode: deviceSecret === undefined ? "CERT" : "KEY",
      productId,
      deviceName,
      ...(deviceSecret === undefined
        ? { cert_deviceinfo: { devCertFile: `${deviceName}.crt.pem`, devPrivateKeyFile: `${deviceName}.key.pem` } }
        : { key_deviceinfo: { deviceSecret } }),
    };
  }

  #report(message: BusMessage): void {
    const [, , productId, deviceName] = message.topic.split("/");
    const known = this.#byId.get(`tencent/${productId}/${deviceName}`);
    if (!known) return;
    const payload = Buffer.from(message.payload).toString("utf8");
    const connection = message.session?.serial;
    const { at, topic, qos, dup } = message;
    this.#host.devices.log(known.id, {
      at,
      direction: "up",
      topic,
      payload,
      qos,
      dup,
      ...(connection === undefined ? {} : { connection }),
    });
    const { report, complaints } = readReport(payload);
    for (const rule of complaints) this.#host.violation({ at, device: known.id, rule, topic, payload });
    if (report?.type === "report_version") this.#version(known, report.version, at);
    else if (report) this.#progress(known, report, message, payload);
  }

  /** The answer, then the pending task once more: that is how a device gets what it missed, and a fresh URL. */
  #version(known: Known, version: string, at: number): void {
    const { devices, tasks } = this.#host;
    devices.version(known.id, version, at);
    this.#send(known, { result_code: 0, result_msg: "success", type: "report_version_rsp", version });
    known.pushLater?.();
    known.pushLater = this.#host.after(this.#pushDelay, () => {
      const task = tasks.active(known.id);
      if (task && task.version !== devices.get(known.id)?.version) this.#offer(known, task);
    });
  }

  #progress(known: Known, report: ProgressReport, message: BusMessage, payload: string): void {
    const { devices, tasks } = this.#host;
    const seconds = announcedSeconds(report.message);
    if (seconds !== undefined) devices.asleep(known.id, seconds, message.at);
    const final = report.state === "done" || report.state === "fail";
    const task = final ? tasks.awaited(known.id) : tasks.active(known.id);
    if (!task || task.version !== report.version) {
      this.#unexpected(known, report, message, payload);
      return;
    }
    switch (report.state) {
      case "downloading": {
        const { percent } = report;
        const progress = percent === undefined ? {} : { percent };
        tasks.update(task.id, { status: "upgrading", state: TENCENT_STATE.downloading, ...progress });
        break;
      }
      case "burning":
        tasks.update(task.id, { status: "upgrading", state: TENCENT_STATE.burning });
        break;
      case "done":
      case "fail": {
        known.ending = { payload, connection: message.session?.serial };
        const { code, message: resultMessage } = report;
        const end =
          report.state === "done"
            ? ({ status: "success", state: TENCENT_STATE.done } as const)
            : ({ status: "failure", state: TENCENT_STATE.failed } as const);
        this.#finish(task, { ...end, ...(Number.isNaN(code) ? {} : { code }), message: resultMessage });
        break;
      }
    }
  }

  /**
   * A report that no open task is waiting for. A device can not know of a cancelled or timed-out task, and repeats its
   * last report while no PUBACK has come: marked as a duplicate, or over a new connection. Anything else breaks the
   * protocol.
   */
  #unexpected(known: Known, report: ProgressReport, message: BusMessage, payload: string): void {
    const { at, topic } = message;
    const task = this.#host.tasks.ofDevice(known.id).findLast((one) => isFinal(one) && one.version === report.version);
    if (task?.status === "cancelled" || task?.state === TENCENT_STATE.timedOut) return;
    if (task && isRepetition(known.ending, payload, message)) return;
    const rule = task ? "reported after its final report" : "reported on a version that was not pushed";
    this.#host.violation({ at, device: known.id, ...(task ? { task: task.id } : {}), rule, topic, payload });
  }

  #offer(known: Known, task: Task): void {
    known.pushLater?.();
    const { tasks, packages, files, urlLifetime } = this.#host;
    const file = packages.get(task.package);
    if (!file) {
      this.#finish(task, { status: "failure", state: TENCENT_STATE.failed, message: "the package was removed" });
      return;
    }
    const start = Math.floor(files.now() / 1000);
    const label = `${known.identity.productId}_${file.version}`;
    this.#send(known, {
      file_size: file.size,
      md5sum: file.md5,
      type: "update_firmware",
      url: this.#host.origin(known.id) + files.sign(file, label, known.id, start, start + urlLifetime),
      version: file.version,
      ...task.fields,
    });
    const pushedAt = this.#host.now();
    const pushes = task.pushes + 1;
    tasks.update(task.id, { status: "pushed", state: TENCENT_STATE.delivered, pushedAt, pushes });
    if (this.#taskTimeout === undefined) return;
    known.timeout?.();
    known.timeout = this.#host.after(this.#taskTimeout * 1000, () => {
      const open = tasks.active(known.id);
      if (open?.id === task.id) this.cancel(open, "timeout");
    });
  }

  #finish(task: Task, change: Pick<Task, "status"> & Partial<Pick<Task, "state" | "code" | "message">>): void {
    const known = this.#byId.get(task.device);
    known?.timeout?.();
    known?.pushLater?.();
    this.#host.tasks.update(task.id, { ...change, finishedAt: this.#host.now() });
  }

  /** Everything goes down at QoS 0, compact and with its keys in this order, as the platform's logs show. */
  #send(known: Known, message: Record<string, unknown>): void {
    const topic = `$ota/update/${path(known)}`;
    const payload = JSON.stringify(message);
    const at = this.#host.now();
    this.#host.devices.log(known.id, { at, direction: "down", topic, payload, qos: 0, dup: false });
    this.#host.bus.publish(topic, payload, 0);
  }
}

function path({ identity }: Known): string {
  return `${identity.productId}/${identity.deviceName}`;
}
