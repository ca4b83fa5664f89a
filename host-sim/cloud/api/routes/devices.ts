import type { Static } from "typebox";
import type { SimulatedBoard } from "../../boards/boards";
import type { Device } from "../../core/devices/devices";
import { deviceOfJson } from "../../../provision/device-json";
import type { ApiContext } from "../context";
import { redactor } from "../redact";
import { found } from "../errors";
import type { ApiRoutes } from "../typed-routes";
import { Done, IdParams } from "../schemas/common";
import {
  AddDevices,
  AddedDevices,
  DeviceConfig,
  DeviceDetail,
  DeviceList,
  DeviceQuery,
  DeviceSettings,
  MessageList,
} from "../schemas/devices";
import { costView, deviceView, latestTask, messageView } from "../views";

const VERSIONS_MAX = 50;

/** Devices as a list. */
export function deviceRoutes(api: ApiRoutes, context: ApiContext): void {
  const { cloud } = context;
  api.route({
    method: "GET",
    url: "/devices",
    schema: {
      summary: "Devices, in the order in which they were added",
      querystring: DeviceQuery,
      response: { 200: DeviceList },
    },
    handler: ({ query }) => list(context, query),
  });
  api.route({
    method: "POST",
    url: "/devices",
    config: { errors: [422, 507] },
    schema: {
      summary: "Adds devices: all of them, or none",
      body: AddDevices,
      response: { 201: AddedDevices },
    },
    handler: ({ body }) => {
      const ids: string[] = [];
      try {
        for (const { platform, identity } of body.devices) ids.push(cloud.addDevice(platform, identity));
      } catch (error) {
        for (const id of ids) cloud.removeDevice(id);
        throw error;
      }
      return { ids };
    },
  });
}

/** One device. */
export function oneDeviceRoutes(api: ApiRoutes, { cloud, boards, updateBytes }: ApiContext): void {
  const known = (id: string): Device => found(cloud.devices.get(id), "device");
  api.route({
    method: "GET",
    url: "/devices/:id",
    config: { errors: [404] },
    schema: {
      summary: "One device with its tasks",
      params: IdParams,
      response: { 200: DeviceDetail },
    },
    handler: ({ params }) => {
      const device = known(params.id);
      return {
        device: deviceView(cloud, device, boardOf(boards)(device.id)),
        tasks: cloud.tasks
          .ofDevice(device.id)
          .reverse()
          .map((task) => costView(cloud, updateBytes, task)),
        served: cloud.traffic.ofDevice(device.id),
      };
    },
  });
  api.route({
    method: "DELETE",
    url: "/devices/:id",
    config: { errors: [404] },
    schema: {
      summary: "Forgets a device; a simulated board goes with it",
      params: IdParams,
      response: { 204: Done },
    },
    handler: async ({ params }) => {
      const { id } = known(params.id);
      const board = boardOf(boards)(id);
      if (board) await boards.remove(board.name);
      else cloud.removeDevice(id);
    },
  });
}

/** What one device exchanges with the cloud, and its configuration. */
export function deviceFileRoutes(api: ApiRoutes, { cloud, rootFile }: ApiContext): void {
  const known = (id: string): Device => found(cloud.devices.get(id), "device");
  api.route({
    method: "GET",
    url: "/devices/:id/messages",
    config: { errors: [404] },
    schema: {
      summary: "The newest messages between a device and the cloud",
      params: IdParams,
      response: { 200: MessageList },
    },
    handler: ({ params }) => {
      const { id } = known(params.id);
      const redact = redactor(cloud.identity(id));
      return { items: cloud.devices.messages(id).map((message) => messageView(message, redact)) };
    },
  });
  api.route({
    method: "GET",
    url: "/devices/:id/config",
    config: { errors: [404] },
    schema: {
      summary: "The device.json of a device, over TLS where the cloud has a root to name; it holds the device's secret",
      params: IdParams,
      response: { 200: DeviceConfig },
    },
    handler: ({ params }, reply) => {
      const { id, name } = known(params.id);
      reply.header("Content-Disposition", `attachment; filename="${name.replace(/[^\w.-]/g, "_")}.json"`);
      return cloud.deviceConfig(id, rootFile);
    },
  });
  api.route({
    method: "GET",
    url: "/devices/:id/settings",
    config: { errors: [404, 422] },
    schema: {
      summary:
        "The settings of a device by their names on a chip, certificates as content; they hold the device's secret",
      params: IdParams,
      response: { 200: DeviceSettings },
    },
    handler: ({ params }) => {
      const { id } = known(params.id);
      return { settings: Object.fromEntries(deviceOfJson(cloud.deviceConfig(id, rootFile), ".").settings) };
    },
  });
}

function list({ cloud, boards }: ApiContext, query: Static<typeof DeviceQuery>): Static<typeof DeviceList> {
  const { search = "", version, online, status, limit = 50, offset = 0 } = query;
  const all = cloud.devices.list();
  const wanted = search.toLowerCase();
  const fitting = all.filter(
    (device) =>
      device.name.toLowerCase().includes(wanted) &&
      (version === undefined || (device.version ?? "") === version) &&
      (online === undefined || device.online === online) &&
      (status === undefined || latestTask(cloud, device.id)?.status === status),
  );
  const board = boardOf(boards);
  return {
    total: fitting.length,
    versions: countVersions(all),
    items: fitting.slice(offset, offset + limit).map((device) => deviceView(cloud, device, board(device.id))),
  };
}

/** Finds simulated boards by their devices. */
function boardOf(boards: ApiContext["boards"]): (device: string) => SimulatedBoard | undefined {
  const byDevice = new Map(boards.list().map((board) => [board.device, board]));
  return (device) => byDevice.get(device);
}

function countVersions(devices: readonly Device[]): { version: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const { version = "" } of devices) counts.set(version, (counts.get(version) ?? 0) + 1);
  return [...counts]
    .map(([version, count]) => ({ version, count }))
    .sort((a, b) => b.count - a.count)
    .slice(0, VERSIONS_MAX);
}
