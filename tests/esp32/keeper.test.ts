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

class Fixture {
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

test("joins, and reports it when there is an address", () => {
  const fixture = new Fixture();
  fixture.keeper.start();
  assert.equal(fixture.attempts, 0, "nothing happens inside start");
  fixture.clock.advance(0);
  fixture.becomes(ASSOCIATED);
  assert.deepEqual(fixture.happened, []);
  fixture.becomes(ADDRESS);
  fixture.keeper.changed();
  assert.deepEqual(fixture.happened, ["up"]);
  assert.equal(fixture.clock.waiting, 0, "nothing waits while all is well");
});

test("an interface that is up already needs no join", () => {
  const fixture = new Fixture();
  fixture.connection = ADDRESS;
  fixture.keeper.start();
  fixture.clock.advance(0);
  assert.deepEqual(fixture.happened, ["up"]);
  assert.equal(fixture.attempts, 0);
});

test("a lost connection is reported and joined again", () => {
  const fixture = new Fixture().joined();
  fixture.clock.advance(60_000);
  fixture.becomes(DOWN);
  assert.deepEqual(fixture.happened, ["up", "down: disconnected"]);
  fixture.clock.advance(1_000);
  assert.equal(fixture.attempts, 2);
  fixture.becomes(ADDRESS);
  assert.deepEqual(fixture.happened.at(-1), "up");
});

test("tries without end, at least once a minute", () => {
  const fixture = new Fixture();
  fixture.trouble = "connect failed";
  fixture.keeper.start();
  fixture.clock.advance(24 * 3_600_000);
  assert.ok(fixture.attempts >= 24 * 60, `${fixture.attempts} attempts in a day`);
  assert.ok(fixture.attempts <= 24 * 60 + 20, `${fixture.attempts} attempts in a day`);
  fixture.trouble = undefined;
  fixture.clock.advance(BACKOFF_CAP);
  fixture.becomes(ADDRESS);
  assert.deepEqual(fixture.happened, ["up"]);
});

test("an attempt without result is given up", () => {
  const fixture = new Fixture();
  fixture.keeper.start();
  fixture.clock.advance(0);
  fixture.becomes(ASSOCIATED);
  fixture.clock.advance(30_000);
  assert.equal(fixture.disconnects, 1);
  fixture.clock.advance(1_000);
  assert.equal(fixture.attempts, 2);
});

test("a refused attempt is followed by another, later each time", () => {
  const fixture = new Fixture();
  fixture.keeper.start();
  const waits: number[] = [];
  for (let round = 1; round <= 4; round++) {
    const before = fixture.clock.now();
    while (fixture.attempts < round) fixture.clock.advance(1);
    waits.push(fixture.clock.now() - before);
    fixture.becomes(DOWN);
  }
  assert.deepEqual(
    waits.map((wait) => Math.round(wait / 1000)),
    [0, 1, 2, 4],
  );
});

test("an address that is lost while associated may come again without a join", () => {
  const fixture = new Fixture().joined();
  fixture.becomes(ASSOCIATED);
  assert.deepEqual(fixture.happened, ["up", "down: address lost"]);
  fixture.becomes(ADDRESS);
  assert.deepEqual(fixture.happened.at(-1), "up");
  assert.equal(fixture.attempts, 1);
  assert.equal(fixture.disconnects, 0);
});

test("an interface that can not be made is tried again", () => {
  const fixture = new Fixture();
  fixture.absent = true;
  fixture.keeper.start();
  fixture.clock.advance(10_000);
  fixture.absent = false;
  fixture.clock.advance(BACKOFF_CAP);
  assert.ok(fixture.attempts >= 1);
});

test("events without an attempt under way do nothing", () => {
  const fixture = new Fixture();
  fixture.trouble = "connect failed";
  fixture.keeper.start();
  fixture.clock.advance(0);
  const { waiting } = fixture.clock;
  fixture.becomes(DOWN);
  fixture.becomes(DOWN);
  assert.equal(fixture.clock.waiting, waiting);
  assert.deepEqual(fixture.happened, []);
});

test("where the application brings the network up, it counts as up at once", () => {
  const clock = new VirtualClock();
  let up = 0;
  bringUpNothing({ setting: () => undefined, clock, random: () => 0, up: () => up++, down: () => {}, log: () => {} });
  assert.equal(up, 0, "not from inside");
  clock.advance(0);
  assert.equal(up, 1);
});
