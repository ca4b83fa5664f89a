/** The operator's side of the server: packages, assignments, and the offers that follow from them (facts 9 to 20). */
import { randomUUID } from "node:crypto";
import type { AttributeValue, ChecksumAlgorithm } from "../../../host-sim/operators/thingsboard/operator";
import { ALGORITHMS, checksum } from "./checksums";
import { addSample, assignedTo, FIRMWARE_KEYS, offerOf } from "./model";
import type { Credentials, Device, OtaPackage, Profile } from "./model";

/** The server refuses: HTTP status of the REST API, and its message. */
export class OperatorError extends Error {
  readonly status: number;

  constructor(status: number, reason: string) {
    super(reason);
    this.status = status;
  }
}

/** Told when something concerns a connection. */
export interface Watcher {
  /** Runs what follows from an assignment, in order for each device. */
  later(device: Device, run: () => void): void;
  /** A message on `v1/devices/me/attributes`. */
  pushed(device: Device, message: Record<string, unknown>): void;
  /** The device's connection is closed at once (fact 3). */
  expelled(device: Device): void;
  /** No bytes of this package are left. */
  forgotten(firmware: OtaPackage): void;
}

export interface PackageInfo {
  readonly title: string;
  readonly version: string;
  readonly tag?: string | undefined;
  readonly url?: string | undefined;
  readonly size?: number | undefined;
  readonly algorithm?: ChecksumAlgorithm | undefined;
  readonly checksum?: string | undefined;
}

const TEXT_MAX = 255;
/** spring.servlet.multipart.max-file-size */
const FILE_MAX = 50 * 1024 * 1024;

export class Repository {
  readonly now: () => number;
  readonly profiles = new Map<string, Profile>();
  readonly packages = new Map<string, OtaPackage>();
  readonly devices = new Map<string, Device>();
  readonly #watcher: Watcher;

  constructor(now: () => number, watcher: Watcher) {
    this.now = now;
    this.#watcher = watcher;
  }

  createProfile(name: string): Profile {
    const profile: Profile = { id: randomUUID(), name, firmware: undefined };
    this.profiles.set(profile.id, profile);
    return profile;
  }

  createDevice(name: string, profile: Profile, token = randomUUID().replaceAll("-", "").slice(0, 20)): Device {
    if ([...this.devices.values()].some((each) => each.name === name))
      throw new OperatorError(400, "Device with such name already exists!");
    const device: Device = {
      id: randomUUID(),
      name,
      profile,
      firmware: undefined,
      credentials: { type: "ACCESS_TOKEN", token },
      shared: new Map(),
      client: new Map(),
      telemetry: new Map(),
    };
    this.devices.set(device.id, device);
    const firmware = assignedTo(device);
    if (firmware !== undefined) this.#offer(device, firmware);
    return device;
  }

  deleteDevice(device: Device): void {
    this.devices.delete(device.id);
    this.#watcher.expelled(device);
  }

  setCredentials(device: Device, credentials: Credentials): void {
    device.credentials = credentials;
    this.#watcher.expelled(device);
  }

  createPackage(profile: Profile, info: PackageInfo): OtaPackage {
    const { title, version, tag, url, size, algorithm, checksum: digest } = info;
    for (const text of [title, version, tag ?? "x", url ?? "x"]) {
      if (text.length > TEXT_MAX) throw new OperatorError(400, `Validation error: length must be ${TEXT_MAX} at most`);
      // Text that looks like an element of HTML is refused, a lone character is not (fact 11).
      if (text === "" || /<\w+[^>]*>/.test(text)) throw new OperatorError(400, "Validation error: is malformed");
    }
    if ([...this.packages.values()].some((each) => each.title === title && each.version === version))
      throw new OperatorError(400, "OtaPackage with such title and version already exists!");
    const firmware: OtaPackage = {
      id: randomUUID(),
      profile,
      title,
      version,
      tag: tag === "" ? undefined : tag,
      url,
      data: undefined,
      ...(url === undefined
        ? { size: undefined, algorithm: undefined, checksum: undefined }
        : { size, algorithm, checksum: digest }),
    };
    this.packages.set(firmware.id, firmware);
    return firmware;
  }

