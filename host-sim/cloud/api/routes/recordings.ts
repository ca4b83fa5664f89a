import { AGENT } from "../../../../src/recorder/format";
import { explain } from "../../../replay/explain";
import { isOwn, readRecording } from "../../../replay/read-recording";
import type { RecordedRun } from "../../../replay/read-recording";
import { replay } from "../../../replay/replay";
import type { ReplayedStep } from "../../../replay/replay";
import { timelineOf } from "../../../replay/timeline";
import { causeOf } from "../../../replay/transcript";
import type { StoredRecording } from "../../core/devices/recordings";
import type { ApiContext } from "../context";
import { found } from "../errors";
import { IdParams } from "../schemas/common";
import { RecordingList, RecordingParams } from "../schemas/recordings";
import type { Views } from "../schemas/views";
import type { ApiRoutes } from "../typed-routes";

const BYTES = "application/octet-stream";

/** What devices recorded of updates that failed. */
export function recordingRoutes(api: ApiRoutes, { cloud }: ApiContext): void {
  const of = (id: string): StoredRecording[] => cloud.recordings.of(found(cloud.devices.get(id), "device").id);
  api.route({
    method: "GET",
    url: "/devices/:id/recordings",
    config: { errors: [404] },
    schema: {
      summary: "Recordings of a device's failed updates, each on a line of time",
      params: IdParams,
      response: { 200: RecordingList },
    },
    handler: ({ params }) => ({ items: of(params.id).reverse().map(viewOf) }),
  });
  api.route({
    method: "GET",
    url: "/devices/:id/recordings/:reference",
    config: { errors: [404], stream: BYTES },
    schema: { summary: "A recording, for xs-ota replay", params: RecordingParams },
    handler: ({ params }, reply) => {
      const { reference, base64 } = found(
        of(params.id).findLast((one) => one.reference === params.reference),
        "recording",
      );
      reply.header("Content-Disposition", `attachment; filename="${reference.replace(/[^\w.-]/g, "_")}.xsr"`);
      return reply.type(BYTES).send(Buffer.from(base64, "base64"));
    },
  });
}

function viewOf({ at, base64 }: StoredRecording): Views["recording"] {
  const bytes = Buffer.from(base64, "base64");
  const recording = readRecording(bytes);
  const { agent, reference, older, earlier, run } = recording;
  const { steps, doubt } = isOwn(recording)
    ? replay(run)
    : { steps: [], doubt: `made by xs-ota ${agent}, and this is ${AGENT}` };
  const before = earlier === undefined ? older : [...older, earlier];
  return {
    reference,
    at,
    size: bytes.length,
    agent,
    cause: causeOf(recording),
    meaning: explain(run).sentence,
    ...(doubt === undefined ? {} : { doubt }),
    boots: [...before.map((each) => bootOf(each, [])), bootOf(run, doubt === undefined ? steps : [])],
  };
}

function bootOf(run: RecordedRun, steps: readonly ReplayedStep[]): Views["recording"]["boots"][number] {
  const { end, phases, breaks, stored } = timelineOf(run, steps);
  return { title: titleOf(run), end, phases: [...phases], breaks: [...breaks], stored: [...stored] };
}

/** The version that ran; the facts' order is that of the boot facts. */
function titleOf({ facts }: RecordedRun): string {
  const running: unknown = facts?.[9];
  return Array.isArray(running) ? `${String(running[1])} in ${String(running[0])}` : "a boot";
}
