/** One device: the whole agent on a board in memory. Clock and network are the test's. */
import { NodeCrypto } from "../../host-sim/board/node-crypto";
import type { BringUp } from "../../hal/esp32/network/bring-up";
import type { Clock, Network, Ports, ResetReason } from "../../src/ports";
import { OtaAgent } from "../../src/index";
import type { AgentOptions, Notice } from "../../src/index";
import type { Platform } from "../../src/platforms/platform";
import type { Recorder } from "../../src/recorder/recorder";
import type { MemoryBoard } from "../../hal/model-chip/memory-board";

export interface VirtualDeviceOptions extends Omit<AgentOptions, "ports" | "platform"> {
  readonly board: MemoryBoard;
  readonly clock: Clock;
  readonly network: Network;
  platform(crypto: NodeCrypto): Platform;
  /** Uniform in [0, 1); default: always 0.5. */
  readonly random?: () => number;
  /** The application of a battery device: it sleeps so many seconds as soon as the agent lets it. */
  readonly sleepSeconds?: number;
  /** From the start of the firmware to an address, ms; default: there is one at once. */
  readonly networkUpAfter?: number;
  /** Brings the network up, in place of that. */
  readonly bringUp?: BringUp;
  /** What `bringUp` asks for. */
  readonly settings?: { readonly [key: string]: string };
  /** The recorder of each start of the firmware; default: the agent's own. */
  makeRecorder?(): Recorder;
  /** What stands between the agent and the ports of the board. */
  ports?(ports: Ports): Ports;
}

export class VirtualDevice {
  readonly board: MemoryBoard;
  /** Notices and log lines of all boot cycles. */
  readonly notices: Notice[] = [];
  readonly log: string[] = [];
  readonly #options: VirtualDeviceOptions;
  readonly #crypto: NodeCrypto;
  #agent: OtaAgent | undefined;

  constructor(options: VirtualDeviceOptions) {
    this.#options = options;
    this.board = options.board;
    this.#crypto = new NodeCrypto(options.random ?? (() => 0.5));
  }

  /** The agent's; "off" without power. */
  get state(): string {
    return this.#agent?.state ?? "off";
  }

  get version(): string {
    return this.board.ports.boot.running().version;
  }

  /** Bootloader, then the agent of the firmware that it chose. Throws where nothing boots. */
  powerOn(reason: ResetReason = "power-on"): void {
    this.#agent?.stop();
    const { bricked } = this.board.powerOn(reason);
    if (bricked !== undefined) throw new Error(`the board does not boot: ${bricked}`);
    const {
      board: _board,
      random: _random,
      clock,
      network,
      sleepSeconds,
      networkUpAfter = 0,
      bringUp,
      settings = {},
      ports: wrap,
      platform,
      makeRecorder,
      ...options
    } = this.#options;
    const log = (line: string): void => void this.log.push(line);
    const ports = { ...this.board.ports, network, clock, crypto: this.#crypto, log };
    const agent = new OtaAgent({
      ...options,
      ...(makeRecorder === undefined ? {} : { recorder: makeRecorder() }),
      ports: wrap?.(ports) ?? ports,
      platform: platform(this.#crypto),
      onNotice: (notice) => {
        this.notices.push(notice);
        options.onNotice?.(notice);
      },
    });
    this.#agent = agent;
    if (sleepSeconds !== undefined) agent.sleepUntil(sleepSeconds);
    const missing = (reason: string): void => agent.network(`no address: ${reason}`);
    // As hal/esp32/device.ts.
    if (bringUp !== undefined)
      bringUp({
        setting: (key) => settings[key],
        clock,
        random: () => this.#crypto.random(),
        up() {
          agent.network(undefined);
          agent.start();
        },
        down: missing,
        failed: missing,
        log,
      });
    else if (networkUpAfter === 0) agent.start();
    else clock.set(() => this.#agent === agent && agent.start(), networkUpAfter);
  }

  /** The power is gone: nothing of the agent runs any more. */
  powerOff(): void {
    this.#agent?.stop();
    this.#agent = undefined;
  }

  /** Carries out a restart that the firmware asked for. */
  restartIfWanted(): void {
    if (this.#agent !== undefined && this.board.restartWanted !== undefined) this.powerOn("software");
  }
}
