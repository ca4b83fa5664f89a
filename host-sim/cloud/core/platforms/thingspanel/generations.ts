import type { Profile } from "./identity";

/** What the two generations of the server do differently. */
export interface Generation {
  /** Numbers of the task states; v0 has them as text. */
  readonly states: {
    readonly pending: number;
    readonly pushed: number;
    readonly upgrading: number;
    readonly success: number;
    readonly failed: number;
    readonly cancelled: number;
  };
  readonly qos: 0 | 1;
  /** v0: a device that is not there gets the task after it reported its version. v1: the task fails. */
  readonly waitsForDevice: boolean;
  /** v0: a report whose module is not the package's is not seen. */
  readonly looksAtModule: boolean;
  readonly progress: string;
  /** Where versions are reported; absent: the server does not listen. */
  readonly version?: string;
  /** Sent as `size`. */
  size(bytes: number): number | string;
}

export const GENERATIONS: { readonly [profile in Profile]: Generation } = {
  v0: {
    states: { pending: 0, pushed: 1, upgrading: 2, success: 3, failed: 4, cancelled: 5 },
    qos: 0,
    waitsForDevice: true,
    looksAtModule: true,
    progress: "ota/device/progress",
    version: "ota/device/inform",
    size: (bytes) => bytes,
  },
  v1: {
    states: { pending: 1, pushed: 2, upgrading: 3, success: 4, failed: 5, cancelled: 6 },
    qos: 1,
    waitsForDevice: false,
    looksAtModule: false,
    progress: "ota/devices/progress",
    size: (bytes) => String(bytes),
  },
};

/**
 * Times that v0 pushes a task again because a version is reported that is not the target's; the next such report fails
 * the task.
 */
export const REPUSHES = 3;
