/**
 * One device and a cloud that does its worst: endless pushes, tasks by turns, replays, ever new digests, reports that are
 * swallowed or acknowledged out of order, several open tasks, outages and power cuts. Then the cloud is honest and pushes
 * one good image that was never tried. The seed decides everything.
 */
import { createHash } from "node:crypto";
import { buildImage } from "../../hal/model-chip/build-image";
import { NEW_IMAGE_REFILL, SECTOR } from "../../src/constants";
import type { Offer } from "../../src/job/types";
import type { PlatformRules } from "../../src/platforms/platform";
import { Random } from "../powercut/simulation/random";
import { HostileDevice } from "./hostile-device";
import type { Behaviour, Image } from "./hostile-device";
import { LightBoard } from "./light-board";
import type { Board } from "./light-board";
import { BudgetOracle } from "./oracle";

const MINUTE = 60_000;
const ACTS = 60;
/** Minutes until the good image is in, at most: the wait for one more new image, a trial that is under way, its download. */
export const BOUND = NEW_IMAGE_REFILL / 60 + 5;

const RULES: readonly PlatformRules[] = [
  { versionReport: true, versionWhileBusy: true, renewable: true, resumeDelay: 30_000 },
  { versionReport: true, versionWhileBusy: false, renewable: false, resumeDelay: 0 },
  { versionReport: false, versionWhileBusy: false, renewable: false, resumeDelay: 0 },
];

export interface HostileResult {
  readonly complaints: readonly string[];
  readonly switches: number;
  readonly trials: number;
  /** Of one sector. */
  readonly erases: number;
  readonly awakeDays: number;
  /** Until the good image was in. */
  readonly minutes: number;
}

export const FACTORY = imageOf("0.1.0");

/** `board`: with FACTORY. */
export function runHostile(seed: number, board: Board = new LightBoard(FACTORY)): HostileResult {
  return new HostileRun(seed, board).run();
}

/** `number`: of the image, so that no two have a byte in common by chance. */
function imageOf(version: string, number = 0): Uint8Array {
  const payload = Buffer.from(`firmware ${version}`);
  return buildImage({ version, payload, size: 2 * SECTOR, seed: `${version} ${number}` });
}

/** Images by version, made once: a light board checks no image, so a number in the padding makes another one of it. */
const templates = new Map<string, Uint8Array>();

function copyOf(version: string, number: number): Uint8Array {
  let template = templates.get(version);
  if (template === undefined) templates.set(version, (template = imageOf(version)));
  const file = template.slice();
  new DataView(file.buffer).setUint32(file.length - 64, number);
  return file;
}

class HostileRun {
  readonly #random: Random;
  readonly #oracle = new BudgetOracle();
  readonly #images: Image[] = [];
  readonly #device: HostileDevice;
  /** What is in each slot, by label. */
  readonly #slots = new Map<string, Image>();
  #made = 0;

