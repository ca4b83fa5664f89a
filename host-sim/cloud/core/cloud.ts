import { randomBytes } from "node:crypto";
import { EventEmitter } from "node:events";
import { join } from "node:path";
import { BoundedLog } from "./bounded-log";
import type { Broker, Bus } from "./broker/bus";
import { DEFAULT_HOST, httpListener, prepareTls, publicHostOf } from "./cloud-options";
import type { CloudOptions, PreparedTls } from "./cloud-options";
import { settled, type CloudEvents } from "./cloud-events";
import { deviceConfig } from "./devices/device-config";
import { Recordings } from "./devices/recordings";
import { DeviceRegistry, type Device, type LoggedMessage } from "./devices/devices";
import { isAsleep } from "./devices/sleep";
import { brokerAddress } from "./broker/external-broker";
import { FileServer, type Served } from "./files/file-server";
import { HttpFront, type RequestHandler } from "./listeners/http-front";
import { PackageStore, type Package } from "./files/packages";
import type { PlatformSide, PushOptions, SideHost, Violation } from "./platforms/platform-side";
import { UrlSigner } from "./files/presign";
import { brokerClientId, makeBroker } from "./broker/make-broker";
import { RunningTime, steadyNow } from "./running-time";
import { Rollouts } from "./rollouts/rollouts";
import { createSides, Sides } from "./platforms/sides";
import { DownloadOrigins } from "./listeners/origins";
import { StateDatabase } from "./state/database";
import { StateKeeper } from "./state/keeper";
import { restore } from "./state/restore";
import { TaskLedger, type Task } from "./devices/tasks";
import { Timers } from "./timers";
import { Traffic } from "./files/traffic";

const URL_LIFETIME = 86_400;
const LOG_LIMIT = 500;
const VIOLATIONS_KEPT = 1_000;

/** Rollouts look at the clock this often, in milliseconds. */
const TICK = 1_000;
/** In the state folder. */
const PACKAGES_FOLDER = "packages";

/**
 * A whole OTA cloud in this process. Packages, devices, tasks and rollouts are there before `start` and after `stop`;
 * both may be called again. With a state folder everything outlives the process. Rejects with one line if a folder can
 * not be used.
 */
export async function createCloud(options: CloudOptions = {}): Promise<Cloud> {
  const { state } = options;
  const database = state === undefined ? undefined : await StateDatabase.open(state);
  try {
    const packages = await PackageStore.open(
      options.packages ?? (state === undefined ? undefined : join(state, PACKAGES_FOLDER)),
    );
    const tls = options.tls && (await prepareTls(options.tls, options));
    return new Cloud(options, packages, tls, database);
  } catch (error) {
    database?.close();
    throw error;
  }
}

export class Cloud extends EventEmitter<CloudEvents> {
  readonly packages: PackageStore;
  readonly devices: DeviceRegistry;
  readonly tasks: TaskLedger;
  readonly recordings: Recordings;
  readonly traffic = new Traffic();
  readonly files: FileServer;
  readonly tls: PreparedTls | undefined;
  readonly publicHost: string;
  /** Scheme, host and port of the proxy in front, if there is one. */
  readonly publicUrl: string | undefined;
  /** Where devices find the broker. */
  readonly brokerHost: string;
  readonly rollouts: Rollouts;
  /** Where it outlives the process. */
  readonly database: StateDatabase | undefined;
  /** Stores what changes; undefined where nothing is stored, and until the stored state is restored. */
  keeper: StateKeeper | undefined;
  readonly #sides: Sides;
  readonly #broker: Broker;
  readonly #brokerIsElsewhere: boolean;
  readonly #http: HttpFront;
  readonly #handlers: RequestHandler[];
  readonly #violations = new BoundedLog<Violation>(VIOLATIONS_KEPT);
  readonly #timers = new Timers();
  readonly #origins: DownloadOrigins;
  readonly #now: () => number;
  readonly #running: RunningTime;

