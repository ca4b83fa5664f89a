/**
 * What ThingsPanel's broker does to every message before its backend sees it: {"device_id": "...", "values":
 * "<base64>"}. That is how the backend knows the device, for its topics do not name it; no device ever sees this form,
 * and none may use it itself.
 */
export function rewrite(deviceId: string, payload: Uint8Array): string {
  return JSON.stringify({ device_id: deviceId, values: Buffer.from(payload).toString("base64") });
}

/** The device and its report. Undefined for what the broker did not make. */
export function unwrap(text: string): { readonly deviceId: string; readonly payload: string } | undefined {
  const { device_id: deviceId, values } = JSON.parse(text) as { device_id?: unknown; values?: unknown };
  if (typeof deviceId !== "string" || typeof values !== "string") return undefined;
  return { deviceId, payload: Buffer.from(values, "base64").toString("utf8") };
}
