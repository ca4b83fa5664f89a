/**
 * What an operator does on a ThingsBoard server, and what the server's own records say: one interface for a real server
 * (rest.ts) and for the double in tests/doubles/thingsboard, so that the same scenarios run against both.
 */

export interface ThingsBoardOperator {
  /** http://host:port of the device API. */
  readonly server: string;
  readonly mqtt: { readonly host: string; readonly port: number };
  /** A device profile; packages and devices belong to one. */
  createProfile(name: string): Promise<ProfileId>;
  createDevice(name: string, profile: ProfileId): Promise<{ readonly id: DeviceId; readonly accessToken: string }>;
  deleteDevice(device: DeviceId): Promise<void>;
  /** MQTT basic credentials in place of the access token. Ends the device's connection. */
  useBasicCredentials(device: DeviceId, credentials: BasicCredentials): Promise<void>;
  /** An access token, in place of what the device has. Ends its connection as well. */
  useAccessToken(device: DeviceId, token: string): Promise<void>;
  upload(profile: ProfileId, firmware: Package): Promise<PackageId>;
  /** A package that is only an address. */
  link(profile: ProfileId, firmware: Link): Promise<PackageId>;
  deletePackage(firmware: PackageId): Promise<void>;
  /** Undefined: the device's own assignment is taken away, that of its profile holds. */
  assign(device: DeviceId, firmware: PackageId | undefined): Promise<void>;
  assignToProfile(profile: ProfileId, firmware: PackageId | undefined): Promise<void>;
  setShared(device: DeviceId, attributes: Readonly<Record<string, AttributeValue>>): Promise<void>;
  attributes(device: DeviceId, scope: "SHARED_SCOPE" | "CLIENT_SCOPE"): Promise<Record<string, AttributeValue>>;
  /** Values of these keys, the oldest first. */
  telemetry(device: DeviceId, keys: readonly string[]): Promise<Record<string, readonly string[]>>;
  /** Undefined where a person has to do it: a real server is not restarted through its REST API. */
  restart?(): Promise<void>;
  /** Removes all that this operator made. */
  cleanUp(): Promise<void>;
}

export type ProfileId = string;
export type DeviceId = string;
export type PackageId = string;
export type AttributeValue = string | number | boolean;

export interface BasicCredentials {
  readonly clientId?: string;
  readonly userName?: string;
  readonly password?: string;
}

export type ChecksumAlgorithm = "MD5" | "SHA256" | "SHA384" | "SHA512" | "CRC32" | "MURMUR3_32" | "MURMUR3_128";

interface Named {
  readonly title: string;
  readonly version: string;
  readonly tag?: string;
}

export interface Package extends Named {
  readonly bytes: Uint8Array;
  /** Default: SHA256. */
  readonly algorithm?: ChecksumAlgorithm;
  /** Default: the server computes it. */
  readonly checksum?: string;
}

export interface Link extends Named {
  readonly url: string;
  readonly size?: number;
  readonly algorithm?: ChecksumAlgorithm;
  readonly checksum?: string;
}
