import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { Aedes } from "aedes";
import type { AuthenticateError } from "aedes";
import { MqttSession } from "../../src/mqtt/session";
import type { SessionOutput } from "../../src/mqtt/outputs";
import type { Identity } from "../../src/mqtt/message";
import { failure, feed } from "./feed";

/** The smallest driver there is: one session, one socket, one timer. */
class Driver {
  readonly session: MqttSession;
  readonly effects: SessionOutput[] = [];
  readonly #port: number;
  #socket: Socket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #waiting: { type: string; resolve: (effect: SessionOutput) => void }[] = [];

  constructor(port: number, identity: Identity, subscriptions: string[]) {
    this.#port = port;
    this.session = new MqttSession({ identity: () => identity, subscriptions, random: () => 0.01 });
  }

  run(effects: SessionOutput[]): void {
    for (const effect of effects) {
      this.effects.push(effect);
      if (effect.type === "connect") this.#open();
      if (effect.type === "send") this.#socket!.write(effect.bytes);
      if (effect.type === "close") this.#socket!.destroy();
      if (effect.type === "message" && effect.handle !== 0)
        this.run(this.session.handled(effect.handle, performance.now()));
      for (const one of this.#waiting.filter(({ type }) => type === effect.type)) one.resolve(effect);
      this.#waiting = this.#waiting.filter(({ type }) => type !== effect.type);
    }
    clearTimeout(this.#timer);
    const deadline = this.session.deadline();
    if (deadline !== undefined)
      this.#timer = setTimeout(
        () => this.run(this.session.tick(performance.now())),
        Math.max(0, deadline - performance.now()),
      );
  }

  #open(): void {
    const socket = (this.#socket = connect(this.#port, "127.0.0.1"));
    const current = (handle: () => SessionOutput[]) =>
      socket === this.#socket && !socket.destroyed && this.run(handle());
    socket.on("connect", () => current(() => this.session.opened(performance.now())));
    socket.on("data", (data) => current(() => feed(this.session, data, performance.now())));
    socket.on("error", () => {});
    socket.on(
      "close",
      () => socket === this.#socket && this.run(this.session.closed(failure("closed"), performance.now())),
    );
  }

  next<T extends SessionOutput["type"]>(type: T): Promise<Extract<SessionOutput, { type: T }>> {
    return new Promise((resolve) => this.#waiting.push({ type, resolve: resolve as (effect: SessionOutput) => void }));
  }

  get socket(): Socket {
    return this.#socket!;
  }
}

async function startBroker(t: TestContext) {
  const broker = await Aedes.createBroker({
    authenticate(_client, username, password, done) {
      if (username === "user" && String(password) === "right") return done(null, true);
      return done(Object.assign(new Error("refused"), { returnCode: 4 }) as AuthenticateError, null);
    },
    authorizeSubscribe: (_client, subscription, done) =>
      done(null, subscription.topic.startsWith("forbidden") ? null : subscription),
  });
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("close", () => sockets.delete(socket)));
    broker.handle(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
    broker.close();
  });
  return { broker, port: (server.address() as AddressInfo).port };
}

test("a real broker: subscribe, receive, publish, lose the connection, carry on", async (t) => {
  const { broker, port } = await startBroker(t);
  const driver = new Driver(port, { clientId: "device", username: "user", password: "right", keepAlive: 60 }, [
    "in/#",
    "forbidden",
  ]);
  t.after(() => driver.run(driver.session.stop(performance.now())));
  const seen: { topic: string; payload: string; qos: number }[] = [];
  broker.on(
    "publish",
    (packet, client) =>
      void (client && seen.push({ topic: packet.topic, payload: String(packet.payload), qos: packet.qos })),
  );
  const toDevice = (topic: string, payload: string, qos: 0 | 1, retain = false) =>
    new Promise<void>((resolve, reject) => {
      broker.publish({ cmd: "publish", topic, payload, qos, retain, dup: false }, (error) =>
        error ? reject(error) : resolve(),
      );
    });

  await toDevice("in/kept", "retained", 1, true);
  const [retained] = await Promise.all([
    driver.next("message"),
    driver.next("up"),
    driver.next("warning"),
    driver.run(driver.session.start(performance.now())),
  ]);
  assert.deepEqual([retained.topic, Buffer.from(retained.payload).toString()], ["in/kept", "retained"]);
  const [cleared] = await Promise.all([driver.next("message"), toDevice("in/kept", "", 0, true)]);
  assert.equal(cleared.topic, "in/kept");

  for (const [payload, qos] of [
    ["", 0],
    ["plain", 0],
    ["with acknowledgement", 1],
  ] as const) {
    const [message] = await Promise.all([driver.next("message"), toDevice("in/a", payload, qos)]);
    assert.deepEqual([message.topic, Buffer.from(message.payload).toString()], ["in/a", payload]);
    assert.equal(message.handle !== 0, qos === 1);
  }

  const [acked] = await Promise.all([
    driver.next("acked"),
    driver.run(driver.session.publish("version", { topic: "out", payload: "{}", qos: 1 }, performance.now())),
  ]);
  assert.equal(acked.token, "version");

  const down = driver.next("down");
  driver.socket.destroy();
  await down;
  driver.session.publish("done", { topic: "out", payload: "kept", qos: 1 }, performance.now());
  const [late] = await Promise.all([driver.next("acked"), driver.next("up")]);
  assert.equal(late.token, "done");
  assert.deepEqual(seen, [
    { topic: "out", payload: "{}", qos: 1 },
    { topic: "out", payload: "kept", qos: 1 },
  ]);

  const again = await Promise.all([driver.next("message"), toDevice("in/b", "after the reconnect", 1)]);
  assert.equal(Buffer.from(again[0].payload).toString(), "after the reconnect");
});

test("a real broker: wrong password, and another client that takes the id over", async (t) => {
  const { broker, port } = await startBroker(t);
  const stranger = new Driver(port, { clientId: "device", username: "user", password: "wrong", keepAlive: 60 }, [
    "in/a",
  ]);
  const [refused] = await Promise.all([stranger.next("down"), stranger.run(stranger.session.start(performance.now()))]);
  assert.match(refused.reason, /code 4: bad user name or password/);
  stranger.run(stranger.session.stop(performance.now()));

  const identity = { clientId: "device", username: "user", password: "right", keepAlive: 60 };
  const first = new Driver(port, identity, ["in/a"]);
  await Promise.all([first.next("up"), first.run(first.session.start(performance.now()))]);
  const second = new Driver(port, identity, ["in/a"]);
  const [down] = await Promise.all([
    first.next("down"),
    second.next("up"),
    second.run(second.session.start(performance.now())),
  ]);
  assert.match(down.reason, /soon after it was made .*same client id/);
  first.run(first.session.stop(performance.now()));
  const gone = once(broker, "clientDisconnect");
  second.run(second.session.stop(performance.now()));
  await gone;
});
