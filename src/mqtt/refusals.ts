/** CONNACK return codes (MQTT 3.1.1, table 3.1) in words, each with what to look at. */
const CONNACK: { readonly [code: number]: string } = Object.freeze({
  1: "unacceptable protocol version: the broker does not speak MQTT 3.1.1",
  2: "client id rejected: check the client id and its length",
  3: "server unavailable: the broker is up but not in service",
  4: "bad user name or password: check the device's secret, the user name and, if credentials expire, the clock",
  5: "not authorized: check that the device exists, is enabled and may connect",
});

export function connackReason(code: number): string {
  return `the broker refused the connection, code ${code}: ${CONNACK[code] ?? "not a code of MQTT 3.1.1"}`;
}
