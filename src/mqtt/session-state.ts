import type { BrokerConnection } from "./broker-connection";

/**
 * idle        start -> opening
 * opening     opened -> connecting (CONNECT sent)
 * connecting  CONNACK 0 -> subscribing (one SUBSCRIBE for each topic sent)
 * subscribing last SUBACK, one granted -> up
 * waiting     backoff over -> opening
 *
 * Every failure of the middle four leads to waiting; `stop` leads to idle. `until`: when the state ends by itself.
 */
export type State =
  | { readonly name: "idle" }
  | { readonly name: "waiting"; readonly until: number }
  | { readonly name: "opening"; readonly until: number }
  | { readonly name: "connecting"; readonly until: number; readonly connection: BrokerConnection }
  | {
      readonly name: "subscribing";
      readonly until: number;
      readonly connection: BrokerConnection;
      /** Topics whose SUBACK is to come, by packet id. */
      readonly awaited: Map<number, string>;
      granted: number;
    }
  | {
      readonly name: "up";
      readonly connection: BrokerConnection;
      readonly since: number;
      /** It did its work: the broker has acknowledged a publish or sent a message. */
      worked: boolean;
    };

export const IDLE: State = Object.freeze({ name: "idle" });
