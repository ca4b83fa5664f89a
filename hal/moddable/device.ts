/**
 * What a Moddable platform gives an application around the ports. Each platform implements `PowerOn` in one module, and its manifest
 * puts that module under the name "xs-ota/moddable": hal/esp32 on a chip, hal/moddable-sim on the desk. Types only.
 */
import type { Ports } from "../ports";

/** Certificates and keys in DER. */
export interface Trust {
  /** Roots that the servers' chains must end at. */
  readonly roots: readonly Uint8Array[];
  /** Client certificate and its PKCS #8 key. */
  readonly client?: { readonly certificate: Uint8Array; readonly key: Uint8Array };
}

export interface DeviceOptions {
  /** By the groups of `ConnectOptions.tls`. Without roots, TLS connections of the group fail as "certificate". */
  readonly trust?: { readonly mqtt?: Trust; readonly https?: Trust };
  /** One line for the engineer at the console; never given a secret. */
  log?(line: string): void;
}

export interface Device {
  readonly ports: Ports;
  /** A setting kept on the device (NVS on a chip, device.json in the simulator); such a one wins over mc/config. */
  setting(key: string): string | number | boolean | undefined;
  /** Brings the network up and the clock to the present, and keeps both so for ever. Calls back once, when that is first so. */
  connect(ready: () => void): void;
  /** What ended the run before this one, if that was no orderly restart: one line, told once. */
  readonly lastFault: string | undefined;
}

/** What runs on a device until it restarts. */
export interface Program {
  /** The simulated device restarts: closes what is open. Not called on a chip. */
  stop(): void;
}

/** Starts the device and hands it to `main`: once on a chip, at every start of the simulated one. `options` is asked for at each start. */
export type PowerOn = (main: (device: Device) => Program, options?: (setting: Device["setting"]) => DeviceOptions) => void;
