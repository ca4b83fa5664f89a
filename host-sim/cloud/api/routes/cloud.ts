import type { Static } from "typebox";
import { bracketed } from "../../../board/config/host-name";
import { isOver } from "../../core/rollouts/rollout";
import type { ApiContext } from "../context";
import { cookieName, isSecure, session } from "../guard";
import { ApiError } from "../errors";
import type { ApiRoutes } from "../typed-routes";
import { Done } from "../schemas/common";
import { EventsQuery, Journal, Link, OpenSession, Overview } from "../schemas/cloud";

/** Seconds: a month, as long as the session itself. */
const COOKIE_MAX_AGE = 30 * 86_400;

/** Sessions and links to the console. */
export function sessionRoutes(api: ApiRoutes, { access, consoleUrl }: ApiContext): void {
  api.route({
    method: "POST",
    url: "/session",
    config: { open: true },
    schema: {
      summary: "Opens a session with a one-time token; the answer sets its cookie",
      body: OpenSession,
      response: { 204: Done },
    },
    handler: ({ body, raw }, reply) => {
      const opened = access.open(body.token);
      if (opened === undefined) throw new ApiError(401, "this link was used already, or never was one");
      const secure = isSecure(raw) ? "; Secure" : "";
      reply.header(
        "Set-Cookie",
        `${cookieName(raw)}=${opened}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${COOKIE_MAX_AGE}${secure}`,
      );
    },
  });
  api.route({
    method: "DELETE",
    url: "/session",
    schema: {
      summary: "Ends the session that asks",
      response: { 204: Done },
    },
    handler: ({ raw }, reply) => {
      const cookie = session(raw);
      if (cookie !== undefined) access.close(cookie);
      reply.header("Set-Cookie", `${cookieName(raw)}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0`);
    },
  });
  api.route({
    method: "POST",
    url: "/links",
    schema: {
      summary: "A new one-time link to the console",
      response: { 201: Link },
    },
    handler: () => ({ url: `${consoleUrl()}/#token=${access.link()}` }),
  });
}

/** The cloud as a whole. */
export function cloudRoutes(api: ApiRoutes, context: ApiContext): void {
  const { events, journal } = context;
  api.route({
    method: "GET",
    url: "/overview",
    schema: {
      summary: "What there is, in numbers",
      response: { 200: Overview },
    },
    handler: () => overview(context),
  });
  api.route({
    method: "GET",
    url: "/journal",
    schema: {
      summary: "Connections that were refused, and breaches of protocol",
      response: { 200: Journal },
    },
    handler: () => ({ items: [...journal.entries()].reverse() }),
  });
  api.route({
    method: "GET",
    url: "/events",
    config: { stream: "text/event-stream" },
    schema: {
      summary: "What changes, as server-sent events: hello, changes (ids by topic), flash (of the board named)",
      querystring: EventsQuery,
    },
    handler: ({ query }, reply) => {
      if (!events.open(reply.raw, query.board)) throw new ApiError(503, "too many listeners");
      reply.hijack();
    },
  });
}

function overview(context: ApiContext): Static<typeof Overview> {
  const { cloud, boards, version, brokerConnected, warnings } = context;
  const devices = cloud.devices.list();
  const rollouts = cloud.rollouts.list();
  return {
    version,
    addresses: addressesOf(context),
    broker: cloud.bus.tellsPresence ? "embedded" : "external",
    brokerConnected: brokerConnected(),
    platforms: [...cloud.platforms],
    warnings: warnings(),
    kept: cloud.database !== undefined,
    devices: { total: devices.length, online: devices.filter(({ online }) => online).length },
    packages: cloud.packages.list().length,
    rollouts: { total: rollouts.length, active: rollouts.filter((one) => !isOver(one)).length },
    boards: boards.list().length,
    served: cloud.traffic.total(),
  };
}

function addressesOf({ cloud }: ApiContext): { mqtt?: string; mqtts?: string; http?: string; https?: string } {
  const { publicHost, publicUrl, mqttPort, mqttsPort, httpPort, httpsPort } = cloud;
  const [name, broker] = [bracketed(publicHost), bracketed(cloud.brokerHost)];
  const brokers = {
    ...(mqttPort > 0 ? { mqtt: `mqtt://${broker}:${mqttPort}` } : {}),
    ...(mqttsPort > 0 ? { mqtts: `mqtts://${broker}:${mqttsPort}` } : {}),
  };
  if (publicUrl !== undefined) return { ...brokers, [publicUrl.startsWith("https:") ? "https" : "http"]: publicUrl };
  return {
    ...brokers,
    ...(httpPort > 0 ? { http: `http://${name}:${httpPort}` } : {}),
    ...(httpsPort > 0 ? { https: `https://${name}:${httpsPort}` } : {}),
  };
}
