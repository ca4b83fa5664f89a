import type { PlatformRules } from "../platform";

/**
 * The two generations of ThingsPanel. "v0": servers up to 0.5, and the public documentation. "v1": servers from 1.0 on.
 * They share message shapes and step codes. Topics differ, and v1 has no version report and no other request for a
 * push.
 */
export type Profile = "v0" | "v1";

export interface ProfileFacts {
  /** Topics of tasks; one granted subscription is enough. `token`: the access token, which is the MQTT user name. */
  tasks(token: string, deviceNumber: string): readonly string[];
  readonly progress: string;
  /** Topic of the version report; absent where there is none. */
  readonly version?: string;
  readonly rules: PlatformRules;
}

/** Common to both: a push comes once, so a stored job resumes by itself at power-on. */
const COMMON = Object.freeze({ renewable: false, resumeDelay: 0, versionWhileBusy: false } as const);

export const PROFILES: { readonly [profile in Profile]: ProfileFacts } = Object.freeze({
  v0: Object.freeze<ProfileFacts>({
    tasks: (token) => [`ota/device/inform/${token}`],
    progress: "ota/device/progress",
    version: "ota/device/inform",
    // Each report of another version than the target's makes the server push again, without end. So no version is
    // reported during a job, and none to get a fresh URL. The server handles messages side by side, and its PUBACK is the
    // broker's: a version within milliseconds of a step overtakes it (8 of 40), and one before step 100 makes it push
    // another open task and file the step under that. A second between them was always enough.
    rules: Object.freeze({ ...COMMON, versionReport: true, proof: "burning", versionAfterOutcome: 1_000 }),
  }),
  v1: Object.freeze<ProfileFacts>({
    // The shipped configuration publishes to the misspelled topic. The broker permits the right one since 2025-11, and
    // the misspelled one before.
    tasks: (_, deviceNumber) => [`ota/devices/inform/${deviceNumber}`, `ota/devices/infrom/${deviceNumber}`],
    progress: "ota/devices/progress",
    rules: Object.freeze({ ...COMMON, versionReport: false }),
  }),
});
