import type { ConnectAttempt } from "../../broker/gate";

/** Servers up to 0.5, and from 1.0 on. */
export type Profile = "v0" | "v1";

/** A device as it stands in ThingsPanel's console. */
export interface ThingsPanelDevice {
  readonly profile: Profile;
  /** The access token. */
  readonly username: string;
  /** Absent or "": the voucher is the token alone. */
  readonly password?: string;
  /** As in its device.json; the server takes any. Default: the device number. */
  readonly clientId?: string;
  /** In v1's topics. Default: the user name. */
  readonly deviceNumber?: string;
  /** Name of its firmware in tasks; absent: none is sent, which means "default". */
  readonly module?: string;
}

const KEYS = ["username", "password", "clientId", "deviceNumber", "module"] as const;

/** A device out of plain JSON. Throws one line. */
export function readIdentity(value: unknown): ThingsPanelDevice {
  const fields = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
  const { profile } = fields;
  if (profile !== "v0" && profile !== "v1") throw new Error('profile is "v0" or "v1"');
  const identity: Record<string, string> = { profile };
  for (const key of KEYS) {
    const text = fields[key];
    if (text === undefined) continue;
    if (typeof text !== "string" || text.length > 128) throw new Error(`${key} is a string of at most 128 characters`);
    identity[key] = text;
  }
  const device = identity as unknown as ThingsPanelDevice;
  for (const key of ["username", "deviceNumber"] as const) {
    const level = key === "username" ? device.username : (device.deviceNumber ?? device.username);
    if (level === undefined || level === "" || /[\0-\x20/+#]/.test(level))
      throw new Error(`${key} is one level of a topic: no blank, /, + or #`);
  }
  if (device.clientId === "") throw new Error("clientId is empty");
  return device;
}

export function deviceNumberOf({ deviceNumber, username }: ThingsPanelDevice): string {
  return deviceNumber ?? username;
}

/**
 * Why a known token is refused, or undefined. v0 asks for the password only where one is set; v1 looks the voucher up
 * by its exact text, so that a password where there is none is wrong too. Neither looks at the client id.
 */
export function accessProblem(
  { profile, password = "" }: ThingsPanelDevice,
  attempt: ConnectAttempt,
): string | undefined {
  const given = attempt.password ?? "";
  if (attempt.clientId === "") return "client id is empty";
  if (profile === "v0" && password === "") return undefined;
  return given === password ? undefined : "wrong password";
}
