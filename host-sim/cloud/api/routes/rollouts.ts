import { reportOf } from "../../core/rollouts/report";
import type { Rollout } from "../../core/rollouts/rollout";
import type { ApiContext } from "../context";
import { found } from "../errors";
import type { ApiRoutes } from "../typed-routes";
import { Done, IdParams } from "../schemas/common";
import {
  CreatedRollout,
  CreateRollout,
  MemberList,
  MemberQuery,
  Retried,
  RolloutDetail,
  RolloutList,
  RolloutView,
} from "../schemas/rollouts";
import { memberView, rolloutView } from "../views";

/** Rollouts as a list. */
export function rolloutRoutes(api: ApiRoutes, { cloud }: ApiContext): void {
  const { rollouts } = cloud;
  api.route({
    method: "GET",
    url: "/rollouts",
    schema: {
      summary: "All rollouts",
      response: { 200: RolloutList },
    },
    handler: () => ({ items: rollouts.list().map((rollout) => rolloutView(cloud, rollout)) }),
  });
  api.route({
    method: "POST",
    url: "/rollouts",
    config: { errors: [422, 507] },
    schema: {
      summary: "Updates devices to a package, now or later, at once or in waves",
      body: CreateRollout,
      response: { 201: CreatedRollout },
    },
    handler: ({ body }) => {
      const { rollout, current, unknown } = rollouts.create(body);
      return { rollout: rolloutView(cloud, rollout), current, unknown: [...unknown] };
    },
  });
}

/** What one rollout has come to. */
export function oneRolloutRoutes(api: ApiRoutes, { cloud, now }: ApiContext): void {
  const { rollouts } = cloud;
  const known = (id: string): Rollout => found(rollouts.get(id), "rollout");
  api.route({
    method: "GET",
    url: "/rollouts/:id",
    config: { errors: [404] },
    schema: {
      summary: "One rollout with what it has come to",
      params: IdParams,
      response: { 200: RolloutDetail },
    },
    handler: ({ params }) => {
      const rollout = known(params.id);
      const { durations, failures, timeline } = reportOf(rollout, rollouts.members(rollout.id)!, now());
      return {
        rollout: rolloutView(cloud, rollout),
        ...(durations === undefined ? {} : { durations }),
        failures: [...failures],
        timeline: [...timeline],
      };
    },
  });
  api.route({
    method: "GET",
    url: "/rollouts/:id/devices",
    config: { errors: [404] },
    schema: {
      summary: "Its devices, in the order in which they are asked",
      params: IdParams,
      querystring: MemberQuery,
      response: { 200: MemberList },
    },
    handler: ({ params, query: { status, limit = 50, offset = 0 } }) => {
      const all = rollouts.members(known(params.id).id)!.list();
      const fitting = status === undefined ? all : all.filter((member) => member.status === status);
      return {
        total: fitting.length,
        items: fitting.slice(offset, offset + limit).map((member) => memberView(cloud, member)),
      };
    },
  });
}

/** Steps that a person takes with one rollout. */
export function rolloutStepRoutes(api: ApiRoutes, { cloud }: ApiContext): void {
  const { rollouts } = cloud;
  const known = (id: string): Rollout => found(rollouts.get(id), "rollout");
  api.route({
    method: "POST",
    url: "/rollouts/:id/cancel",
    config: { errors: [404, 422] },
    schema: {
      summary: "Ends it for every device without a result",
      params: IdParams,
      response: { 200: RolloutView },
    },
    handler: ({ params }) => {
      const { id } = known(params.id);
      rollouts.cancel(id);
      return rolloutView(cloud, known(id));
    },
  });
  api.route({
    method: "POST",
    url: "/rollouts/:id/resume",
    config: { errors: [404, 422, 507] },
    schema: {
      summary: "Lets a halted rollout go on",
      params: IdParams,
      response: { 200: RolloutView },
    },
    handler: ({ params }) => {
      const { id } = known(params.id);
      rollouts.resume(id);
      return rolloutView(cloud, known(id));
    },
  });
  api.route({
    method: "POST",
    url: "/rollouts/:id/retry",
    config: { errors: [404, 422, 507] },
    schema: {
      summary: "Asks the devices that failed once more",
      params: IdParams,
      response: { 200: Retried },
    },
    handler: ({ params }) => ({ devices: rollouts.retry(known(params.id).id) }),
  });
  api.route({
    method: "DELETE",
    url: "/rollouts/:id",
    config: { errors: [404, 422] },
    schema: {
      summary: "Forgets a rollout that is over",
      params: IdParams,
      response: { 204: Done },
    },
    handler: ({ params }) => rollouts.remove(known(params.id).id),
  });
}
