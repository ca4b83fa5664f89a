import { BOARDS_MAX, type SimulatedBoard } from "../../boards/boards";
import type { Fault } from "../../../board/firmware/bundle";
import type { Desk } from "../desk";
import { found, route, type Route } from "../route";
import {
  AddBoard,
  BoardEvents,
  BoardList,
  BoardView,
  CreatedRollout,
  FlashView,
  PushFirmware,
  SetLink,
  SetPower,
} from "../schemas";
import { rolloutView } from "../views";
import { addSample } from "./packages";

export function boardRoutes({ cloud, boards, events }: Desk): Route[] {
  const known = (name: string | undefined): SimulatedBoard => found(boards.get(name ?? ""), "board");
  return [
    route({
      method: "GET",
      path: "/boards",
      summary: "Simulated boards",
      status: 200,
      result: BoardList,
      handle: () => ({ most: BOARDS_MAX, items: boards.list() }),
    }),
    route({
      method: "POST",
      path: "/boards",
      summary: "A new simulated board, switched on",
      body: AddBoard,
      status: 201,
      result: BoardView,
      errors: [422],
      handle: ({ body }) => boards.add(body),
    }),
    route({
      method: "GET",
      path: "/boards/{name}",
      summary: "One simulated board",
      status: 200,
      result: BoardView,
      errors: [404],
      handle: ({ params }) => known(params["name"]),
    }),
    route({
      method: "PUT",
      path: "/boards/{name}/power",
      summary: "Cuts its power, at this instant, or restores it",
      body: SetPower,
      status: 200,
      result: BoardView,
      errors: [404, 422],
      handle: ({ params, body }) => boards.power(known(params["name"]).name, body.on),
    }),
    route({
      method: "PUT",
      path: "/boards/{name}/link",
      summary: "Puts it behind the weak link, or a good one",
      body: SetLink,
      status: 200,
      result: BoardView,
      errors: [404, 422],
      handle: ({ params, body }) => boards.weaken(known(params["name"]).name, body.weak),
    }),
    route({
      method: "POST",
      path: "/boards/{name}/firmware",
      summary: "Pushes the next version to it, made on the spot, good or with a fault",
      body: PushFirmware,
      status: 201,
      result: CreatedRollout,
      errors: [404, 422],
      handle: async ({ params, body: { fault } }) => {
        const { device, version } = known(params["name"]);
        const taken = new Set(cloud.packages.list().map((file) => file.version));
        const file = await addSample(
          cloud,
          nextVersion(cloud.devices.get(device)?.version ?? version ?? "0.1.0", taken, fault),
          fault,
          SAMPLE_SIZE,
        );
        events.changed("packages", file.id);
        const { rollout, current, unknown } = cloud.rollouts.create({
          package: file.id,
          selection: { kind: "devices", devices: [device] },
        });
        return { rollout: rolloutView(cloud, rollout), current, unknown: [...unknown] };
      },
    }),
    route({
      method: "GET",
      path: "/boards/{name}/flash",
      summary: "What is in its flash now",
      status: 200,
      result: FlashView,
      errors: [404, 422],
      handle: ({ params }) => {
        const { slots, ...map } = boards.flash(known(params["name"]).name);
        return { ...map, slots: [...slots] };
      },
    }),
    route({
      method: "GET",
      path: "/boards/{name}/events",
      summary: "What it said, as xs-ota device prints it",
      status: 200,
      result: BoardEvents,
      errors: [404],
      handle: ({ params }) => ({ items: boards.events(known(params["name"]).name) }),
    }),
    route({
      method: "DELETE",
      path: "/boards/{name}",
      summary: "Removes it, with its flash and its device",
      status: 204,
      errors: [404],
      handle: ({ params }) => boards.remove(known(params["name"]).name),
    }),
  ];
}

/** Long enough to watch. */
const SAMPLE_SIZE = 700_000;

/** A version above the present one that no package has yet. */
export function nextVersion(present: string, taken: ReadonlySet<string>, fault: Fault | undefined): string {
  const [, major = "0", minor = "0", patch = "0"] = /^(\d+)\.(\d+)\.(\d+)/.exec(present) ?? [];
  for (let step = 1; ; step++) {
    const version = `${major}.${minor}.${Number(patch) + step}${fault === undefined ? "" : `-${fault}`}`;
    if (!taken.has(version)) return version;
  }
}
