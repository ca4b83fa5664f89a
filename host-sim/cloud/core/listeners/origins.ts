import { bracketed } from "../../../board/config/host-name";

/** Listeners of the cloud; 0 = none. */
export interface HttpPorts {
  readonly httpPort: number;
  readonly httpsPort: number;
}

/**
 * Scheme, host and port of download URLs, which may differ by device: a simulated board downloads through its own weak
 * link.
 */
export class DownloadOrigins {
  readonly #host: string;
  readonly #ports: HttpPorts;
  readonly #fixed: string | undefined;
  readonly #byDevice = new Map<string, string>();

  /**
   * `host`: under which devices reach the cloud. `fixed`: for all devices that have none of their own. `ports` are read
   * at each call.
   */
  constructor(host: string, ports: HttpPorts, fixed: string | undefined) {
    this.#host = host;
    this.#ports = ports;
    this.#fixed = fixed;
  }

  /** Undefined: the usual one again. */
  set(device: string, origin: string | undefined): void {
    if (origin === undefined) this.#byDevice.delete(device);
    else this.#byDevice.set(device, origin);
  }

  of(device: string): string {
    const own = this.#byDevice.get(device) ?? this.#fixed;
    if (own !== undefined) return own;
    const name = bracketed(this.#host);
    const { httpPort, httpsPort } = this.#ports;
    return httpsPort > 0 ? `https://${name}:${httpsPort}` : `http://${name}:${httpPort}`;
  }
}
