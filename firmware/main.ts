/**
 * The firmware: the agent, configured by mc/config and by the settings stored on the device, and a panel that shows its
 * state.
 */
import config from "mc/config";
import OtaAgent, { isUnconfirmed } from "xs-ota";
import { powerOn } from "xs-ota/moddable";
import type { Device, Program } from "xs-ota/moddable";
import { makePanel } from "firmware/panel/index";
import { rootsOf } from "firmware/roots";
import { readSettings } from "firmware/settings";

const log = (line: string): void => trace(`${line}\n`);

powerOn(run, { log, trust: rootsOf });

function run(device: Device): Program {
  const { ports } = device;
  try {
    const { name, ...options } = readSettings((key) => device.setting(key) ?? config[key], ports.crypto);
    const panel = makePanel(name, ports.boot.running());
    return new OtaAgent({
      ports,
      ...options,
      onNotice(notice) {
        log(JSON.stringify(notice));
        panel.show(notice);
      },
    });
  } catch (error) {
    return unusable(device, `setting ${(error as Error).message}`);
  }
}

/** A device without usable settings reaches no cloud. Firmware on trial is rolled back for it, by the throw. */
function unusable({ ports }: Device, message: string): Program {
  log(message);
  const running = ports.boot.running();
  makePanel("", running).show({ event: "warning", message });
  if (isUnconfirmed(running)) throw new Error(message);
  return { stop() {} };
}
