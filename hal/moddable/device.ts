/**
 * What a Moddable platform gives an application around the ports. Each platform implements `PowerOn` in one module, and
 * its manifest puts that module under the name "xs-ota/moddable": hal/esp32 on a chip, hal/moddable-sim on the desktop.
 * Types only.
 */
import type { Ports } from "../../src/ports";

/** Whom a connection trusts and, for a broker that asks, how it proves itself. All DER. */
export interface Trust {
  readonly roots: readonly Uint8Array[];
  /** The device's own certificate, and its RSA key in PKCS #8 (the engine signs with no other kind). */
  readonly certificate?: Uint8Array;
  readonly privateKey?: Uint8Array;
}

export type Setting = string | number | boolean | undefined;

export interface DeviceOptions {
  /**
   * Asked for at each TLS connection; "mqtt" and "https" as in `ConnectOptions.tls`. Without it every TLS connection
   * fails as "certificate".
   */
  trust?(kind: "mqtt" | "https"): Trust;
  /** One line for the engineer at the console; never given a secret. */
  log?(line: string): void;
}

export interface Device {
  readonly ports: Ports;
  /** A setting stored on the device (NVS on a chip, device.json in the simulator). It wins over mc/config. */
  setting(key: string): Setting;
  /**
   * Calls back once, when network and clock are ready for the first time. An agent needs no call of it: it is started
   * then by itself.
   */
  connect(ready: () => void): void;
  /** One line on the fault that ended the run before this one. Undefined after an orderly restart. */
  readonly lastFault: string | undefined;
}

/** What runs on a device until it restarts. */
export interface Program {
  /** The simulated device restarts: closes what is open. Not called on a chip. */
  stop(): void;
}

/**
 * The application. It constructs its agent on `device.ports`, now or later; the agent starts by itself. On trial it is
 * rolled back at once if it throws, or its promise is rejected.
 */
export type Main = (device: Device) => Program | PromiseLike<Program>;

/** Starts the device and hands it to `main`: once on a chip, at every start of the simulated one. */
export type PowerOn = (main: Main, options?: DeviceOptions) => void;