  uploadData(firmware: OtaPackage, data: Uint8Array, algorithm: ChecksumAlgorithm, digest?: string): void {
    if (firmware.url !== undefined || firmware.data !== undefined)
      throw new OperatorError(400, "Updating otaPackage data is unavailable!");
    if (data.length === 0) throw new OperatorError(400, "OtaPackage data should be specified!");
    if (data.length > FILE_MAX) throw new OperatorError(413, "Maximum upload size exceeded");
    if (!ALGORITHMS.includes(algorithm)) throw new OperatorError(400, "OtaPackage checksum algorithm is unknown!");
    const computed = checksum(algorithm, data);
    // An upper-case digest is wrong too (fact 9).
    if (digest !== undefined && digest !== computed) throw new OperatorError(400, "Wrong otaPackage file!");
    Object.assign(firmware, { data, size: data.length, algorithm, checksum: computed });
  }

  deletePackage(firmware: OtaPackage): void {
    const users: readonly (Device | Profile)[] = [...this.devices.values(), ...this.profiles.values()];
    if (users.some((each) => each.firmware === firmware))
      throw new OperatorError(400, "The otaPackage referenced by the devices cannot be deleted!");
    this.packages.delete(firmware.id);
    this.#watcher.forgotten(firmware);
  }

  assign(device: Device, firmware: OtaPackage | undefined): void {
    this.#assertAssignable(device.profile, firmware);
    this.#follow([device], () => (device.firmware = firmware));
  }

  assignToProfile(profile: Profile, firmware: OtaPackage | undefined): void {
    this.#assertAssignable(profile, firmware);
    const devices = [...this.devices.values()].filter((each) => each.profile === profile);
    this.#follow(devices, () => (profile.firmware = firmware));
  }

  changeProfile(device: Device, profile: Profile): void {
    this.#assertAssignable(profile, device.firmware);
    this.#follow([device], () => (device.profile = profile));
  }

  setShared(device: Device, attributes: Readonly<Record<string, AttributeValue>>): void {
    for (const [key, value] of Object.entries(attributes)) device.shared.set(key, value);
    this.#watcher.pushed(device, attributes);
  }

  profile(id: string): Profile {
    return found(this.profiles.get(id), `Device profile with id [${id}]`);
  }

  device(id: string): Device {
    return found(this.devices.get(id), `Device with id [${id}]`);
  }

  package(id: string): OtaPackage {
    return found(this.packages.get(id), `OtaPackage with id [${id}]`);
  }

  #assertAssignable(profile: Profile, firmware: OtaPackage | undefined): void {
    if (firmware === undefined) return;
    if (firmware.data === undefined && firmware.url === undefined)
      throw new OperatorError(400, "Can't assign firmware with empty data!");
    if (firmware.profile !== profile)
      throw new OperatorError(400, "Can't assign firmware with different deviceProfile!");
  }

  /** The same assignment once more does nothing (fact 13). */
  #follow(devices: readonly Device[], change: () => void): void {
    const before = devices.map(assignedTo);
    change();
    devices.forEach((device, index) => {
      const now = assignedTo(device);
      if (now === before[index]) return;
      this.#watcher.later(device, () => {
        if (now !== undefined) return this.#offer(device, now);
        for (const key of FIRMWARE_KEYS) device.shared.delete(key);
        this.#watcher.pushed(device, { deleted: FIRMWARE_KEYS });
      });
    });
  }

  /** INITIATED is reached whether or not the device is there (fact 14). */
  #offer(device: Device, firmware: OtaPackage): void {
    const offer = offerOf(firmware);
    const ts = this.now();
    const note = (key: string, value: string | undefined, at = ts): void => {
      if (value !== undefined) addSample(device.telemetry, key, { ts: at, value });
    };
    note("target_fw_title", firmware.title);
    note("target_fw_version", firmware.version);
    note("target_fw_tag", firmware.tag);
    note("target_fw_ts", String(ts));
    note("fw_state", "QUEUED");
    note("fw_state", "INITIATED", ts + 1);
    const deleted = ["fw_checksum_algorithm", "fw_tag", "fw_checksum", "fw_size", "fw_url"].filter(
      (key) => !offer.has(key),
    );
    for (const key of deleted) device.shared.delete(key);
    // Told as deleted even where it never was there (fact 16).
    if (deleted.length > 0) this.#watcher.pushed(device, { deleted });
    for (const [key, value] of offer) device.shared.set(key, value);
    this.#watcher.pushed(device, Object.fromEntries(offer));
  }
}

function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new OperatorError(404, `${what} is not found`);
  return value;
}
