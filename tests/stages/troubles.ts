/** What can be wrong with new firmware, or with what is around it. */
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import type { Packet } from "mqtt-packet";
import type { CreateEngine } from "../../host-sim/board/engine";
import { createXsEngine } from "../../host-sim/board/engine-xs";
import { firmwareBundle, firmwarePayload } from "../../host-sim/board/firmware/bundle";
import type { Fault } from "../../host-sim/board/firmware/bundle";
import type { FirmwareConfiguration } from "../../host-sim/board/firmware/configuration";
import { MqttRelay } from "../../host-sim/faults/mqtt-relay";
import type { MqttFault } from "../../host-sim/faults/mqtt-relay";
import { createCloud } from "../../host-sim/cloud/core/cloud";
import type { Cloud } from "../../host-sim/cloud/core/cloud";
import { Authority } from "../../host-sim/cloud/core/listeners/certificates";
import { appSource } from "./scene";
import type { Trouble } from "./scene";

/** Of the clock, where a broker has to answer within the trial: a slow computer has its seconds. */
export const CONNECTED = 3;

export const xs =
  (limits: object): CreateEngine =>
  (options) =>
    createXsEngine({ ...options, ...limits });

export const fault =
  (which: Fault, more: Trouble = {}) =>
  (): Trouble => ({ source: firmwarePayload("0.2.0", which), ...more });
export const app =
  (which: string, more: Trouble = {}) =>
  (): Trouble => ({ source: appSource(which), ...more });
export const source = (code: string) => async (): Promise<Trouble> => ({
  source: firmwareBundle().then((bundle) => `var FIRMWARE={"version":"0.2.0"};\n${code}\n${bundle}`),
});

/** The broker is at that port; over TLS, where it says so. */
export const brokerAt =
  (port: number, tls = false) =>
  (good: FirmwareConfiguration): FirmwareConfiguration => ({ ...good, broker: { host: "127.0.0.1", port, tls } });

/** The new firmware's broker does this. */
export const relay =
  (mqttFault: MqttFault) =>
  async (t: TestContext, cloud: Cloud): Promise<Trouble> => {
    const between = await MqttRelay.listen(cloud.mqttPort, mqttFault);
    t.after(() => between.close());
    return { configuration: brokerAt(between.port), speed: CONNECTED };
  };

export const takes =
  (cmd: Packet["cmd"]): NonNullable<MqttFault["down"]> =>
  (packet) =>
    packet.cmd === cmd ? "taken" : "pass";

/** A port where nobody listens. */
export async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The native code of the firmware fails in the turn after its start. */
export const crashing: CreateEngine = (options) => {
  const engine = createXsEngine(options);
  const ended = engine.ended.then(() => ({ cause: "crash", message: "the engine ended: SIGSEGV" }) as const);
  return { run: (code) => engine.run(code), turn: async () => void engine.stop(), stop: () => engine.stop(), ended };
};

export async function foreignRoot(t: TestContext): Promise<Trouble> {
  const cloud = await createCloud({ tls: { authority: await Authority.create("ec") } });
  await cloud.start();
  t.after(() => cloud.stop());
  return { configuration: brokerAt(cloud.mqttsPort, true), speed: CONNECTED };
}
