/** A ThingsPanel device of generation v0 and its task message, for the tests of the dialect. */
import assert from "node:assert/strict";
import { NodeCrypto } from "../../host-sim/board/node-crypto";
import type { Offer } from "../../src/job/types";
import { ThingsPanelPlatform } from "../../src/platforms/thingspanel/dialect";
import type { ThingsPanelConfig } from "../../src/platforms/thingspanel/dialect";

export const crypto = new NodeCrypto();
export const CONFIG: ThingsPanelConfig = {
  profile: "v0",
  brokerHost: "broker.example",
  username: "token-123",
  clientId: "dev-1",
  deviceNumber: "dev-1",
  module: "MCU",
};
export const platform = (config: Partial<ThingsPanelConfig> = {}) =>
  new ThingsPanelPlatform({ ...CONFIG, ...config }, crypto);

export const MD5 = "0123456789abcdef0123456789abcdef";
export const SHA256 = MD5 + MD5;
export const PARAMS = {
  version: "v1.1",
  size: 432945,
  url: "http://files.example/s121jg3245gg.bin",
  signMethod: "SHA256",
  sign: SHA256,
  module: "MCU",
  extData: {},
};
export const TASK = { id: "147258369", code: 200, params: PARAMS };

export function parse(message: unknown, config: Partial<ThingsPanelConfig> = {}) {
  const dialect = platform(config);
  return dialect.parse(
    dialect.subscriptions[0]!,
    Buffer.from(typeof message === "string" ? message : JSON.stringify(message)),
  );
}
/** The offer that the documented task makes with some of its params changed; undefined takes one away. */
export function offer(params: object = {}, config: Partial<ThingsPanelConfig> = {}): Offer {
  const incoming = parse({ ...TASK, params: { ...PARAMS, ...params } }, config);
  assert.equal(incoming.kind, "offer", JSON.stringify(incoming));
  return (incoming as { offer: Offer }).offer;
}
/** What the cloud is told of a task that can not be carried out. */
export function refusal(
  message: unknown,
  config: Partial<ThingsPanelConfig> = {},
): { step: string; desc: string; module?: string } {
  const incoming = parse(message, config);
  assert.equal(incoming.kind, "refused", JSON.stringify(incoming));
  const { task, outcome } = incoming as Extract<typeof incoming, { kind: "refused" }>;
  return JSON.parse(platform(config).encode({ kind: "outcome", task, outcome })!.payload);
}
