import type { Cloud } from "../cloud/core/cloud";
import { storageNews } from "../cloud/core/state/store-error";
import type { Device } from "../cloud/core/devices/devices";
import { isFinal, type Task } from "../cloud/core/devices/tasks";

/** Percent between two lines on the same download. */
const STEP = 10;

/** Prints what happens in a cloud, one line for each event. */
export function narrate(cloud: Cloud, print: (line: string) => void): void {
  // Versions and messages come from the device: control characters in them must not reach the terminal.
  const say = (line: string): void => print(line.replace(/\p{Cc}/gu, "?"));
  const devices = new Map<string, Device>();
  const told = new Map<string, string>();
  cloud.on("device", (device) => {
    const before = devices.get(device.id);
    devices.set(device.id, device);
    if (before?.online !== device.online && (before || device.online))
      say(`${device.name}: ${device.online ? "online" : "offline"}`);
    if (device.version !== undefined && before?.version !== device.version)
      say(`${device.name}: runs ${device.version}`);
  });
  cloud.on("task", (task) => {
    const name = cloud.devices.get(task.device)?.name ?? task.device;
    const line = `${name}: ${describe(task)}`;
    if (told.get(task.device) === line) return;
    if (isFinal(task)) told.delete(task.device);
    else told.set(task.device, line);
    say(line);
  });
  cloud.on("served", ({ device, status, wanted, sent }) => {
    const name = (device !== undefined && cloud.devices.get(device)?.name) || "somebody";
    if (status >= 400) say(`${name}: download refused with ${status}`);
    else if (sent < wanted) say(`${name}: download cut after ${sent} of ${wanted} bytes`);
  });
  cloud.on("storage", (trouble) => say(storageNews(trouble)));
  cloud.on("refused", ({ clientId, reason }) => say(`${JSON.stringify(clientId)} not let in: ${reason}`));
  cloud.on("violation", ({ device, rule }) =>
    say(`${cloud.devices.get(device)?.name ?? device}: against the protocol: ${rule}`),
  );
}

function describe(task: Task): string {
  const { version, status, percent = 0, code, message } = task;
  switch (status) {
    case "pending":
      return `update to ${version} waits`;
    case "pushed":
      return `update to ${version} pushed`;
    case "upgrading":
      return percent === 100
        ? `update to ${version}: downloaded`
        : `update to ${version}: ${Math.floor(percent / STEP) * STEP} %`;
    case "success":
      return `update to ${version} done`;
    case "failure":
      return `update to ${version} failed${code === undefined ? "" : ` with ${code}`}${message ? `: ${message}` : ""}`;
    case "cancelled":
      return `update to ${version} cancelled`;
  }
}
