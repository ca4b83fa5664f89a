/** The second update of the demonstration: a container with a patch from the firmware that runs. */
import type { KeyObject } from "node:crypto";
import { firmwarePayload } from "../board/firmware/bundle";
import { signFirmware } from "../cli/signing/firmware-file";
import type { Cloud } from "../cloud/core/cloud";
import { pack } from "../delta/pack";
import { buildImage } from "../../hal/model-chip/build-image";
import { TRAILER } from "../../src/signature/trailer";
import type { Device } from "./device-process";

export interface SecondUpdate {
  readonly version: string;
  /** Bytes: of the plain file, of the container, and of what left the cloud. */
  readonly image: number;
  readonly container: number;
  readonly served: number;
  readonly status: string;
  readonly runs: string | undefined;
}

/** Firmware of this version, signed: `size` bytes in all. */
export async function firmware(version: string, size: number, key: KeyObject): Promise<Uint8Array> {
  const payload = await firmwarePayload(version);
  return signFirmware(buildImage({ version, payload, size: size - TRAILER }), key);
}

/** `old`: the file of the running firmware. */
export async function updateByDelta(
  cloud: Cloud,
  { name, device, version, old, key }: SecondUpdateOptions,
): Promise<SecondUpdate> {
  const file = await firmware(version, old.length, key);
  const { bytes } = await pack({ to: file, from: [old], key });
  const before = cloud.traffic.total().bytes;
  const task = cloud.push(name, await cloud.packages.add(bytes, { version, name: `update-${version}.xsu` }));
  await device.until(`${version} is confirmed`, (line) => line["event"] === "confirmed" && line["version"] === version);
  const { status } = await cloud.settled(task.id);
  return {
    version,
    image: file.length,
    container: bytes.length,
    served: cloud.traffic.total().bytes - before,
    status,
    runs: cloud.devices.get(name)?.version,
  };
}

interface SecondUpdateOptions {
  readonly name: string;
  readonly device: Device;
  readonly version: string;
  readonly old: Uint8Array;
  readonly key: KeyObject;
}
