/** The whole agent against each fault of brokers and of the links to them. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { connect } from "mqtt";
import { FaultServer } from "../../host-sim/faults/fault-server";
import { HTTP_FAULTS } from "../../host-sim/faults/http-faults";
import { MQTT_FAULTS } from "../../host-sim/faults/mqtt-faults";
import { MqttRelay } from "../../host-sim/faults/mqtt-relay";
import { credentials } from "../cloud/helpers";
import { EXPLAINED } from "./explained";
import { explained } from "./recorded";
import { NEW, Scenery } from "./scene";
import type { Case, Row } from "./scene";
import { writeRows } from "./table";

const rows = new Map<string, Row>();
let scenery: Scenery;
before(async () => {
  scenery = await Scenery.make();
});
after(async () => {
  await scenery.stop();
  writeRows(
    "mqtt",
    [...Object.keys(MQTT_FAULTS), "taken over"].flatMap((name) => rows.get(name) ?? []),
  );
});

/** What the device logged for its engineer. */
function told({ device }: Case): string[] {
  return [...device.log, ...device.notices.flatMap((notice) => (notice.event === "warning" ? [notice.message] : []))];
}

function deeds(scene: Case, port: number): string {
  const { device } = scene;
  const connects = device.connects.filter((one) => one.port === port).map(({ at }) => at);
  const reasons = [...new Set(device.log.filter((line) => line.startsWith("mqtt: ")).map((line) => line.slice(6)))];
  const warnings = device.notices.flatMap((notice) => (notice.event === "warning" ? [notice.message] : []));
  const ignored = device.log.filter((line) => line.startsWith("message ignored: "));
  return [
    `${connects.length} connections`,
    `${scene.versionReports} version reports`,
    ...(scene.repeated > 0 ? [`${scene.repeated} sent again, marked as duplicates`] : []),
    ...new Set(ignored),
    ...reasons.slice(0, 1),
    ...new Set(warnings),
  ].join("; ");
}

describe("brokers", { concurrency: 6, timeout: 300_000 }, () => {
  for (const [name, fault] of Object.entries(MQTT_FAULTS)) {
    test(name, { timeout: 120_000 }, async (t) => {
      const files = await FaultServer.listen(NEW, HTTP_FAULTS["none"]!.make());
      const relay = await MqttRelay.listen(scenery.cloud.mqttPort, fault.make());
      const scene = scenery.device(relay.port);
      t.after(async () => {
        scene.end();
        await relay.close();
        await files.close();
      });
      const { device, cloud } = scene;
      cloud.route(scene.id, files.origin);
      const task = await scene.update();
      assert.deepEqual([task.status, task.code], ["success", 0], task.message);
      assert.deepEqual(scene.outcomes(), ["done 0"]);
      assert.equal(device.version, "0.2.0");
      assert.equal(files.bodyBytes, NEW.length, "a broker's trouble costs no byte of the file");
      assert.ok(relay.connections <= fault.connections, `${relay.connections} connections`);
      if (fault.tells !== undefined) assert.match(told(scene).join("\n"), fault.tells);
      assert.ok(!told(scene).join("\n").includes(scene.identity.deviceSecret));
      const explanation = explained(device);
      assert.equal(explanation.name, EXPLAINED.mqtt[name]);
      rows.set(name, {
        fault: name,
        does: fault.does,
        agent: deeds(scene, relay.port),
        report: scene.outcomes()[0]!,
        again: 0,
        explained: explanation,
      });
      await scene.recover();
    });
  }

  test("a device whose client id another client takes over backs off", { timeout: 120_000 }, async (t) => {
    const scene = scenery.device();
    t.after(() => scene.end());
    const { device, cloud, identity } = scene;
    device.powerOn();
    await device.clock.until(() => cloud.devices.get(scene.id)?.version !== undefined);
    const relayed = (): number => device.connects.length;
    const first = device.clock.now();
    // The other client connects each time that the device is back: eight times.
    for (let round = 0; round < 8; round++) {
      const count = relayed();
      const other = connect({
        host: "127.0.0.1",
        port: cloud.mqttPort,
        reconnectPeriod: 0,
        protocolVersion: 4,
        ...credentials(identity),
      });
      other.on("error", () => undefined);
      await new Promise<void>((resolve) => other.once("connect", () => resolve()));
      await new Promise<void>((resolve) => other.once("close", () => resolve()));
      await device.clock.until(() => relayed() > count);
    }
    const took = device.clock.now() - first;
    // Half of each ceiling, as the random number is always 0.5: 0.5, 1, 2, 4, 8, 16, 30, 30 s.
    assert.ok(took >= 60_000, `${relayed()} connections within ${took} ms`);
    assert.match(told(scene).join("\n"), /another client uses the same client id/);
    const task = await scene.offer(0);
    assert.equal(task.status, "success");
    assert.deepEqual(scene.outcomes(), ["done 0"]);
    const explanation = explained(device);
    assert.equal(explanation.name, EXPLAINED.mqtt["taken over"]);
    rows.set("taken over", {
      fault: "taken over",
      does: "another client connects by the same id, eight times",
      agent: `${relayed() - 1} connections in ${Math.round(took / 1000)} s, each wait longer; says that another client uses its id`,
      report: "done 0",
      again: 0,
      explained: explanation,
    });
    await scene.recover();
  });
});
