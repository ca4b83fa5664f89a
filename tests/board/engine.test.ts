import assert from "node:assert/strict";
import { test } from "node:test";
import { TURN_TIME } from "../../host-sim/board/engine";
import type { Engine } from "../../host-sim/board/engine";
import { createNodeEngine } from "../../host-sim/board/engine-node";
import { createXsEngine } from "../../host-sim/board/engine-xs";

/** Answers each turn by sending back what it was given, twice. */
const ECHO = `globalThis.handleCommand = (message) => {
  const bytes = new Uint8Array(message);
  const reply = new Uint8Array(issueCommand(message));
  if (reply.join() !== bytes.map((byte) => byte ^ 255).join()) throw new Error("reply differs: " + reply.join());
  issueCommand(reply.buffer);
};`;

for (const [name, create] of [
  ["XS", createXsEngine],
  ["Node", createNodeEngine],
] as const) {
  const starting = (
    answer: (request: Uint8Array, engine: Engine) => Uint8Array | undefined = (request) => request,
  ): Engine => {
    const engine: Engine = create({ answer: (request) => answer(request, engine) });
    return engine;
  };

  test(`${name}: runs a bundle, hands it messages and answers its requests, binary both ways`, async () => {
    const requests: number[][] = [];
    const engine = starting((request) => {
      requests.push([...request]);
      return request.map((byte) => byte ^ 255);
    });
    const meter = await engine.run(ECHO);
    assert.ok(meter !== undefined);
    const all = Uint8Array.from({ length: 256 }, (_, i) => i);
    const turn = await engine.turn(all);
    assert.deepEqual(requests, [[...all], Array.from(all, (byte) => byte ^ 255)]);
    assert.equal(turn !== undefined && turn.compute > 1000, name === "XS", "only XS counts bytecodes");
    assert.ok((await engine.turn(new Uint8Array(100_000))) !== undefined);
    engine.stop();
    assert.equal((await engine.ended).cause, "stopped");
    assert.equal(await engine.turn(all), undefined);
  });

  test(`${name}: an exception at the start ends it with the message`, async () => {
    const engine = starting();
    assert.equal(await engine.run('throw new Error("größer als €")'), undefined);
    const end = await engine.ended;
    assert.equal(end.cause, "exception");
    assert.match(end.message, /größer als €/);
  });

  test(`${name}: an exception in a turn, and source that does not parse`, async () => {
    const engine = starting();
    await engine.run("globalThis.handleCommand = () => { undefined.property; }");
    assert.equal(await engine.turn(new Uint8Array(1)), undefined);
    assert.equal((await engine.ended).cause, "exception");
    const broken = starting();
    await broken.run("this is not a program");
    assert.equal((await broken.ended).cause, "exception");
  });

  test(`${name}: a turn that does not end is ended by the watchdog`, async () => {
    const limits = { turnBytecodes: 2_000_000, turnTime: TURN_TIME };
    const engine = create(Object.assign(limits, { answer: (request: Uint8Array) => request }));
    assert.ok(await engine.run("globalThis.handleCommand = () => { for (;;); }"));
    // XS counts bytecodes. Node has only the clock, and the limit is for the turn that hangs.
    if (name === "Node") limits.turnTime = 50;
    assert.equal(await engine.turn(new Uint8Array(1)), undefined);
    assert.equal((await engine.ended).cause, "watchdog");
  });

  test(`${name}: stopped from inside a request, it hears no reply and does nothing more`, async () => {
    let requests = 0;
    const engine = starting((_request, self) => {
      requests++;
      self.stop();
      return undefined;
    });
    await engine.run(
      "globalThis.handleCommand = (m) => { for (;;) { try { issueCommand(m); } catch (e) { break; } } };",
    );
    await engine.turn(new Uint8Array(4));
    assert.equal((await engine.ended).cause, "stopped");
    assert.equal(requests, 1);
  });
}

test("XS: wall clock is the second watchdog, where bytecodes do not count", async () => {
  const limits = { turnTime: TURN_TIME };
  const engine = createXsEngine(Object.assign(limits, { answer: (request: Uint8Array) => request }));
  assert.ok(await engine.run("globalThis.handleCommand = (m) => { for (;;) issueCommand(m); }"));
  limits.turnTime = 200;
  assert.equal(await engine.turn(new Uint8Array(1)), undefined);
  const end = await engine.ended;
  assert.deepEqual([end.cause, /200 ms/.test(end.message)], ["watchdog", true]);
});

test("XS: endless recursion and endless promises end the engine like an exception or a hang, never the board", async () => {
  const recursion = createXsEngine({ answer: (request) => request });
  await recursion.run("(function f() { return 1 + f(); })()");
  assert.equal((await recursion.ended).cause, "exception");
  const promises = createXsEngine({ answer: (request) => request, turnBytecodes: 5_000_000 });
  await promises.run("(function f() { Promise.resolve().then(f); })()");
  assert.equal((await promises.ended).cause, "watchdog");
});
