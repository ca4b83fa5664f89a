/** One download by a strategy in the same world as the agent's. */
import type { ResetReason } from "../../src/ports";
import { generator } from "../../host-sim/faults/weak-link";
import { Device, imageOf } from "../world/device";
import type { FlashSummary } from "../world/device";
import { HEAD_BYTES, fileService } from "../world/file-service";
import type { FileTraffic } from "../world/file-service";
import { Timeline } from "../world/timeline";
import { GIVE_UP, HTTP_PORT } from "../world/update";
import type { RunOptions } from "../world/update";
import { Wire } from "../world/wire";
import { PeerDownload } from "./peer";
import type { Strategy } from "./strategies";

export interface PeerResult {
  readonly finished: boolean;
  readonly downloadMs: number;
  readonly again: number;
  readonly requests: number;
  /** Jobs that ended in failure and had to be pushed again. */
  readonly failures: number;
  readonly flash: FlashSummary;
}

export function runPeer(strategy: Strategy, { size, line, seed, cuts = [] }: RunOptions): PeerResult {
  const timeline = new Timeline();
  const wire = new Wire(timeline, line, generator(seed + 1));
  const served: FileTraffic = { requests: 0, promised: 0 };
  const image = imageOf("0.2.0", size);
  wire.serve(
    HTTP_PORT,
    fileService(() => image, served),
  );
  const device = new Device(timeline, wire, generator(seed), () => {});
  const end = { reached: false };
  let failures = 0;
  let peer: PeerDownload | undefined;
  const start = (reason: ResetReason): void => {
    peer = new PeerDownload(strategy, device.start(reason), timeline, size, HTTP_PORT, () => (end.reached = true));
    peer.start();
  };
  const began = timeline.now;
  start("power-on");
  const pending = cuts.map((share) => share * size);
  while (!end.reached && timeline.now < GIVE_UP && timeline.step(GIVE_UP)) {
    if (pending[0] === undefined || peer!.offset < pending[0]) continue;
    pending.shift();
    failures += peer!.failures;
    peer!.stop();
    wire.cut();
    start("power-on");
  }
  const http = wire.traffic.get(HTTP_PORT)!;
  return {
    finished: end.reached,
    downloadMs: timeline.now - began,
    again: Math.max(0, http.sent - served.requests * HEAD_BYTES - size),
    requests: served.requests,
    failures: failures + peer!.failures,
    flash: device.flash(),
  };
}
