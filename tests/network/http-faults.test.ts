/**
 * The whole agent against each fault of a file server: one outcome with the right code, and the next offer is taken.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { FaultServer } from "../../host-sim/faults/fault-server";
import { HTTP_FAULTS } from "../../host-sim/faults/http-faults";
import { SECTOR, URL_RENEWALS } from "../../src/constants";
import { RESULT_CODES } from "../../src/platforms/result-codes";
import { EXPLAINED } from "./explained";
import { checkRecorded, explained } from "./recorded";
import { NEW, Scenery, deeds } from "./scene";
import { writeRows } from "./table";
import type { NetworkDeviceOptions } from "./device";
import type { Row } from "./scene";

const rows = new Map<string, Row>();
let scenery: Scenery;
before(async () => {
  scenery = await Scenery.make();
});
after(async () => {
  await scenery.stop();
  writeRows(
    "http",
    [...Object.keys(HTTP_FAULTS), "no such name", "connect time-out", "nobody listens"].flatMap(
      (name) => rows.get(name) ?? [],
    ),
  );
});

describe("file servers", { concurrency: 6, timeout: 300_000 }, () => {
  for (const [name, { end, make }] of Object.entries(HTTP_FAULTS)) {
    test(name, { timeout: 240_000 }, async (t) => {
      const fault = make();
      const server = await FaultServer.listen(NEW, fault);
      t.after(() => server.close());
      const scene = scenery.device();
      t.after(() => scene.end());
      const { device, cloud } = scene;
      cloud.route(scene.id, server.origin);
      const task = await scene.update(() => cloud.route(scene.id, `${server.origin}/fresh`));

      const good = end === "finished" || end === "renewed";
      assert.deepEqual([task.status, task.code], good ? ["success", 0] : ["failure", RESULT_CODES[end]], task.message);
      const outcomes = scene.outcomes();
      assert.equal(outcomes.length, 1, outcomes.join(" | "));
      assert.equal(device.version, good ? "0.2.0" : "0.1.0");
      if (end === "renewed")
        assert.ok(
          server.requests.some(
            ({ target, first }) => target.startsWith("/fresh/") && first > 0 && first % SECTOR === 0,
          ),
          "goes on at the checkpoint",
        );
      const explanation = good ? explained(device) : checkRecorded(device, end, task.message ?? "");
      assert.equal(explanation.name, EXPLAINED.http[name]);
      if (end === "url-expired") assert.match(task.message ?? "", /403/);
      if (end === "not-found") assert.match(task.message ?? "", /HTTP (404|410|200)/);
      assert.ok(!/sign=|q-sign/.test(task.message ?? ""), "no signature of a URL in the message");
      if (end === "download-timeout") {
        const told = scene.said.filter(({ state, message }) => state === "downloading" && message !== "");
        assert.equal(told.length, 1, "the cloud hears of the stall, once");
        assert.ok(
          device.notices.some((notice) => notice.event === "warning"),
          "and so does whoever watches the device",
        );
      }

      const port = Number(new URL(server.origin).port);
      // One report for each connection: the first, and after the restart into the new version.
      const renewals = scene.versionReports - (good ? 2 : 1);
      if (end === "url-expired") assert.equal(renewals, URL_RENEWALS);
      const stayed = good ? NEW.length : Math.min(NEW.length, device.written.size * SECTOR);
      rows.set(name, {
        fault: name,
        does: fault.does,
        agent: deeds(device, port, end === "renewed" || end === "url-expired" ? renewals : 0),
        report: outcomes[0]!,
        again: server.bodyBytes - stayed,
        explained: explanation,
      });
      await scene.recover();
    });
  }

  const OBSTACLES: {
    readonly [name: string]: { readonly does: string; readonly obstacle: NetworkDeviceOptions["obstacle"] };
  } = {
    "no such name": {
      does: "DNS knows no such name",
      obstacle: () => ({ kind: "dns", message: "files.example: no such name" }),
    },
    "connect time-out": { does: "nothing answers the connect", obstacle: () => "silence" },
    "nobody listens": {
      does: "the port is closed",
      obstacle: () => ({ kind: "refused", message: "connection refused" }),
    },
  };
  for (const [name, { does, obstacle }] of Object.entries(OBSTACLES)) {
    test(name, { timeout: 240_000 }, async (t) => {
      const scene = scenery.device(undefined, {
        obstacle: (options) => (options.host === "files.example" ? obstacle?.(options) : undefined),
      });
      t.after(() => scene.end());
      const { device, cloud } = scene;
      cloud.route(scene.id, "http://files.example:8000");
      const task = await scene.update();
      assert.deepEqual([task.status, task.code], ["failure", -1], task.message);
      const explanation = checkRecorded(device, "download-timeout", task.message ?? "");
      assert.equal(explanation.name, EXPLAINED.http[name]);
      const outcomes = scene.outcomes();
      assert.equal(outcomes.length, 1, outcomes.join(" | "));
      rows.set(name, {
        fault: name,
        does,
        agent: deeds(device, 8000),
        report: outcomes[0]!,
        again: 0,
        explained: explanation,
      });
      await scene.recover();
    });
  }
});
