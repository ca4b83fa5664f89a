import { Route } from "../download/route";
import { splitUrl } from "../http/url";
import type { HttpUrl } from "../http/url";
import type { HttpCall } from "../platforms/poll-platform";
import { requestOf } from "./request";

/** Where one call goes: its own URL, and where that redirects to. */
export class CallRoute {
  private readonly route: Route;
  /** What is asked now. */
  url: HttpUrl | undefined;
  /** Why the call's own URL cannot be used; one line. */
  readonly problem: string | undefined;

  constructor(call: HttpCall, validator: string | undefined, allowHttp: boolean) {
    const own = splitUrl(call.url);
    this.route = new Route(allowHttp, (url) => {
      this.url = url;
      const home = typeof own !== "string" && own.hostHeader === url.hostHeader && own.tls === url.tls;
      return requestOf(call, url, home, validator);
    });
    const problem = this.route.offer(call.url);
    this.problem = problem === "plain" ? 'plain http is refused (see "allowHttp")' : problem?.problem;
    if (problem === undefined) this.route.toOrigin();
  }

  get server(): Route["server"] {
    return this.route.server;
  }

  get request(): Uint8Array {
    return this.route.prefix;
  }

  follow(location: string, status: number): string | undefined {
    return this.route.follow(location, status)?.message;
  }

  sameServerAs(other: CallRoute | undefined): boolean {
    const [a, b] = [this.server, other?.server];
    return a?.host === b?.host && a?.port === b?.port && a?.tls === b?.tls;
  }
}
