import { randomBytes } from "node:crypto";
import { EventEmitter } from "node:events";
import { isIPv6 } from "node:net";
import { BoundedLog } from "./bounded-log";
import { EmbeddedBroker } from "./broker";
import type { Bus } from "./bus";
import type { Authority } from "./certificates";
import { ports, prepareTls, reachable, type CloudOptions, type PreparedTls } from "./cloud-options";
import { DeviceRegistry, type Device, type LoggedMessage } from "./devices";
import { FileServer, type Served } from "./file-server";
import type { Gate } from "./gate";
import { HttpFront, type RequestHandler } from "./http-front";
import { PackageStore, type Package } from "./packages";
import type { PlatformSide, PushOptions, SideHost, Violation } from "./platform-side";
import { UrlSigner } from "./presign";
import { isFinal, TaskLedger, type Task } from "./tasks";
import { TencentSide } from "./tencent";
import { Traffic } from "./traffic";

/** Somebody was not let in. */
export interface Refusal {
  readonly at: number;
  readonly clientId: string;
  readonly reason: string;
}

export interface CloudEvents {
  device: [Device];
  message: [Device, LoggedMessage];
  task: [Task];
  served: [Served];
  violation: [Violation];
  refused: [Refusal];
}

const URL_LIFETIME = 86_400;
const LOG_LIMIT = 500;
const VIOLATIONS_KEPT = 1_000;

/**
 * A whole OTA cloud in this process. Packages, devices and tasks are there before `start` and after `stop`; both may be
 * called again. Rejects if the package folder can not be used.
 */
export async function createCloud(options: CloudOptions = {}): Promise<Cloud> {
  const packages = await PackageStore.open(options.packages);
  const host = options.host ?? "127.0.0.1";
  const publicHost = options.publicHost ?? reachable(host);
  const tls = options.tls && (await prepareTls(options.tls, host, publicHost));
  return new Cloud(options, host, publicHost, packages, tls);
}

export class Cloud extends EventEmitter<CloudEvents> {
  readonly packages: PackageStore;
  readonly devices: DeviceRegistry;
  readonly tasks: TaskLedger;
  readonly traffic = new Traffic();
  readonly files: FileServer;
  readonly tencent: TencentSide;
  /** PEM that devices must trust, where there is TLS. */
  readonly root: string | undefined;
  /** Issues client certificates, where there is TLS and its certificate is not from elsewhere. */
  readonly authority: Authority | undefined;
  readonly publicHost: string;
  readonly #sides: readonly PlatformSide[];
  readonly #broker: EmbeddedBroker;
  readonly #http: HttpFront;
  readonly #handlers: RequestHandler[] = [];
  readonly #violations = new BoundedLog<Violation>(VIOLATIONS_KEPT);
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #now: () => number;
  #started = false;

