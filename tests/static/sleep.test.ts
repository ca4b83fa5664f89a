/** A battery device that is updated from static files: each wake polls, and the download goes on over the wakes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { firmwareImage } from "../kit/images";
import { scene, SIZE } from "./site";

const NEXT = firmwareImage("0.2.0", SIZE);

test("static: a sleeping device polls at each wake, and its download goes on over the wakes", () => {
  const { site, device, until } = scene({ sleepSeconds: 600, wake: { seconds: 2 } });
  site.publish("0.1.0", site.add("old.bin", firmwareImage("0.1.0", SIZE)));
  device.powerOn();
  const polls = (): number => site.requests.filter((path) => path === "/manifest.json").length;
  until("three wakes have polled", () => polls() >= 3);
  assert.equal(site.bytesOf("old.bin"), 0);
  site.publish("0.2.0", site.add("fw.bin", NEXT));
  until("0.2.0 is reported", () => site.reports.length > 0);
  assert.equal(device.version, "0.2.0");
  assert.deepEqual(site.reports, [{ deviceId: "dev-1", version: "0.2.0", state: "done" }]);
  const sleeps = device.notices.filter(({ event }) => event === "sleep").length;
  assert.ok(
    device.notices.some(({ event }) => event === "resume"),
    `${sleeps} sleeps`,
  );
});
