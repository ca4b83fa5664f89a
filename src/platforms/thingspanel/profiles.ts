import type { PlatformRules } from "../platform";

/**
 * The two generations of ThingsPanel. "v0": servers up to 0.5 and the public documentation. "v1": servers from 1.0 on. They
 * share message shapes and step codes; topics differ, and v1 has neither a version report nor any other way to ask again.
 */
export type Profile = "v0" | "v1";

export interface ProfileFacts {
  /** Where tasks come: one is enough. `token`: the access token, which is the MQTT user name. */
  tasks(token: string, deviceNumber: string): readonly string[];
  readonly progress: string;
  /** Where the version goes; absent where nobody listens. */
  readonly version?: string;
  readonly rules: PlatformRules;
}

/** What both have in common: a push comes once, so that a job in hand goes on by itself at power-on. */
const COMMON = Object.freeze({ renewable: false, resumeDelay: 0, versionWhileBusy: false } as const);

export const PROFILES: { readonly [profile in Profile]: ProfileFacts } = Object.freeze({
  v0: Object.freeze<ProfileFacts>({
    tasks: (token) => [`ota/device/inform/${token}`],
    progress: "ota/device/progress",
    version: "ota/device/inform",
    // Every report of a version that is not the target's makes the server push again, three times; the next fails the task.
    // So there is none while a job is in hand, and no asking for a URL by this way.
    rules: Object.freeze({ ...COMMON, versionReport: true }),
  }),
  v1: Object.freeze<ProfileFacts>({
    // The shipped configuration publishes to the misspelling, the broker's permissions know the right one (since 2025-11) or
    // the misspelling (before).
    tasks: (_, deviceNumber) => [`ota/devices/inform/${deviceNumber}`, `ota/devices/infrom/${deviceNumber}`],
    progress: "ota/devices/progress",
    rules: Object.freeze({ ...COMMON, versionReport: false }),
  }),
});
