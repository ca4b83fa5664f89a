/** One download by a strategy, over the same line and flash as the agent's. */
import { NodeCrypto } from "../../host-sim/board/node-crypto";
import { generator } from "../../host-sim/faults/weak-link";
import { firmwareImage } from "../../tests/kit/images";
import { VirtualClock } from "../../tests/kit/virtual-clock";
import { VirtualNetwork } from "../../tests/kit/virtual-network";
import { TimedBoard } from "../simulation/device";
import type { FlashSummary } from "../simulation/device";
import { HEAD_BYTES, fileServer } from "../simulation/file-server";
import type { FileTraffic } from "../simulation/file-server";
import { GIVE_UP, HTTP_PORT, WINDOW } from "../simulation/update";
import type { RunOptions } from "../simulation/update";
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

export function runPeer(strategy: Strategy, { size, line, seed, timing, cuts = [] }: RunOptions): PeerResult {
  const clock = new VirtualClock();
  const served: FileTraffic = { requests: 0, promised: 0 };
  const image = firmwareImage("0.2.0", size);
  const files = fileServer(() => image, served);
  const random = generator(seed + 1);
  const network = new VirtualNetwork({ clock, line: { window: WINDOW, ...line }, peers: () => files, random });
  const crypto = new NodeCrypto(generator(seed));
  const timed = new TimedBoard(clock, timing);
  const { board } = timed;
  const end = { reached: false };
  let failures = 0;
  let peer: PeerDownload | undefined;
  const start = (): void => {
    board.powerOn("power-on");
    const ports = { ...board.ports, network, crypto, clock };
    peer = new PeerDownload(strategy, ports, clock, size, HTTP_PORT, () => (end.reached = true));
    peer.start();
  };
  const began = clock.time;
  start();
  const pending = cuts.map((share) => share * size);
  while (!end.reached && clock.time < GIVE_UP && clock.step(GIVE_UP)) {
    if (pending[0] === undefined || peer!.offset < pending[0]) continue;
    pending.shift();
    failures += peer!.failures;
    peer!.stop();
    network.cut();
    start();
  }
  const http = network.traffic(HTTP_PORT);
  return {
    finished: end.reached,
    downloadMs: clock.time - began,
    again: Math.max(0, http.sent - served.requests * HEAD_BYTES - size),
    requests: served.requests,
    failures: failures + peer!.failures,
    flash: timed.summary(),
  };
}
