/** The browser's serial ports (Web Serial API, wicg.github.io/serial): what is used of them. */
import type { WebSerialPort } from "./serial-port";

interface WebSerial {
  requestPort(): Promise<WebSerialPort>;
}

const serial = (): WebSerial | undefined => (navigator as { readonly serial?: WebSerial }).serial;

/** Why no board can be flashed from this page; undefined: one can. */
export function serialProblem(): string | undefined {
  if (!isSecureContext)
    return "This page came over plain http from another machine, and browsers then keep serial ports closed. Open the console on the machine that the board is plugged into, as http://localhost or http://127.0.0.1, or over https.";
  if (serial() === undefined)
    return "This browser has no serial ports (Web Serial). Chrome, Edge and Opera on a computer have.";
  return undefined;
}

/** The port that somebody chooses; the browser asks, and only after a click. Undefined: none was chosen. */
export async function choosePort(): Promise<WebSerialPort | undefined> {
  try {
    return await serial()!.requestPort();
  } catch (error) {
    if ((error as Error).name === "NotFoundError") return undefined;
    throw error;
  }
}
