/** A container from file servers that have faults, over real sockets: it behaves as a plain image does. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { FaultServer } from "../../host-sim/faults/fault-server";
import { HTTP_FAULTS } from "../../host-sim/faults/http-faults";
import { RESULT_CODES } from "../../src/platforms/result-codes";
import { SECTOR } from "../../src/constants";
import { toHex } from "../../src/util/hex";
import { containerOf } from "../kit/containers";
import { FACTORY_VERSION, firmwareImage } from "../kit/images";
import { makeKey, signed } from "../signature/test-keys";
import { SIZE } from "./device";
import { NEW, NEXT, Scenery } from "./scene";

/** Bytes of one request: the first one, for the head, or what a reset or a short answer repeats. */
const RANGE = 16_384;

const key = makeKey();
const factory = firmwareImage(FACTORY_VERSION, SIZE);
const other = firmwareImage("0.0.9", SIZE);
const KINDS = {
  "the whole container": {
    container: containerOf(NEW, [other, factory]),
    next: NEXT,
    signingKeys: [],
  },
  "one part, named by a signed head": {
    container: containerOf(signed(NEW, key), [other, factory], { key: key.privateKey }),
    next: signed(NEXT, key),
    signingKeys: [toHex(key.point)],
  },
};
const FAULTS = [
  "none",
  "200 whole file",
  "200 whole file, reset once",
  "200 whole file, chunked",
  "reset mid-body",
  "403, then a fresh URL",
  "403 for ever",
  "validator changes",
  "gives less than asked",
];

for (const [kind, { container, next, signingKeys }] of Object.entries(KINDS))
  describe(kind, { concurrency: 4, timeout: 300_000 }, () => {
    const file = container.bytes;
    let scenery: Scenery;
    before(async () => {
      scenery = await Scenery.make({}, [file, next]);
    });
    after(() => scenery.stop());

    for (const name of FAULTS)
      test(name, async (t) => {
        const { make, end } = HTTP_FAULTS[name]!;
        const server = await FaultServer.listen(file, make());
        t.after(() => server.close());
        const scene = scenery.device(undefined, { signingKeys });
        t.after(() => scene.end());
        scene.cloud.route(scene.id, server.origin);
        const task = await scene.update(() => scene.cloud.route(scene.id, `${server.origin}/fresh`));
        const good = end === "finished" || end === "renewed";
        assert.deepEqual(
          [task.status, task.code],
          good ? ["success", 0] : ["failure", RESULT_CODES[end]],
          task.message,
        );
        assert.equal(scene.outcomes().length, 1, scene.outcomes().join(" | "));
        assert.equal(scene.device.version, good ? "0.2.0" : FACTORY_VERSION);
        if (end === "renewed")
          assert.ok(
            server.requests.some(
              ({ target, first }) => target.startsWith("/fresh/") && first > 0 && first % SECTOR === 0,
            ),
            "goes on at the checkpoint",
          );
        // A server without ranges sends all of the file for the head, and again for the part.
        const whole = name.startsWith("200");
        const part = signingKeys.length > 0;
        const needed = part && !whole ? container.container.parts[2]!.length + 2 * SECTOR : file.length;
        const most = needed * (part && whole ? 2 : 1) + RANGE;
        assert.ok(server.bodyBytes <= most, `${server.bodyBytes} bytes, at most ${most} are expected`);
        await scene.recover();
      });
  });
