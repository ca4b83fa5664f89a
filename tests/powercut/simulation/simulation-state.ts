/**
 * Everything outside the device's RAM: the flash chip, the cloud, and the ledger of the checks. It is forked at each
 * power cut.
 */
import { createHash } from "node:crypto";
import { OWN_BOOTLOADER } from "../../../hal/model-chip/bootloader";
import { MemoryBoard } from "../../../hal/model-chip/memory-board";
import { Nvs } from "../../../hal/model-chip/nvs";
import { PartitionTable } from "../../../hal/model-chip/partitions";
import { nodeSha256 } from "../../../host-sim/board/node-crypto";
import { nodeExpander } from "../../../host-sim/board/node-expander";
import type { Offer } from "../../../src/job/types";
import { CloudSide } from "./cloud-side";
import { ChipFaults } from "./faults";
import { HawkbitSide } from "./hawkbit-side";
import { Ledger } from "../checks/ledger";
import { NetworkPast } from "./network-faults";
import { servedOf } from "./push";
import type { Scale, Scenario } from "./scenarios";
import type { Push } from "./push";
import { ASLEEP } from "./sleeps";
import { Oracle } from "../checks/oracle";

/** A small layout, so that boards are quick to fork. NVS has 3 pages, the fewest that ESP-IDF takes. */
const LAYOUT = `nvs, data, nvs, 0x9000, 0x3000
otadata, data, ota, 0xd000, 0x2000
ota_0, app, ota_0, 0x10000, 0x20000
ota_1, app, ota_1, 0x30000, 0x20000`;
const FLASH_SIZE = 0x50000;

/**
 * Writes to a counter in another namespace, so that NVS pages are freed in the middle of an update, with records to
 * copy.
 */
const WORN_IN: { readonly [scale in Scale]: number } = { whole: 228, small: 240 };

export class SimulationState {
  readonly scenario: Scenario;
  readonly board: MemoryBoard;
  readonly faults: ChipFaults;
  readonly cloud: CloudSide;
  readonly ledger: Ledger;
  readonly network: NetworkPast;
  /** Of a scenario on hawkBit. */
  readonly hawkbit: HawkbitSide | undefined;
  /** Milliseconds. */
  now: number;
  /** Deep sleeps so far. */
  sleeps: number;
  #oracle: Oracle | undefined;

  private constructor(scenario: Scenario, board: MemoryBoard, from?: SimulationState) {
    this.scenario = scenario;
    this.board = board;
    this.faults = from?.faults.fork() ?? new ChipFaults();
    this.cloud = from?.cloud.fork() ?? new CloudSide(scenario);
    this.ledger = from?.ledger.fork() ?? new Ledger();
    this.network = from?.network.fork() ?? new NetworkPast();
    this.now = from?.now ?? 0;
    const now = (): number => this.now;
    this.hawkbit = from === undefined ? HawkbitSide.begin(scenario, now) : from.hawkbit?.fork(now);
    this.sleeps = from?.sleeps ?? 0;
  }

  /** The beginning of a scenario: a board that was in use, with its factory firmware. */
  static begin(scenario: Scenario, bootloader = OWN_BOOTLOADER): SimulationState {
    const key = `${scenario.scale}/${scenario.name}`;
    let board = factoryBoards.get(key);
    if (board === undefined) {
      board = new MemoryBoard({
        factoryImage: scenario.factory,
        table: PartitionTable.fromCsv(LAYOUT, FLASH_SIZE),
        flashSize: FLASH_SIZE,
        sha256: nodeSha256,
        expander: nodeExpander,
      });
      const nvs = new Nvs(board.chip, board.table.nvs, "app");
      for (const [key, text] of [
        ["ssid", "home"],
        ["password", "correct horse battery staple"],
        ["place", "greenhouse 3"],
      ] as const)
        nvs.setString(key, Buffer.from(text));
      for (let run = 0; run < WORN_IN[scenario.scale]; run++) nvs.setNumber("runs", run);
      factoryBoards.set(key, board);
    }
    return new SimulationState(scenario, board.fork(undefined, bootloader));
  }

  /** A copy of everything. */
  fork(): SimulationState {
    return new SimulationState(this.scenario, this.board.fork(), this);
  }

  get oracle(): Oracle {
    return (this.#oracle ??= new Oracle(this.board));
  }

  /** What the operator does next (`CloudSide.operate`): who waits for a device that sleeps counts its time awake. */
  operate(): Offer | number | undefined {
    const slept = this.sleeps * ASLEEP * 1000;
    const next = this.cloud.operate(this.now - slept);
    return typeof next === "number" ? next + slept : next;
  }

  /** Restarts an idle chip where the cloud's latest push says so. */
  restarts(): boolean {
    if (!this.cloud.restarts()) return false;
    this.board.ports.boot.restart();
    return true;
  }

  /** The push that an offer belongs to. The query of the URL may differ. */
  pushOf(offer: Offer): Push | undefined {
    const index = this.hawkbit?.pushAt(offer.url) ?? -1;
    if (index >= 0) return this.scenario.pushes[index];
    return this.scenario.pushes.find(
      (push) => path(push.offer.url) === path(offer.url) && push.offer.version === offer.version,
    );
  }
}

const factoryBoards = new Map<string, MemoryBoard>();

const path = (url: string): string => url.split("?", 1)[0]!;

/** The digest in the offer is that of the file behind it. */
export function isAsOffered(push: Push): boolean {
  const { digest } = push.offer;
  if (digest === undefined) return true;
  let known = asOffered.get(push);
  if (known === undefined) {
    const hash = createHash(digest.algorithm.toLowerCase()).update(servedOf(push)).digest("hex");
    asOffered.set(push, (known = hash === digest.hex));
  }
  return known;
}
const asOffered = new WeakMap<Push, boolean>();

/** Names an image in the ledger. */
export const imageOf = (offer: Offer): string => `${offer.version} ${offer.digest?.hex ?? offer.url}`;

/** The scenario expects that this image is refused or rolled back for a fault of its own. */
export function isAtFault({ scenario }: SimulationState, push: Push): boolean {
  const same = scenario.pushes.filter(({ offer }) => imageOf(offer) === imageOf(push.offer));
  return same.some(
    ({ behaviour, ends }) =>
      (behaviour !== "good" && behaviour !== "offline" && behaviour !== "sleeps") ||
      (ends !== "done" && ends.cause === "rejected"),
  );
}
