import { BOARDS_MAX, type SimulatedBoard } from "../../boards/boards";
import type { Fault } from "../../../board/firmware/bundle";
import type { ApiContext } from "../context";
import { found } from "../errors";
import type { ApiRoutes } from "../typed-routes";
import { Done, NameParams } from "../schemas/common";
import {
  AddBoard,
  BoardEvents,
  BoardList,
  BoardView,
  FlashView,
  PushFirmware,
  SetLink,
  SetPower,
} from "../schemas/boards";
import { CreatedRollout } from "../schemas/rollouts";
import type { Views } from "../schemas/views";
import { rolloutView } from "../views";
import { addSample } from "./packages";

/** Simulated boards come and go. */
export function boardRoutes(api: ApiRoutes, { boards }: ApiContext): void {
  const known = (name: string): SimulatedBoard => found(boards.get(name), "board");
  api.route({
    method: "GET",
    url: "/boards",
    schema: {
      summary: "Simulated boards",
      response: { 200: BoardList },
    },
    handler: () => ({ most: BOARDS_MAX, items: boards.list() }),
  });
  api.route({
    method: "POST",
    url: "/boards",
    config: { errors: [422, 507] },
    schema: {
      summary: "A new simulated board, switched on",
      body: AddBoard,
      response: { 201: BoardView },
    },
    handler: ({ body }) => boards.add(body),
  });
  api.route({
    method: "GET",
    url: "/boards/:name",
    config: { errors: [404] },
    schema: {
      summary: "One simulated board",
      params: NameParams,
      response: { 200: BoardView },
    },
    handler: ({ params }) => known(params.name),
  });
  api.route({
    method: "DELETE",
    url: "/boards/:name",
    config: { errors: [404] },
    schema: {
      summary: "Removes it, with its flash and its device",
      params: NameParams,
      response: { 204: Done },
    },
    handler: ({ params }) => boards.remove(known(params.name).name),
  });
}

/** What somebody at the bench does to one board. */
export function boardStepRoutes(api: ApiRoutes, context: ApiContext): void {
  const { boards } = context;
  const known = (name: string): SimulatedBoard => found(boards.get(name), "board");
  api.route({
    method: "PUT",
    url: "/boards/:name/power",
    config: { errors: [404, 422] },
    schema: {
      summary: "Cuts its power, at this instant, or restores it",
      params: NameParams,
      body: SetPower,
      response: { 200: BoardView },
    },
    handler: ({ params, body }) => boards.power(known(params.name).name, body.on),
  });
  api.route({
    method: "PUT",
    url: "/boards/:name/link",
    config: { errors: [404, 422] },
    schema: {
      summary: "Puts it behind the weak link, or a good one",
      params: NameParams,
      body: SetLink,
      response: { 200: BoardView },
    },
    handler: ({ params, body }) => boards.weaken(known(params.name).name, body.weak),
  });
  api.route({
    method: "POST",
    url: "/boards/:name/firmware",
    config: { errors: [404, 422] },
    schema: {
      summary: "Pushes the next version to it, made on the spot, good or with a fault",
      params: NameParams,
      body: PushFirmware,
      response: { 201: CreatedRollout },
    },
    handler: ({ params, body: { fault } }) => pushFirmware(context, known(params.name), fault),
  });
}

/** What one board holds and reports. */
export function boardStateRoutes(api: ApiRoutes, { boards }: ApiContext): void {
  const known = (name: string): SimulatedBoard => found(boards.get(name), "board");
  api.route({
    method: "GET",
    url: "/boards/:name/flash",
    config: { errors: [404, 422] },
    schema: {
      summary: "What is in its flash now",
      params: NameParams,
      response: { 200: FlashView },
    },
    handler: ({ params }) => {
      const { slots, ...map } = boards.flash(known(params.name).name);
      return { ...map, slots: [...slots] };
    },
  });
  api.route({
    method: "GET",
    url: "/boards/:name/events",
    config: { errors: [404] },
    schema: {
      summary: "What it reported, as xs-ota device prints it",
      params: NameParams,
      response: { 200: BoardEvents },
    },
    handler: ({ params }) => ({ items: boards.events(known(params.name).name) }),
  });
}

async function pushFirmware(
  { cloud, events }: ApiContext,
  { device, version = "0.1.0" }: SimulatedBoard,
  fault: Fault | undefined,
): Promise<Views["createdRollout"]> {
  const taken = new Set(cloud.packages.list().map((file) => file.version));
  const next = nextVersion(cloud.devices.get(device)?.version ?? version, taken, fault);
  const file = await addSample(cloud, next, fault, SAMPLE_SIZE);
  events.changed("packages", file.id);
  const selection = { kind: "devices", devices: [device] } as const;
  const { rollout, current, unknown } = cloud.rollouts.create({ package: file.id, selection });
  return { rollout: rolloutView(cloud, rollout), current, unknown: [...unknown] };
}

/** Bytes: long enough to watch. */
const SAMPLE_SIZE = 700_000;

/** A version above the present one that no package has yet. */
export function nextVersion(present: string, taken: ReadonlySet<string>, fault: Fault | undefined): string {
  const [, major = "0", minor = "0", patch = "0"] = /^(\d+)\.(\d+)\.(\d+)/.exec(present) ?? [];
  for (let step = 1; ; step++) {
    const version = `${major}.${minor}.${Number(patch) + step}${fault === undefined ? "" : `-${fault}`}`;
    if (!taken.has(version)) return version;
  }
}
