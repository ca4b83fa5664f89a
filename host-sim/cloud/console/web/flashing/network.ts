/** The Wi-Fi network of a board. */
export interface Network {
  /** "": none is given. */
  readonly ssid: string;
  /** It goes to the board alone. */
  readonly password: string;
}

/**
 * The settings of a device with those of its network. Tencent has no password of its own, and firmware that knows
 * `password` alone joins too; elsewhere `password` is the cloud's.
 */
export function withNetwork(
  settings: Readonly<Record<string, string>>,
  { ssid, password }: Network,
): Map<string, string> {
  const all = new Map(Object.entries(settings));
  if (ssid === "") return all;
  all.set("ssid", ssid);
  if (password !== "") all.set(settings["platform"] === "tencent" ? "password" : "wifiPassword", password);
  return all;
}
