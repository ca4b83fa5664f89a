/** One device, the whole agent, and a web server with a folder of files, on a network in memory and a clock of the test's. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { decide } from "../../host-sim/cloud/core/files/range";
import { StaticPlatform } from "../../src/platforms/static/dialect";
import { answer, parseJson } from "../doubles/http/message";
import type { HttpAnswer, HttpRequest } from "../doubles/http/message";
import { HttpPeer } from "../doubles/http/peer";
import { factoryBoard } from "../kit/images";
import { VirtualClock } from "../kit/virtual-clock";
import { VirtualDevice } from "../kit/virtual-device";
import type { VirtualDeviceOptions } from "../kit/virtual-device";
import { VirtualNetwork } from "../kit/virtual-network";

export const SIZE = 60_000;
/** Longest scenario, ms. */
const SPAN = 24 * 3_600_000;

export class Site {
  /** By path. */
  readonly files = new Map<string, Uint8Array>();
  /** Paths of the GETs. */
  readonly requests: string[] = [];
  /** Those that were answered with bytes. */
  readonly served: { readonly path: string; readonly bytes: number }[] = [];
  /** Bodies of the POSTs. */
  readonly reports: unknown[] = [];

  /** What a manifest says of a file that it puts there. */
  add(path: string, bytes: Uint8Array): object {
    this.files.set(`/${path}`, bytes);
    return { path, size: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
  }

  publish(version: string, ota: object): void {
    const manifest = { name: "p", version, builds: [{ chipFamily: "ESP32", ota }] };
    this.files.set("/manifest.json", Buffer.from(JSON.stringify(manifest)));
  }

  /** Bytes that were sent of a file. */
  bytesOf(path: string): number {
    return this.served.reduce((sum, each) => (each.path === `/${path}` ? sum + each.bytes : sum), 0);
  }

  answer({ method, target, headers, body }: HttpRequest): HttpAnswer {
    if (method === "POST") {
      this.reports.push(parseJson(body));
      return answer(204, { framing: "none" });
    }
    this.requests.push(target);
    const file = this.files.get(target.replace(/\?.*/, ""));
    if (file === undefined) return answer(404);
    const etag = `"${createHash("md5").update(file).digest("hex")}"`;
    const decision = decide(method, headers, { size: file.length, etag, modified: 0 });
    if (!("start" in decision)) return answer(decision.status, { framing: "none", headers: { ETag: etag } });
    const { status, start, end } = decision;
    const part = file.subarray(start, end + 1);
    this.served.push({ path: target, bytes: part.length });
    const range = status === 206 ? { "Content-Range": `bytes ${start}-${end}/${file.length}` } : {};
    return answer(status, { body: part, headers: { ETag: etag, ...range } });
  }
}

export interface Scene {
  readonly site: Site;
  readonly device: VirtualDevice;
  readonly clock: VirtualClock;
  /** Runs until the condition holds, over restarts and sleeps. */
  until(what: string, holds: () => boolean): void;
}

/** Polls each hour. `query`: of the URLs of manifest and reports. */
export function scene(
  options: Partial<
    Pick<
      VirtualDeviceOptions,
      "policy" | "sleepSeconds" | "wake" | "onHealthCheck" | "onDiagnostics" | "bringUp" | "settings"
    > & { readonly query: string }
  > = {},
): Scene {
  const { policy, query = "", ...more } = options;
  const clock = new VirtualClock();
  const site = new Site();
  const peer = new HttpPeer({ answer: (request) => site.answer(request), now: () => clock.now() });
  const network = new VirtualNetwork({ clock, line: { latency: 20, rate: 20_000 }, peers: () => peer });
  const device = new VirtualDevice({
    board: factoryBoard(SIZE),
    clock,
    network,
    platform: (crypto) =>
      new StaticPlatform(
        {
          manifest: `http://files.example/manifest.json${query}`,
          deviceId: "dev-1",
          pollSeconds: 3_600,
          report: `http://files.example/report${query}`,
        },
        crypto,
      ),
    policy: { allowHttp: true, ...policy },
    ...more,
  });
  const asleep = (): void => {
    device.powerOff();
    network.cut();
    clock.advance((more.sleepSeconds ?? 0) * 1000);
    device.powerOn("deep-sleep");
  };
  return {
    site,
    device,
    clock,
    until(what, holds) {
      const end = clock.now() + SPAN;
      while (!holds()) {
        assert.ok(clock.now() < end, `not so: ${what}; ${device.state}; ${JSON.stringify(device.notices.slice(-6))}`);
        clock.step();
        if (device.board.restartWanted === "sleep") asleep();
        else device.restartIfWanted();
      }
    },
  };
}
