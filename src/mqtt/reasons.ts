/** Why a connection to the broker ended, in words for people. */
import { MQTT_STABLE } from "../constants";

/** CONNACK return codes (MQTT 3.1.1, table 3.1), each with what to check. */
const CONNACK: { readonly [code: number]: string } = Object.freeze({
  1: "unacceptable protocol version: the broker does not speak MQTT 3.1.1",
  2: "client id rejected: check the client id and its length",
  3: "server unavailable: the broker is up but not in service",
  4: "bad user name or password: check the device's secret, the user name and, if credentials expire, the clock",
  5: "not authorized: check that the device exists, is enabled and may connect",
});

export const connackReason = (code: number): string => {
  return `broker refused the connection, code ${code}: ${CONNACK[code] ?? "not a code of MQTT 3.1.1"}`;
};

/** The connection ended in a state before "up". */
export const CLOSED_DURING = Object.freeze({
  opening: "could not connect",
  connecting: "closed before CONNACK (some brokers refuse credentials or a client id this way)",
  subscribing: "closed before SUBACK (some brokers refuse a subscription this way)",
});

/** A connection that was up for `milliseconds` is lost. */
export const lostReason = (reason: string, milliseconds: number): string => {
  const hint =
    milliseconds < MQTT_STABLE
      ? " soon after it was made (if that goes on, another client uses the same client id)"
      : "";
  return `connection lost${hint}: ${reason}`;
};
