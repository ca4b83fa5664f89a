/** The operator's side of the double, in code: the interface that the REST client has for a real server. */
import type {
  AttributeValue,
  BasicCredentials,
  DeviceId,
  Link,
  Package,
  PackageId,
  ProfileId,
  ThingsBoardOperator,
} from "../../../host-sim/operators/thingsboard/operator";
import type { Repository } from "./repository";

interface Server {
  readonly url: string;
  readonly mqttPort: number;
  restart(): Promise<void>;
}

export class DoubleOperator implements ThingsBoardOperator {
  readonly #server: Server;
  readonly #repository: Repository;

  constructor(server: Server, repository: Repository) {
    this.#server = server;
    this.#repository = repository;
  }

  get server(): string {
    return this.#server.url;
  }

  get mqtt(): { readonly host: string; readonly port: number } {
    return { host: "127.0.0.1", port: this.#server.mqttPort };
  }

  async createProfile(name: string): Promise<ProfileId> {
    return this.#repository.createProfile(name).id;
  }

  async createDevice(
    name: string,
    profile: ProfileId,
  ): Promise<{ readonly id: DeviceId; readonly accessToken: string }> {
    const { id, credentials } = this.#repository.createDevice(name, this.#repository.profile(profile));
    return { id, accessToken: credentials.type === "ACCESS_TOKEN" ? credentials.token : "" };
  }

  async deleteDevice(device: DeviceId): Promise<void> {
    this.#repository.deleteDevice(this.#repository.device(device));
  }

  async useBasicCredentials(device: DeviceId, credentials: BasicCredentials): Promise<void> {
    this.#repository.setCredentials(this.#repository.device(device), { type: "MQTT_BASIC", ...credentials });
  }

  async useAccessToken(device: DeviceId, token: string): Promise<void> {
    this.#repository.setCredentials(this.#repository.device(device), { type: "ACCESS_TOKEN", token });
  }

  async upload(profile: ProfileId, { bytes, algorithm = "SHA256", checksum, ...info }: Package): Promise<PackageId> {
    const firmware = this.#repository.createPackage(this.#repository.profile(profile), info);
    this.#repository.uploadData(firmware, bytes, algorithm, checksum);
    return firmware.id;
  }

  async link(profile: ProfileId, firmware: Link): Promise<PackageId> {
    return this.#repository.createPackage(this.#repository.profile(profile), firmware).id;
  }

  async deletePackage(firmware: PackageId): Promise<void> {
    this.#repository.deletePackage(this.#repository.package(firmware));
  }

  async assign(device: DeviceId, firmware: PackageId | undefined): Promise<void> {
    this.#repository.assign(this.#repository.device(device), this.#package(firmware));
  }

  async assignToProfile(profile: ProfileId, firmware: PackageId | undefined): Promise<void> {
    this.#repository.assignToProfile(this.#repository.profile(profile), this.#package(firmware));
  }

  async setShared(device: DeviceId, attributes: Readonly<Record<string, AttributeValue>>): Promise<void> {
    this.#repository.setShared(this.#repository.device(device), attributes);
  }

  async attributes(device: DeviceId, scope: "SHARED_SCOPE" | "CLIENT_SCOPE"): Promise<Record<string, AttributeValue>> {
    const { shared, client } = this.#repository.device(device);
    return Object.fromEntries(scope === "SHARED_SCOPE" ? shared : client);
  }

  async telemetry(device: DeviceId, keys: readonly string[]): Promise<Record<string, readonly string[]>> {
    const { telemetry } = this.#repository.device(device);
    return Object.fromEntries(
      keys.flatMap((key) => (telemetry.has(key) ? [[key, telemetry.get(key)!.map(({ value }) => value)]] : [])),
    );
  }

  restart(): Promise<void> {
    return this.#server.restart();
  }

  async cleanUp(): Promise<void> {
    for (const device of this.#repository.devices.values()) this.#repository.deleteDevice(device);
    for (const profile of this.#repository.profiles.values()) profile.firmware = undefined;
    for (const firmware of this.#repository.packages.values()) this.#repository.deletePackage(firmware);
    this.#repository.profiles.clear();
  }

  #package(id: PackageId | undefined): ReturnType<Repository["package"]> | undefined {
    return id === undefined ? undefined : this.#repository.package(id);
  }
}