  constructor(
    options: CloudOptions,
    host: string,
    publicHost: string,
    packages: PackageStore,
    tls: PreparedTls | undefined,
  ) {
    super();
    this.setMaxListeners(0);
    const now = options.now ?? Date.now;
    this.#now = now;
    this.packages = packages;
    this.publicHost = publicHost;
    this.root = tls?.identity.root;
    this.authority = tls?.authority;
    this.devices = new DeviceRegistry(
      {
        device: (device) => this.emit("device", device),
        message: (device, message) => this.emit("message", device, message),
      },
      options.logLimit ?? LOG_LIMIT,
    );
    this.tasks = new TaskLedger((task) => this.emit("task", task));
    const signer = new UrlSigner(options.urlSecret ?? randomBytes(32).toString("hex"));
    const { traffic } = this;
    const served = (one: Served): unknown => this.emit("served", one);
    this.files = new FileServer({ packages, signer, traffic, now, served }, options.throttle);
    this.tencent = new TencentSide(options.tencent);
    this.#sides = [this.tencent, ...(options.sides ?? [])];
    this.#broker = new EmbeddedBroker({
      host,
      gate: this.#gate(),
      now,
      ...ports(options.mqttPort, tls && (options.tls?.mqttPort ?? 0)),
      ...(tls ? { tls: tls.identity } : {}),
    });
    this.#http = new HttpFront({
      host,
      connected: () => traffic.connection(),
      handlers: [
        (request, response) => firstOf(this.#handlers, (handler) => handler(request, response)),
        (request, response) => this.#sides.some((side) => side.request?.(request, response) === true),
        (request, response) => this.files.handle(request, response).then(() => true),
      ],
      ...ports(options.httpPort, tls && (options.tls?.httpsPort ?? 0)),
      ...(tls ? { tls: tls.identity } : {}),
    });
    this.#broker.onPresence(({ session, online, at }) => this.devices.presence(session, online, at));
    const sideHost = this.#sideHost(options.urlLifetime ?? URL_LIFETIME);
    for (const side of this.#sides) side.attach(sideHost);
  }

  /** Rejects with one line if a port can not be had; nothing listens then. */
  async start(): Promise<void> {
    this.#started = true;
    try {
      await this.#http.start();
      await this.#broker.start();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Cuts every connection and frees the ports; pushes that were due are dropped and come with the next version report. */
  async stop(): Promise<void> {
    this.#started = false;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    await Promise.all([this.#broker.stop(), this.#http.stop()]);
  }

  /** 0 where there is no such listener. */
  get mqttPort(): number {
    return this.#broker.port;
  }
  get mqttsPort(): number {
    return this.#broker.tlsPort;
  }
  get httpPort(): number {
    return this.#http.port;
  }
  get httpsPort(): number {
    return this.#http.tlsPort;
  }

  get bus(): Bus {
    return this.#broker;
  }

  /** Cuts a device's MQTT connection from this end. */
  disconnect(clientId: string): void {
    this.#broker.disconnect(clientId);
  }

  /** Handlers are asked before the file server, the latest first. Returns the way to remove it. */
  onRequest(handler: RequestHandler): () => void {
    this.#handlers.unshift(handler);
    return () => void this.#handlers.splice(this.#handlers.indexOf(handler), 1);
  }

  /** Updates a device of whatever platform. Throws on an unknown one. */
  push(device: string, file: Package, options?: PushOptions): Task {
    return this.#sideOf(device).push(device, file, options);
  }

  /** Throws if there is no such task. That it is final already is no error. */
  cancel(taskId: string): void {
    const task = this.tasks.get(taskId);
    if (!task) throw new Error(`no task ${taskId}`);
    this.#sideOf(task.device).cancel(task);
  }

  /** Resolves when the task is final. */
  settled(taskId: string): Promise<Task> {
    return new Promise((resolve, reject) => {
      const task = this.tasks.get(taskId);
      if (!task) return reject(new Error(`no task ${taskId}`));
      if (isFinal(task)) return resolve(task);
      const changed = (now: Task): void => {
        if (now.id !== taskId || !isFinal(now)) return;
        this.off("task", changed);
        resolve(now);
      };
      this.on("task", changed);
    });
  }

  /** The newest breaches of protocol, oldest first. */
  violations(): Violation[] {
    return this.#violations.entries();
  }

  /** The device.json of a device; `rootFile` names the file with `root`, and asks for TLS. Holds the device's secret. */
  deviceConfig(device: string, rootFile?: string): Record<string, unknown> {
    const { platform, ...identity } = this.#sideOf(device).deviceConfig(device) ?? {};
    const host = this.publicHost;
    const mqtt =
      rootFile === undefined
        ? { host, port: this.mqttPort, tls: false }
        : { host, port: this.mqttsPort, tls: true, ca: rootFile };
    const https = this.root === undefined || rootFile === undefined ? {} : { https: { ca: rootFile } };
    return { platform, mqtt, ...https, ...identity };
  }

  #sideOf(device: string): PlatformSide {
    const platform = this.devices.get(device)?.platform;
    const side = this.#sides.find(({ name }) => name === platform);
    if (!side) throw new Error(`no device ${device}`);
    return side;
  }

  #gate(): Gate {
    const of = (name: string): PlatformSide | undefined => this.#sides.find((side) => side.name === name);
    return {
      connect: (attempt) => {
        const found = this.#sides.map((side) => side.connect(attempt)).find((one) => one !== undefined);
        const admission = found ?? { admitted: false, code: 5, reason: "unknown device" };
        const { clientId, at } = attempt;
        if (!admission.admitted) this.emit("refused", { at, clientId, reason: admission.reason });
        return admission;
      },
      publish: (session, topic) => of(session.side)?.publish(session, topic) ?? "disconnect",
      subscribe: (session, filter) => of(session.side)?.subscribe(session, filter) ?? false,
    };
  }

  #sideHost(urlLifetime: number): SideHost {
    const { packages, files, devices, tasks } = this;
    return {
      bus: this.#broker,
      packages,
      files,
      devices,
      tasks,
      urlLifetime,
      now: this.#now,
      origin: () => {
        const name = isIPv6(this.publicHost) ? `[${this.publicHost}]` : this.publicHost;
        return this.httpsPort > 0 ? `https://${name}:${this.httpsPort}` : `http://${name}:${this.httpPort}`;
      },
      after: (milliseconds, run) => {
        if (!this.#started) return () => undefined;
        const timer = setTimeout(() => {
          this.#timers.delete(timer);
          run();
        }, milliseconds);
        this.#timers.add(timer);
        return () => {
          clearTimeout(timer);
          this.#timers.delete(timer);
        };
      },
      violation: (violation) => {
        this.#violations.add(violation);
        this.emit("violation", violation);
      },
    };
  }
}

async function firstOf<T>(items: readonly T[], test: (item: T) => boolean | Promise<boolean>): Promise<boolean> {
  for (const item of items) if (await test(item)) return true;
  return false;
}
