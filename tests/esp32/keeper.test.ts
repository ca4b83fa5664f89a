import assert from "node:assert/strict";
import { test } from "node:test";
import { LinkKeeper } from "../../hal/esp32/network/keeper";
import { bringUp as bringUpNothing } from "../../hal/esp32/network/none";
import { BACKOFF_CAP } from "../../src/constants";
import { VirtualClock } from "../kit/virtual-clock";

/** ECMA-419 connection states. */
const DOWN = 200;
const JOINING = 300;
const ASSOCIATED = 400;
const ADDRESS = 500;

class Desk {
  readonly clock = new VirtualClock();
  readonly happened: string[] = [];
  connection = DOWN;
  attempts = 0;
  disconnects = 0;
  /** Thrown by the next attempts. */
  trouble: string | undefined;
  /** Thrown when the interface is made. */
  absent = false;
  readonly keeper: LinkKeeper;

  constructor() {
    const connect = (): void => {
      this.attempts++;
      if (this.trouble !== undefined) throw new Error(this.trouble);
      this.connection = JOINING;
    };
    const disconnect = (): void => {
      this.disconnects++;
      this.connection = DOWN;
    };
    const connection = (): number => this.connection;
    this.keeper = new LinkKeeper(
      {
        setting: () => undefined,
        clock: this.clock,
        random: () => 0.999_999,
        up: () => this.happened.push("up"),
        down: (reason) => this.happened.push(`down: ${reason}`),
        log: () => {},
      },
      () => {
        if (this.absent) throw new Error("no such interface");
        return {
          connect,
          disconnect,
          get connection() {
            return connection();
          },
        };
      },
    );
  }

  becomes(connection: number): void {
    this.connection = connection;
    this.keeper.changed();
  }

  joined(): this {
    this.keeper.start();
    this.clock.advance(1);
    this.becomes(ASSOCIATED);
    this.becomes(ADDRESS);
    return this;
  }
}

test("joins, and says so once there is an address", () => {
  const desk = new Desk();
  desk.keeper.start();
  assert.equal(desk.attempts, 0, "nothing happens inside start");
  desk.clock.advance(0);
  desk.becomes(ASSOCIATED);
  assert.deepEqual(desk.happened, []);
  desk.becomes(ADDRESS);
  desk.keeper.changed();
  assert.deepEqual(desk.happened, ["up"]);
  assert.equal(desk.clock.waiting, 0, "nothing waits while all is well");
});

test("an interface that is up already needs no join", () => {
  const desk = new Desk();
  desk.connection = ADDRESS;
  desk.keeper.start();
  desk.clock.advance(0);
  assert.deepEqual(desk.happened, ["up"]);
  assert.equal(desk.attempts, 0);
});

test("a lost connection is told and joined again", () => {
  const desk = new Desk().joined();
  desk.clock.advance(60_000);
  desk.becomes(DOWN);
  assert.deepEqual(desk.happened, ["up", "down: disconnected"]);
  desk.clock.advance(1_000);
  assert.equal(desk.attempts, 2);
  desk.becomes(ADDRESS);
  assert.deepEqual(desk.happened.at(-1), "up");
});

test("tries for ever, an attempt a minute at the slowest", () => {
  const desk = new Desk();
  desk.trouble = "connect failed";
  desk.keeper.start();
  desk.clock.advance(24 * 3_600_000);
  assert.ok(desk.attempts >= 24 * 60, `${desk.attempts} attempts in a day`);
  assert.ok(desk.attempts <= 24 * 60 + 20, `${desk.attempts} attempts in a day`);
  desk.trouble = undefined;
  desk.clock.advance(BACKOFF_CAP);
  desk.becomes(ADDRESS);
  assert.deepEqual(desk.happened, ["up"]);
});

test("an attempt that comes to nothing is given up", () => {
  const desk = new Desk();
  desk.keeper.start();
  desk.clock.advance(0);
  desk.becomes(ASSOCIATED);
  desk.clock.advance(30_000);
  assert.equal(desk.disconnects, 1);
  desk.clock.advance(1_000);
  assert.equal(desk.attempts, 2);
});

test("a refused attempt is followed by another, later each time", () => {
  const desk = new Desk();
  desk.keeper.start();
  const waits: number[] = [];
  for (let round = 1; round <= 4; round++) {
    const before = desk.clock.now();
    while (desk.attempts < round) desk.clock.advance(1);
    waits.push(desk.clock.now() - before);
    desk.becomes(DOWN);
  }
  assert.deepEqual(
    waits.map((wait) => Math.round(wait / 1000)),
    [0, 1, 2, 4],
  );
});

test("an address that goes while associated may come again without a join", () => {
  const desk = new Desk().joined();
  desk.becomes(ASSOCIATED);
  assert.deepEqual(desk.happened, ["up", "down: address lost"]);
  desk.becomes(ADDRESS);
  assert.deepEqual(desk.happened.at(-1), "up");
  assert.equal(desk.attempts, 1);
  assert.equal(desk.disconnects, 0);
});

test("an interface that can not be made is tried again as well", () => {
  const desk = new Desk();
  desk.absent = true;
  desk.keeper.start();
  desk.clock.advance(10_000);
  desk.absent = false;
  desk.clock.advance(BACKOFF_CAP);
  assert.ok(desk.attempts >= 1);
});

test("events while nobody joins do nothing", () => {
  const desk = new Desk();
  desk.trouble = "connect failed";
  desk.keeper.start();
  desk.clock.advance(0);
  const { waiting } = desk.clock;
  desk.becomes(DOWN);
  desk.becomes(DOWN);
  assert.equal(desk.clock.waiting, waiting);
  assert.deepEqual(desk.happened, []);
});

test("where the application brings the network up, it is up", () => {
  const clock = new VirtualClock();
  let up = 0;
  bringUpNothing({ setting: () => undefined, clock, random: () => 0, up: () => up++, down: () => {}, log: () => {} });
  assert.equal(up, 0, "not from inside");
  clock.advance(0);
  assert.equal(up, 1);
});
