/** One board after the other: what happens to it, and what the page shows of that. */
import { useEffect, useRef, useState } from "preact/hooks";
import { ask, part } from "../../api";
import { tell } from "../../live";
import type { BoardBuild } from "../../flashing/build";
import type { ConnectedBoard } from "../../flashing/connected-board";
import type { WebSerialPort } from "../../flashing/serial-port";
import { withNetwork, type Network } from "../../flashing/network";
import { choosePort } from "../../flashing/web-serial";
import { nvsOfSettings } from "../../../../../provision/nvs-of-settings";
import { addDevice, type Identity } from "../devices/identity";

export type Step = "ready" | "connecting" | "adding" | "writing" | "starting" | "started";

export interface Order {
  readonly build: BoardBuild;
  readonly network: Network;
  readonly identity: Identity;
}

export interface FlashingState {
  readonly step: Step;
  /** 0 to 1 while it is written. */
  readonly share: number;
  /** What the board prints. */
  readonly log: string;
  readonly problem: string | undefined;
  /** The device that it is in the cloud. */
  readonly device: string | undefined;
}

const READY: FlashingState = { step: "ready", share: 0, log: "", problem: undefined, device: undefined };
/** Characters of the log that are shown. */
const LOG_MAX = 20_000;
/** Colours, as ESP-IDF prints them. */
// oxlint-disable-next-line no-control-regex
const COLOURS = /\u001b\[[0-9;]*m/g;

export function useFlashing(): { readonly state: FlashingState; readonly flash: (order: Order) => Promise<void> } {
  const [state, setState] = useState(READY);
  const board = useRef<ConnectedBoard | undefined>(undefined);
  /** Devices that were made for boards that were not written to the end, by what identifies them. */
  const made = useRef(new Map<string, string>());
  const change = (part: Partial<FlashingState>): void => setState((before) => ({ ...before, ...part }));
  useEffect(() => () => void board.current?.close(), []);
  useStay(state.step);

  const run = async (order: Order, port: WebSerialPort): Promise<void> => {
    await board.current?.close();
    setState({ ...READY, step: "connecting" });
    const { ConnectedBoard } = await import("../../flashing/connected-board");
    board.current = await ConnectedBoard.open(port, order.build);
    change({ step: "adding" });
    const key = JSON.stringify(order.identity);
    const device = made.current.get(key) ?? (await addDevice(order.identity));
    made.current.set(key, device);
    tell("devices", true);
    const { build } = order;
    const { settings } = await ask<{ settings: Record<string, string> }>("GET", `/devices/${part(device)}/settings`);
    const bytes = nvsOfSettings(withNetwork(settings, order.network), build.nvs.size);
    const nvs = { offset: build.nvs.address, file: "nvs.bin", bytes };
    change({ step: "writing", device });
    await board.current.write([...build.parts, nvs], (share) => change({ share }));
    made.current.delete(key);
    change({ step: "starting" });
    await board.current.start((text) =>
      setState((before) => ({ ...before, log: `${before.log}${text.replace(COLOURS, "")}`.slice(-LOG_MAX) })),
    );
    change({ step: "started" });
  };
  const flash = async (order: Order): Promise<void> => {
    try {
      // First of all: the browser asks for a port only right after a click.
      const port = await choosePort();
      if (port !== undefined) await run(order, port);
    } catch (error) {
      await board.current?.close();
      change({ step: "ready", problem: sentence((error as Error).message) });
    }
  };
  return { state, flash };
}

/** The browser asks before the page is left while a board is written. */
function useStay(step: Step): void {
  useEffect(() => {
    if (step !== "writing") return undefined;
    const ask = (event: Event): void => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [step]);
}

/** Refusals of the cloud are sentences already. */
export function sentence(line: string): string {
  return `${line.charAt(0).toUpperCase()}${line.slice(1)}${line.endsWith(".") ? "" : "."}`;
}
