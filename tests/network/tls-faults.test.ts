/**
 * The whole agent against servers that TLS must refuse: a clear error, no credentials sent, never plain text in place
 * of TLS.
 */
import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import { after, before, describe, test } from "node:test";
import { Authority } from "../../host-sim/cloud/core/listeners/certificates";
import { TLS_FAULTS, TlsFaultServer } from "../../host-sim/faults/tls-faults";
import { EXPLAINED } from "./explained";
import { checkRecorded, explained } from "./recorded";
import { BACKOFF_CAP, REFUSAL_TRIES } from "../../src/constants";
import { NEW, Scenery, deeds } from "./scene";
import type { Row } from "./scene";
import { writeRows } from "./table";

const rows: Row[] = [];
let authority: Authority;
let scenery: Scenery;
before(async () => {
  authority = await Authority.create("ec");
  scenery = await Scenery.make({ tls: { authority } });
});
after(async () => {
  await scenery.stop();
  const order = Object.keys(TLS_FAULTS);
  const place = ({ fault }: Row): number =>
    order.findIndex((name) => fault.endsWith(name)) + (fault.startsWith("broker") ? 100 : 0);
  writeRows(
    "tls",
    rows.sort((a, b) => place(a) - place(b)),
  );
});

/** Answers range requests; `count` gets the number of body bytes. */
function files(count: (bytes: number) => void): (socket: Socket) => void {
  return (socket) => {
    let received = "";
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      received += text;
      for (let end = received.indexOf("\r\n\r\n"); end >= 0; end = received.indexOf("\r\n\r\n")) {
        const [, first, last] = /Range: bytes=(\d+)-(\d+)/i.exec(received.slice(0, end)) ?? [];
        received = received.slice(end + 4);
        const body = NEW.subarray(Number(first), Number(last) + 1);
        count(body.length);
        socket.write(
          `HTTP/1.1 206 Partial Content\r\nContent-Length: ${body.length}\r\nContent-Range: bytes ${first}-${Number(first) + body.length - 1}/${NEW.length}\r\n\r\n`,
        );
        socket.write(body);
      }
    });
  };
}

describe("TLS", { concurrency: 6, timeout: 300_000 }, () => {
  for (const [name, fault] of Object.entries(TLS_FAULTS)) {
    test(`file server: ${name}`, { timeout: 120_000 }, async (t) => {
      let served = 0;
      const server = await TlsFaultServer.listen(
        fault,
        authority,
        files((bytes) => (served += bytes)),
      );
      const scene = scenery.device(undefined, { trust: { https: { ca: authority.root } }, allowHttp: false });
      t.after(async () => {
        scene.end();
        await server.close();
      });
      const { device, cloud } = scene;
      cloud.route(scene.id, `https://127.0.0.1:${server.port}`);
      const task = await scene.update();
      const connects = device.connects.filter(({ port }) => port === server.port);
      assert.ok(
        connects.every(({ tls }) => tls),
        "never plain text",
      );
      const outcomes = scene.outcomes();
      assert.equal(outcomes.length, 1, outcomes.join(" | "));
      if (fault.kind === "cut") assert.deepEqual([task.status, task.code], ["success", 0], task.message);
      else {
        assert.equal(task.status, "failure");
        assert.equal(server.applicationBytes, 0, "no request, and so no signature of a URL, went out");
        if (fault.kind === "certificate")
          assert.deepEqual([task.code, connects.length], [-5, REFUSAL_TRIES], task.message);
        else assert.equal(task.code, -1, task.message);
        assert.match(task.message ?? "", /certificate|altnames|ssl|tls|version|expired/i);
      }
      const explanation =
        fault.kind === "cut"
          ? explained(device)
          : checkRecorded(device, fault.kind === "certificate" ? "download" : "download-timeout", task.message ?? "");
      assert.equal(explanation.name, EXPLAINED.tls[name]);
      const stayed = fault.kind === "cut" ? NEW.length : 0;
      rows.push({
        fault: `file server, ${name}`,
        does: fault.does,
        agent: deeds(device, server.port),
        report: outcomes[0]!,
        again: served - stayed,
        explained: explanation,
      });
      await scene.recover();
    });

    if (fault.kind === "cut") continue;
    test(`broker: ${name}`, { timeout: 120_000 }, async (t) => {
      const server = await TlsFaultServer.listen(fault, authority, (socket) => socket.resume());
      const trust = { ca: authority.root };
      const scene = scenery.device(undefined, {
        broker: { host: "127.0.0.1", port: server.port, tls: true },
        trust: { mqtt: trust, https: trust },
        allowHttp: false,
      });
      t.after(async () => {
        scene.end();
        await server.close();
      });
      const { device, cloud } = scene;
      device.powerOn();
      await device.clock.until(() => device.connects.length >= 12);
      assert.equal(server.applicationBytes, 0, "credentials were not sent");
      assert.ok(
        device.connects.every(({ tls }) => tls),
        "never plain text",
      );
      const waits = device.connects.map(({ at }, index) => at - (device.connects[index - 1]?.at ?? at));
      assert.ok(waits.at(-1)! >= BACKOFF_CAP / 2, `the last wait is ${waits.at(-1)} ms`);
      const reason = device.log.find((line) => line.startsWith("mqtt: ")) ?? "";
      assert.match(reason, /certificate|altnames|ssl|tls|version|expired/i);

      const explanation = explained(device);
      assert.equal(explanation.name, EXPLAINED.tls[name]);

      // The server is put right: the device is still trying.
      server.elsewhere = cloud.mqttsPort;
      await device.clock.until(() => cloud.devices.get(scene.id)?.version !== undefined);
      rows.push({
        fault: `broker, ${name}`,
        does: fault.does,
        agent: `tries for ever, at most ${BACKOFF_CAP / 1000} s apart; sends nothing; ${reason.slice(6)}`,
        report: "none: nobody to tell",
        again: 0,
        explained: explanation,
      });
      await scene.recover();
    });
  }

  test(
    "of servers with a valid certificate only those with a pinned key are accepted",
    { timeout: 60_000 },
    async (t) => {
      const pin = (pem: string): string =>
        createHash("sha256")
          .update(new X509Certificate(pem).publicKey.export({ type: "spki", format: "der" }))
          .digest("base64");
      const other = pin((await Authority.create("ec")).root);
      const trust = { ca: authority.root };
      const pinned = { ...trust, pins: [other, pin(authority.root)] };
      const good = scenery.device(undefined, {
        broker: { host: "127.0.0.1", port: scenery.cloud.mqttsPort, tls: true },
        trust: { mqtt: pinned, https: pinned },
        allowHttp: false,
      });
      t.after(() => good.end());
      assert.equal((await good.update()).status, "success");

      const bad = scenery.device(undefined, { trust: { https: { ...trust, pins: [other] } }, allowHttp: false });
      t.after(() => bad.end());
      const task = await bad.update();
      assert.deepEqual([task.status, task.code], ["failure", -5]);
      assert.match(task.message ?? "", /pinned/);

      const deaf = scenery.device(undefined, {
        broker: { host: "127.0.0.1", port: scenery.cloud.mqttsPort, tls: true },
        trust: { mqtt: { ...trust, pins: [other] } },
      });
      t.after(() => deaf.end());
      deaf.device.powerOn();
      await deaf.device.clock.until(() => deaf.device.connects.length >= 4);
      assert.equal(scenery.cloud.devices.get(deaf.id)?.online, false);
      assert.match(deaf.device.log.join("\n"), /pinned/);
    },
  );
});
