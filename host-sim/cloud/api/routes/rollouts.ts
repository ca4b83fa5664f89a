import { reportOf } from "../../core/rollouts/report";
import type { Desk } from "../desk";
import { found, route, type Route } from "../route";
import {
  CreatedRollout,
  CreateRollout,
  MemberList,
  MemberQuery,
  Retried,
  RolloutDetail,
  RolloutList,
  RolloutView,
} from "../schemas";
import { memberView, rolloutView } from "../views";

export function rolloutRoutes({ cloud }: Desk, now: () => number): Route[] {
  const { rollouts } = cloud;
  const known = (id: string | undefined) => found(rollouts.get(id ?? ""), "rollout");
  return [
    route({
      method: "GET",
      path: "/rollouts",
      summary: "All rollouts",
      status: 200,
      result: RolloutList,
      handle: () => ({ items: rollouts.list().map((rollout) => rolloutView(cloud, rollout)) }),
    }),
    route({
      method: "POST",
      path: "/rollouts",
      summary: "Updates devices to a package, now or later, at once or in waves",
      body: CreateRollout,
      status: 201,
      result: CreatedRollout,
      errors: [422],
      handle: ({ body }) => {
        const { rollout, current, unknown } = rollouts.create(body);
        return { rollout: rolloutView(cloud, rollout), current, unknown: [...unknown] };
      },
    }),
    route({
      method: "GET",
      path: "/rollouts/{id}",
      summary: "One rollout with what it has come to",
      status: 200,
      result: RolloutDetail,
      errors: [404],
      handle: ({ params }) => {
        const rollout = known(params["id"]);
        const { durations, failures, timeline } = reportOf(rollout, rollouts.members(rollout.id)!, now());
        return {
          rollout: rolloutView(cloud, rollout),
          ...(durations === undefined ? {} : { durations }),
          failures: [...failures],
          timeline: [...timeline],
        };
      },
    }),
    route({
      method: "GET",
      path: "/rollouts/{id}/devices",
      summary: "Its devices, in the order in which they are asked",
      query: MemberQuery,
      status: 200,
      result: MemberList,
      errors: [404],
      handle: ({ params, query: { status, limit = 50, offset = 0 } }) => {
        const all = rollouts.members(known(params["id"]).id)!.list();
        const fitting = status === undefined ? all : all.filter((member) => member.status === status);
        return {
          total: fitting.length,
          items: fitting.slice(offset, offset + limit).map((member) => memberView(cloud, member)),
        };
      },
    }),
    route({
      method: "POST",
      path: "/rollouts/{id}/cancel",
      summary: "Ends it for every device without a result",
      status: 200,
      result: RolloutView,
      errors: [404, 422],
      handle: ({ params }) => {
        const { id } = known(params["id"]);
        rollouts.cancel(id);
        return rolloutView(cloud, known(id));
      },
    }),
    route({
      method: "POST",
      path: "/rollouts/{id}/resume",
      summary: "Lets a halted rollout go on",
      status: 200,
      result: RolloutView,
      errors: [404, 422],
      handle: ({ params }) => {
        const { id } = known(params["id"]);
        rollouts.resume(id);
        return rolloutView(cloud, known(id));
      },
    }),
    route({
      method: "POST",
      path: "/rollouts/{id}/retry",
      summary: "Asks the devices that failed once more",
      status: 200,
      result: Retried,
      errors: [404, 422],
      handle: ({ params }) => ({ devices: rollouts.retry(known(params["id"]).id) }),
    }),
    route({
      method: "DELETE",
      path: "/rollouts/{id}",
      summary: "Forgets a rollout that is over",
      status: 204,
      errors: [404, 422],
      handle: ({ params }) => rollouts.remove(known(params["id"]).id),
    }),
  ];
}
