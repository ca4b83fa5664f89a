/** The platform against the double of hawkBit, without an agent: what it asks is answered by the double. */
import type { HawkbitDouble } from "../doubles/hawkbit/server";
import { newBench } from "../doubles/hawkbit/device";
import type { Bench } from "../doubles/hawkbit/device";
import type { HawkbitOptions } from "../doubles/hawkbit/server";
import type { HttpAnswer } from "../doubles/http/message";
import { splitUrl } from "../../src/http/url";
import type { HttpUrl } from "../../src/http/url";
import { HawkbitPlatform } from "../../src/platforms/hawkbit/dialect";
import type { HawkbitConfig } from "../../src/platforms/hawkbit/dialect";
import type { Report } from "../../src/platforms/platform";
import type { HttpCall, Polled } from "../../src/platforms/poll-platform";
import type { Running } from "../../src/ports";

export const RUNNING: Running = { slot: "ota_0", version: "0.1.0", project: "xs-app", chip: 5, state: "valid" };
export const CONFIG: HawkbitConfig = {
  server: "http://hb.example:8080",
  controllerId: "dev-1",
  targetToken: "secret",
  part: "firmware",
};

export const send = (double: HawkbitDouble, call: HttpCall): HttpAnswer => {
  const url = splitUrl(call.url) as HttpUrl;
  const headers = Object.fromEntries(
    (call.headers ?? []).map((line) => [line.split(": ")[0]!.toLowerCase(), line.slice(line.indexOf(": ") + 2)]),
  );
  return double.answer({
    method: call.method,
    target: url.target,
    headers: {
      ...headers,
      host: url.hostHeader,
      accept: "application/json",
      ...(call.body === undefined ? {} : { "content-type": "application/json" }),
    },
    body: Buffer.from(call.body ?? ""),
    address: "127.0.0.1",
    scheme: "http",
  });
};

export interface PlatformBench extends Bench {
  readonly platform: HawkbitPlatform;
  /** A poll with what follows it, and the requests, "METHOD path". */
  poll(known?: string): { readonly polled: Polled; readonly asked: readonly string[] };
  /** Status of the answer to a report. */
  report(report: Report): number;
}

export async function platformBench(
  options?: HawkbitOptions,
  change: Partial<HawkbitConfig> = {},
): Promise<PlatformBench> {
  const bench = await newBench(options);
  const { double, device } = bench;
  const targetToken = device.authorization.slice("TargetToken ".length);
  const platform = new HawkbitPlatform({ ...CONFIG, targetToken, ...change });
  return {
    ...bench,
    platform,
    poll(known) {
      const asked: string[] = [];
      for (let call = platform.poll(); ;) {
        const url = splitUrl(call.url) as HttpUrl;
        asked.push(`${call.method} ${url.target.slice(device.base.length)}`);
        const { body } = send(double, call);
        const polled = platform.polled({ body, url }, RUNNING, known);
        if (polled.kind !== "follow") return { polled, asked };
        call = polled.call;
      }
    },
    report(report) {
      const call = platform.encode(report);
      return call === undefined ? 0 : send(double, call).status;
    },
  };
}
