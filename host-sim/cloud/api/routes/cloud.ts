import { Type } from "typebox";
import { isOver } from "../../core/rollouts/rollout";
import type { Desk } from "../desk";
import { cookieName, isTls, session } from "../guard";
import { ApiError, route, type Route } from "../route";
import { Journal, Link, OpenSession, Overview } from "../schemas";

/** Seconds: a month, as long as the session itself. */
const COOKIE_LIFE = 30 * 86_400;

export function cloudRoutes(
  desk: Desk,
  journal: () => readonly { at: number; who: string; what: string }[],
  isConnected: () => boolean,
): Route[] {
  const { cloud, boards, access, events } = desk;
  return [
    route({
      method: "POST",
      path: "/session",
      summary: "Opens a session with a one-time token; the answer sets its cookie",
      body: OpenSession,
      status: 204,
      open: true,
      handle: ({ body, request, response }) => {
        const opened = access.open(body.token);
        if (opened === undefined) throw new ApiError(401, "this link was used already, or never was one");
        const secure = isTls(request) ? "; Secure" : "";
        response.setHeader(
          "Set-Cookie",
          `${cookieName(request)}=${opened}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${COOKIE_LIFE}${secure}`,
        );
      },
    }),
    route({
      method: "DELETE",
      path: "/session",
      summary: "Ends the session that asks",
      status: 204,
      handle: ({ request, response }) => {
        const cookie = session(request);
        if (cookie !== undefined) access.close(cookie);
        response.setHeader("Set-Cookie", `${cookieName(request)}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0`);
      },
    }),
    route({
      method: "POST",
      path: "/links",
      summary: "A new one-time link to the console",
      status: 201,
      result: Link,
      handle: () => ({ url: `${desk.consoleUrl()}/#token=${access.link()}` }),
    }),
    route({
      method: "GET",
      path: "/overview",
      summary: "What there is, in numbers",
      status: 200,
      result: Overview,
      handle: () => {
        const devices = cloud.devices.list();
        const rollouts = cloud.rollouts.list();
        return {
          version: desk.version,
          addresses: addressesOf(desk),
          broker: cloud.bus.tellsPresence ? ("embedded" as const) : ("external" as const),
          brokerConnected: isConnected(),
          platforms: [...cloud.platforms],
          kept: cloud.database !== undefined,
          devices: { total: devices.length, online: devices.filter(({ online }) => online).length },
          packages: cloud.packages.list().length,
          rollouts: { total: rollouts.length, active: rollouts.filter((one) => !isOver(one)).length },
          boards: boards.list().length,
          served: cloud.traffic.total(),
        };
      },
    }),
    route({
      method: "GET",
      path: "/journal",
      summary: "Connections that were refused, and breaches of protocol",
      status: 200,
      result: Journal,
      handle: () => ({ items: [...journal()].reverse() }),
    }),
    route({
      method: "GET",
      path: "/events",
      summary: "What changes, as server-sent events: hello, changes (ids by topic), flash (of the board named)",
      query: Type.Object({ board: Type.Optional(Type.String({ maxLength: 32 })) }, { additionalProperties: false }),
      status: 200,
      stream: "text/event-stream",
      handle: ({ query, response }) => {
        if (!events.open(response, query.board)) throw new ApiError(503, "too many listeners");
      },
    }),
  ];
}

function addressesOf({ cloud }: Desk): { mqtt?: string; mqtts?: string; http?: string; https?: string } {
  const { publicHost, mqttPort, mqttsPort, httpPort, httpsPort } = cloud;
  const name = publicHost.includes(":") ? `[${publicHost}]` : publicHost;
  const broker = cloud.brokerHost.includes(":") ? `[${cloud.brokerHost}]` : cloud.brokerHost;
  return {
    ...(mqttPort > 0 ? { mqtt: `mqtt://${broker}:${mqttPort}` } : {}),
    ...(mqttsPort > 0 ? { mqtts: `mqtts://${broker}:${mqttsPort}` } : {}),
    ...(httpPort > 0 ? { http: `http://${name}:${httpPort}` } : {}),
    ...(httpsPort > 0 ? { https: `https://${name}:${httpsPort}` } : {}),
  };
}
