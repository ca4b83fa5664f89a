/**
 * One run of re-assignments, reconnects and power cuts at random moments. A chunk names no package, so whether bytes of
 * two packages were ever stored as one is looked at in flash itself: at each checkpoint.
 */
import { generator } from "../../host-sim/faults/weak-link";
import { decodeJob, decodeOffset, identityOf } from "../../src/job/job-codecs";
import { RECORDS } from "../../src/job/records";
import { firmwareImage } from "../kit/images";
import { MINUTE, SIZE, Scene } from "./scene";

const VERSIONS = ["0.2.0", "0.3.0"] as const;
const SECTOR = 4_096;

export interface Interleaving {
  /** What went wrong, in words; empty: nothing. */
  readonly mixed: readonly string[];
  /** Events that happened while a download was under way. */
  readonly during: number;
  readonly version: string;
  readonly wanted: string;
  readonly failed: readonly string[];
}

/** Odd seeds are of a server that takes its time. */
export async function interleave(seed: number, http = false): Promise<Interleaving> {
  const random = generator(seed);
  const latency = 5 + Math.floor(random() * 60);
  const scene = await Scene.make({ seed, http, latency, lag: seed % 2 === 1, policy: { allowDowngrade: true } });
  const { device, clock } = scene;
  const mixed: string[] = [];
  for (const version of VERSIONS) await scene.upload(version);
  device.powerOn();
  scene.pass(2_000);
  let wanted: string = VERSIONS[Math.floor(random() * 2)]!;
  await scene.offer(wanted);
  let during = 0;
  for (let event = 0; event < 6; event++) {
    scene.pass(random() * 400);
    if (device.state === "downloading") during++;
    const kind = Math.floor(random() * 5);
    if (kind === 0) scene.double.transport.restart();
    // Two trials that a cut has ended are a failure of their own.
    else if (kind === 1 && device.state !== "trial") {
      scene.cutPower();
      scene.pass(random() * 200);
      if (random() < 0.5) await scene.offer((wanted = VERSIONS[Math.floor(random() * 2)]!));
      device.powerOn();
    } else {
      if (random() < 0.3) await scene.withdraw();
      await scene.offer((wanted = VERSIONS[Math.floor(random() * 2)]!));
      if (kind === 4) scene.double.transport.restart();
    }
    mixed.push(...strangers(scene));
  }
  const end = clock.time + 30 * MINUTE;
  const settled = (): boolean => device.state === "idle" && device.version === wanted;
  while (!settled() && clock.time < end) scene.until(settled, 1_000);
  const failed = (await scene.told("fw_error")).filter((text) => text !== "" && text !== "canceled");
  return { mixed, during, version: device.version, wanted, failed };
}

const IMAGES = new Map(VERSIONS.map((version) => [version as string, firmwareImage(version, SIZE)]));

/** Sectors that the checkpoint claims for a job, and that hold other bytes than its package. The first one is held back. */
function strangers({ device }: Scene): string[] {
  const { flash, store } = device.board.ports;
  const record = decodeJob(store.getBytes(RECORDS.job.key));
  const image = record && IMAGES.get(record.offer.version);
  if (record === undefined || image === undefined || record.slot === device.board.ports.boot.running().slot) return [];
  const sectors = decodeOffset(identityOf(record), store.getNumber(RECORDS.firmwareOffset.key)) ?? 0;
  const found: string[] = [];
  for (let at = SECTOR; at < Math.min(sectors * SECTOR, SIZE); at += SECTOR) {
    const bytes = new Uint8Array(Math.min(SECTOR, SIZE - at));
    flash.read(at, bytes);
    if (Buffer.compare(bytes, image.subarray(at, at + bytes.length)) !== 0)
      found.push(`${record.offer.version}: the sector at ${at} is of another package`);
  }
  return found;
}