  constructor(
    options: CloudOptions,
    packages: PackageStore,
    tls: PreparedTls | undefined,
    database: StateDatabase | undefined,
  ) {
    super();
    this.setMaxListeners(0);
    const { now = Date.now, host = DEFAULT_HOST } = options;
    this.#now = now;
    this.#running = new RunningTime(options.running ?? options.now, database?.setting(RunningTime.SETTING));
    this.publicHost = publicHostOf(options);
    this.#origins = new DownloadOrigins(this.publicHost, this, options.downloadOrigin ?? options.publicUrl);
    this.packages = packages;
    this.publicUrl = options.publicUrl;
    this.tls = tls;
    this.database = database;
    this.devices = new DeviceRegistry(
      {
        device: (device) => this.#deviceChanged(device),
        message: (device, message) => this.#messageLogged(device, message),
      },
      options.logLimit ?? LOG_LIMIT,
    );
    this.tasks = new TaskLedger((task) => this.#taskChanged(task));
    this.rollouts = this.#makeRollouts();
    const secret = (): string => randomBytes(32).toString("hex");
    const signer = new UrlSigner(options.urlSecret ?? database?.settingOr("url-secret", secret) ?? secret());
    const { traffic } = this;
    const connected = (): void => traffic.connection();
    const served = (one: Served): unknown => this.emit("served", one);
    this.files = new FileServer({ packages, signer, traffic, now: options.now ?? steadyNow, served }, options.throttle);
    this.#sides = new Sides([...createSides(options), ...(options.sides ?? [])]);
    this.#brokerIsElsewhere = options.broker !== undefined;
    this.brokerHost = options.broker === undefined ? this.publicHost : brokerAddress(options.broker.url).host;
    this.#broker = makeBroker({
      options,
      host,
      tls,
      now,
      gate: this.#sides.gate((at, clientId, reason) => this.emit("refused", { at, clientId, reason })),
      clientId: () => database?.settingOr("broker-client", brokerClientId) ?? brokerClientId(),
      onState: (connected, message) => this.emit("broker", connected, message),
    });
    this.#handlers = [this.#sides.handler, (from, to) => this.files.handle(from, to).then(() => true)];
    this.recordings = new Recordings(this, (device) => this.emit("device", device));
    this.#http = new HttpFront({ ...httpListener(options, tls), handlers: this.#handlers, connected });
    this.#broker.onPresence(({ session, online, at }) => this.devices.presence(session, online, at));
    const sideHost = this.#sideHost(options.urlLifetime ?? URL_LIFETIME);
    for (const side of this.#sides.list()) side.attach(sideHost);
    if (!database) return;
    restore(database, this, { online: !this.#broker.tellsPresence });
    this.keeper = new StateKeeper(
      database,
      this.#running,
      (id) => this.identity(id),
      (trouble) => this.emit("storage", trouble),
    );
  }

  /** Rejects with one line if a port can not be had; nothing listens then. */
  async start(): Promise<void> {
    this.#timers.open();
    try {
      await this.#http.start();
      await this.#broker.start();
      this.rollouts.goOn();
      this.#timers.every(TICK, () => this.keeper?.trouble === undefined && this.rollouts.tick());
      this.#timers.every(RunningTime.STORED_EVERY, () => this.keeper?.flush());
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Looks whether our own certificate is to be renewed; to be called now and then. */
  async renew(): Promise<void> {
    if ((await this.tls?.renew(this.#now())) !== true) return;
    this.#broker.present();
    this.#http.present();
  }

  /** Cuts every connection and frees the ports. A dropped push comes with the next version report. */
  async stop(): Promise<void> {
    this.#timers.close();
    await Promise.all([this.#broker.stop(), this.#http.stop()]);
    this.keeper?.flush();
  }

  /** Stops, and closes the state folder: nothing is stored after this. */
  async close(): Promise<void> {
    await this.stop();
    this.keeper?.close();
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

  /** PEM that devices must trust, where there is TLS. */
  get root(): string | undefined {
    return this.tls?.identity.root;
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

  /** Names of the platforms that are played. */
  get platforms(): readonly string[] {
    return this.#sides.names;
  }

  /** Adds a device by its identity on its platform. Returns its id. Throws one line on a bad or taken identity. */
  addDevice(platform: string, identity: unknown): string {
    const id = this.#sides.named(platform).add(identity);
    const device = this.devices.get(id);
    if (device) this.keeper?.device(device);
    return id;
  }

  /** What `addDevice` took. Holds the device's secret. */
  identity(id: string): Record<string, unknown> | undefined {
    return this.#sides.ofDevice(id)?.identity(id);
  }

  /** Ends its task and its connection, and forgets it. That there is none is no error. */
  removeDevice(id: string): void {
    const task = this.tasks.active(id);
    if (task) this.cancel(task.id);
    const clientId = this.devices.remove(id);
    this.#sides.ofDevice(id)?.remove(id);
    this.tasks.forget(id);
    this.recordings.forget(id);
    this.#origins.set(id, undefined);
    this.keeper?.deviceRemoved(id);
    this.emit("deviceRemoved", id);
    if (clientId !== undefined) this.#broker.disconnect(clientId);
  }

  /** Scheme, host and port of one device's downloads, such as a weak link. Undefined: the usual ones. */
  route(device: string, origin: string | undefined): void {
    this.#origins.set(device, origin);
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
    return settled(this, this.tasks, taskId);
  }

  /** The newest breaches of protocol, oldest first. */
  violations(): Violation[] {
    return this.#violations.entries();
  }

  /** The device.json of a device, with its secret. `rootFile` names the file with `root`, and asks for TLS. */
  deviceConfig(device: string, rootFile?: string): Record<string, unknown> {
    return deviceConfig(this, this.#brokerIsElsewhere, this.#sideOf(device).deviceConfig(device), rootFile);
  }

  #sideOf(device: string): PlatformSide {
    const side = this.devices.get(device) && this.#sides.ofDevice(device);
    if (!side) throw new Error(`no device ${device}`);
    return side;
  }

  #deviceChanged(device: Device): void {
    this.keeper?.device(device);
    this.emit("device", device);
  }

  #messageLogged(device: Device, message: LoggedMessage): void {
    if (!this.#broker.tellsPresence && message.direction === "up") this.devices.heard(device.id, message.at);
    this.keeper?.message(device, message);
    this.emit("message", device, message);
  }

  /** Stores the task together with its rollout's member before anything follows from the change. */
  #taskChanged(task: Task): void {
    this.rollouts.follow(task);
    this.keeper?.task(task);
    this.emit("task", task);
    // No further device is asked while nobody would remember it; the next tick goes on.
    if (this.keeper?.trouble === undefined) this.rollouts.react(task);
  }

  #makeRollouts(): Rollouts {
    return new Rollouts({
      now: this.#now,
      running: () => this.#running.now(),
      devices: () => this.devices.list(),
      package: (id) => this.packages.get(id),
      task: (id) => this.tasks.get(id),
      asleep: (device) => isAsleep(this.devices.get(device)?.sleep, this.#now()),
      push: (device, file, options) => this.push(device, file, options),
      cancel: (task, why) => this.#sideOf(task.device).cancel(task, why),
      changed: (rollout) => {
        this.keeper?.rollout(rollout);
        this.emit("rollout", rollout);
      },
      removed: (id) => {
        this.keeper?.rolloutRemoved(id);
        this.emit("rolloutRemoved", id);
      },
      memberChanged: (rollout, member) => this.keeper?.member(rollout, member),
    });
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
      origin: (device) => this.#origins.of(device),
      after: (milliseconds, run) => this.#timers.after(milliseconds, run),
      violation: (violation) => {
        this.#violations.add(violation);
        this.emit("violation", violation);
      },
    };
  }
}
