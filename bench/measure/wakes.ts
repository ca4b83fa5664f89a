/** A battery device: what of its awake time goes into the file, and what a wake costs before the first byte. */
import { BLOCK_SIZE, SECTOR_SIZE } from "../../hal/model-chip/flash-chip";
import type { Bar } from "../bars";
import { table } from "../output/table";
import type { OneWake, WakesResult } from "../simulation/wakes";
import { runWakes } from "../simulation/wakes";
import { LINES } from "./lines";

/** Seconds. */
const AWAKE = 20;
const ASLEEP = 600;
/**
 * From the firmware's first instruction to an address, ms: a Wi-Fi station that knows its channel and address. An
 * assumption; a scan and DHCP take two to four seconds more.
 */
const NETWORK_UP = 1_000;
const SIZE = 1 << 20;

export const measureWakes = (): WakesResult =>
  runWakes({ size: SIZE, line: LINES[0]!, awake: AWAKE, asleep: ASLEEP, networkUp: NETWORK_UP });

/** Of all wakes together: the first waits for the push, the last verifies the image. */
export const receivingShare = ({ wakes }: WakesResult): number =>
  sum(wakes, ({ receiving }) => receiving) / sum(wakes, ({ awake }) => awake);

const sum = (wakes: readonly OneWake[], of: (wake: OneWake) => number): number =>
  wakes.reduce((total, wake) => total + of(wake), 0);

export function wakeBars(result: WakesResult): Bar[] {
  const lost = 1 - receivingShare(result);
  return [
    {
      what: `awake time not receiving, over wakes of ${AWAKE} s at ${LINES[0]!.name}`,
      value: result.finished ? lost : 1,
      limit: 0.2,
      text: percent(lost),
    },
    {
      what: "bytes of the file fetched again over these wakes",
      value: result.again,
      limit: 0,
      text: String(result.again),
    },
    {
      what: "sectors erased again over these wakes, of those of a block each time",
      value: result.erasesAgain,
      limit: (result.wakes.length - 1) * (BLOCK_SIZE / SECTOR_SIZE - 1),
      text: String(result.erasesAgain),
    },
  ];
}

export function wakesSection(result: WakesResult): { title: string; note: string; body: string } {
  const { wakes } = result;
  return {
    title: `A battery device: ${AWAKE} s awake, ${ASLEEP} s asleep`,
    note:
      `${SIZE} bytes at ${LINES[0]!.name}, ${LINES[0]!.latency} ms one way, an address ${NETWORK_UP} ms after the firmware's start (assumed: a station that knows its channel and address). ` +
      "Awake: from the reset, with the bootloader's check of the running image, to the sleep call. The first wake waits for the push, the last one verifies the image and restarts into it. " +
      `Receiving: from the first to the last byte of the file in a wake, ${percent(receivingShare(result))} of all awake time.`,
    body: table(
      ["wake", "awake, ms", "first byte, ms", "receiving, ms", "received", "sent", "to and from the broker"],
      wakes.map((wake, at) => [
        at + 1,
        Math.round(wake.awake),
        Math.round(wake.first),
        Math.round(wake.receiving),
        wake.received,
        wake.fileUp,
        `${wake.mqttUp} / ${wake.mqttDown}`,
      ]),
    ),
  };
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