  constructor(seed: number, board: Board) {
    this.#random = new Random(seed);
    this.#device = new HostileDevice(
      board,
      this.#random.pick(RULES),
      (url) => this.#images.find((image) => image.offer.url === url),
      () => this.#slots.get(this.#device === undefined ? "ota_0" : board.ports.boot.running().slot),
    );
    this.#watch();
  }

  run(): HostileResult {
    const device = this.#device;
    for (let act = 0; act < ACTS; act++) this.#act();
    const minutes = this.#goodGetsIn();
    const now = this.#now;
    const erases = device.board.mostErases();
    this.#oracle.erases(erases, now);
    const { complaints, switches, trials } = this.#oracle;
    return { complaints, switches, trials, erases, awakeDays: now / 86_400, minutes };
  }

  get #now(): number {
    return Math.floor(this.#device.clock / 1000);
  }

  /** Tells the oracle what happens to the device. */
  #watch(): void {
    const device = this.#device;
    device.onStart = (reason) => {
      this.#oracle.ended(reason, this.#now);
      const { slot, state } = device.board.ports.boot.running();
      const image = this.#slots.get(slot);
      if (image !== undefined && (state === "pending" || state === "new")) this.#oracle.trial(idOf(image), this.#now);
    };
    device.onInstall = () => {
      const { url } = device.job.task as Offer;
      const image = this.#images.find(({ offer }) => offer.url === url)!;
      this.#slots.set(device.board.ports.boot.target(), image);
      this.#oracle.install(idOf(image), this.#now);
    };
    device.onNotice = (notice) => {
      if (notice.event === "confirmed") {
        const image = this.#slots.get(device.board.ports.boot.running().slot);
        if (image !== undefined) this.#oracle.confirmed(idOf(image));
      }
    };
  }

  /* ---- what the cloud does ---- */

  #act(): void {
    const random = this.#random;
    const device = this.#device;
    switch (random.below(12)) {
      case 0:
      case 1:
        return this.#update(this.#make(random.pick<Behaviour>(["good", "offline", "unhealthy", "throws"])));
      case 2:
        return this.#update(this.#make("good"));
      case 3:
        for (let count = random.below(30); count > 0; count--) this.#update(this.#forged());
        return;
      case 4:
        if (this.#images.length > 0) this.#update(random.pick(this.#images));
        return;
      case 5:
        return this.#byTurns();
      case 6:
        return this.#flood();
      case 7:
        return this.#supersede();
      case 8:
        device.link(false);
        return device.pass(random.below(40) * MINUTE);
      case 9:
        return device.powerOn("power-on");
      case 10:
        return this.#outOfOrder();
      default:
        return device.pass(random.below(30) * MINUTE);
    }
  }

  /** An image that nobody has seen, with the digest of its file. */
  #make(behaviour: Behaviour, version = `0.2.${this.#random.below(4)}`): Image {
    const number = ++this.#made;
    const light = this.#device.board instanceof LightBoard;
    const file = light ? copyOf(version, number) : imageOf(version, number);
    const hex = createHash("md5").update(file).digest("hex");
    const image: Image = {
      file,
      behaviour,
      offer: { version, size: file.length, url: `http://files/${number}`, digest: { algorithm: "MD5", hex } },
    };
    this.#images.push(image);
    return image;
  }

  /** A digest that no file has. */
  #forged(): Image {
    const image = this.#make("good");
    const hex = this.#random.bits().toString(16).padStart(32, "0");
    const forged: Image = { ...image, offer: { ...image.offer, digest: { algorithm: "MD5", hex } } };
    this.#images[this.#images.length - 1] = forged;
    return forged;
  }

  /** Two images by turns, each pushed as soon as the other is in. */
  #byTurns(): void {
    const two = [this.#some(), this.#some()];
    for (let turn = this.#random.below(40); turn > 0; turn--) this.#update(two[turn % 2]!);
  }

  /** One offer again and again, whatever the device answers. */
  #flood(): void {
    const image = this.#some();
    for (let count = this.#random.below(30); count > 0; count--) {
      this.#push(image);
      this.#device.deliver();
    }
    this.#settle();
  }

  /** Several open tasks: each is replaced by the next one after its first sector. */
  #supersede(): void {
    for (let count = this.#random.below(30); count > 0; count--) {
      this.#push(this.#some());
      this.#device.deliver();
    }
    this.#settle();
  }

  #outOfOrder(): void {
    const device = this.#device;
    device.link(true);
    // Without a connection nothing can be acknowledged.
    for (const token of ["outcome", "burning", "version", "refused"] as const)
      if (device.linkUp) device.dispatch({ type: "acked", token });
  }

  #some(): Image {
    return this.#images.length === 0 || this.#random.below(4) === 0
      ? this.#make("good")
      : this.#random.pick(this.#images.slice(-6));
  }

  /* ---- what comes of it ---- */

  #push(image: Image): void {
    if (!this.#device.linkUp) this.#device.link(true);
    this.#device.dispatch({ type: "offer", offer: image.offer });
  }

  #update(image: Image): void {
    this.#push(image);
    this.#settle();
  }

  /** Delivers what is asked for, and acknowledges, unless the cloud swallows it, until the device has nothing to do. */
  #settle(): void {
    const device = this.#device;
    const swallows = this.#random.below(6) === 0;
    for (let steps = 0; steps < 40; steps++) {
      if (device.deliver()) {
        if (this.#random.below(60) === 0) device.powerOn("power-on");
        continue;
      }
      if (!device.linkUp && device.state !== "idle") device.link(true);
      if (device.state === "idle") return;
      if (swallows && (device.state === "reporting" || device.unacknowledged.has("refused"))) return;
      if (device.unacknowledged.size > 0 && device.linkUp) {
        for (const token of ["version", "burning", "outcome", "refused"] as const) device.acknowledge(token);
        continue;
      }
      if (this.#random.below(20) === 0) device.powerOn("power-on");
      else device.pass(Math.max(1, (device.job.deadline() ?? device.clock + 1000) - device.clock));
    }
  }

  /** Minutes until a good image that was never tried is in; pushed once a minute. */
  #goodGetsIn(): number {
    const device = this.#device;
    const good = this.#make("good", "0.3.0");
    const begun = device.clock;
    for (let minute = 0; minute < 10 * BOUND; minute++) {
      device.link(true);
      this.#push(good);
      this.#honest();
      if (idOf(good) === idOf(this.#slots.get(device.board.ports.boot.running().slot)) && device.state === "idle")
        break;
      device.pass(MINUTE);
    }
    const minutes = (device.clock - begun) / MINUTE;
    if (minutes > BOUND) this.#oracle.complaints.push(`a good image was in after ${minutes.toFixed(0)} min`);
    return minutes;
  }

  #honest(): void {
    const device = this.#device;
    for (let steps = 0; steps < 60; steps++) {
      if (device.deliver()) continue;
      if (!device.linkUp) device.link(true);
      for (const token of ["version", "burning", "outcome", "refused"] as const) device.acknowledge(token);
      if (device.state === "idle") return;
    }
  }
}

const idOf = (image: Image | undefined): string => image?.offer.digest?.hex ?? "factory";
