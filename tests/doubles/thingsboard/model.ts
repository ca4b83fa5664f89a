/** What a ThingsBoard server keeps of profiles, packages and devices. Facts by number: thingsboard.md, "Contract". */
import type {
  AttributeValue,
  BasicCredentials,
  ChecksumAlgorithm,
} from "../../../host-sim/operators/thingsboard/operator";

export interface OtaPackage {
  readonly id: string;
  readonly profile: Profile;
  readonly title: string;
  readonly version: string;
  readonly tag: string | undefined;
  /** Undefined until the file was uploaded, and for a package that is only an address. */
  data: Uint8Array | undefined;
  readonly url: string | undefined;
  size: number | undefined;
  algorithm: ChecksumAlgorithm | undefined;
  checksum: string | undefined;
}

export interface Profile {
  readonly id: string;
  readonly name: string;
  firmware: OtaPackage | undefined;
}

export type Credentials =
  | { readonly type: "ACCESS_TOKEN"; readonly token: string }
  | ({ readonly type: "MQTT_BASIC" } & BasicCredentials);

/** A value and its time, milliseconds since 1970. */
export interface Sample {
  readonly ts: number;
  readonly value: string;
}

export interface Device {
  readonly id: string;
  readonly name: string;
  profile: Profile;
  /** Its own assignment, which wins over the profile's (fact 13). */
  firmware: OtaPackage | undefined;
  credentials: Credentials;
  readonly shared: Map<string, AttributeValue>;
  readonly client: Map<string, AttributeValue>;
  /** By time. */
  readonly telemetry: Map<string, Sample[]>;
}

/** Keys of an offer, in the order of the server's own list (fact 18). */
export const FIRMWARE_KEYS = [
  "fw_checksum_algorithm",
  "fw_version",
  "fw_ts",
  "fw_tag",
  "fw_checksum",
  "fw_title",
  "fw_state",
  "fw_size",
  "fw_url",
] as const;

/** What counts for a device: its own, then its profile's. */
export const assignedTo = ({ firmware, profile }: Device): OtaPackage | undefined => firmware ?? profile.firmware;

/** Shared attributes of an offer (facts 15 and 20), in the order of the real push. */
export function offerOf({
  title,
  version,
  tag,
  url,
  size,
  algorithm,
  checksum,
}: OtaPackage): Map<string, AttributeValue> {
  const offer = new Map<string, AttributeValue>([
    ["fw_title", title],
    ["fw_version", version],
  ]);
  if (tag !== undefined) offer.set("fw_tag", tag);
  if (url !== undefined) offer.set("fw_url", url);
  if (size !== undefined) offer.set("fw_size", size);
  if (algorithm !== undefined) offer.set("fw_checksum_algorithm", algorithm);
  if (checksum !== undefined) offer.set("fw_checksum", checksum);
  return offer;
}

/** Sorted by time; a value of the same time is replaced (fact 43). */
export function addSample(telemetry: Map<string, Sample[]>, key: string, sample: Sample): void {
  const samples = telemetry.get(key) ?? [];
  telemetry.set(key, samples);
  const at = samples.findLastIndex(({ ts }) => ts <= sample.ts);
  if (samples[at]?.ts === sample.ts) samples[at] = sample;
  else samples.splice(at + 1, 0, sample);
}
