/** xs-ota: what an application imports. */
export { OtaAgent, OtaAgent as default } from "./agent/agent";
export type { AgentOptions } from "./agent/agent-options";
export type { WakeBudget } from "./agent/sleep";
export type { BrokerAddress, LinkEvents, MqttLink } from "./agent/link";
export { isUnconfirmed } from "./job/boot-table";
export type { Notice } from "./job/effects";
export { DEFAULT_POLICY } from "./job/policy";
export type { Policy } from "./job/policy";
export type { ModuleImage, ModuleInstaller } from "./modules/installer";
export { PartitionInstaller } from "./modules/installers";
export type { Cause, Offer, OfferDigest, Outcome, Task } from "./job/types";
export type { Identity, Message } from "./mqtt/message";
export type { BrokerPlatform } from "./platforms/broker-platform";
export type { HttpAnswer, HttpCall, Polled, PollPlatform } from "./platforms/poll-platform";
export type {
  AnyPlatform,
  CloudEvents,
  CloudLink,
  Incoming,
  LinkContext,
  Platform,
  PlatformDefinition,
  PlatformRules,
  Report,
  Setting as PlatformSetting,
} from "./platforms/platform";
export type * from "./ports";
export type { JsonObject } from "./util/json";
