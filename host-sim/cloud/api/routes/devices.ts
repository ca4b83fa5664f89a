import type { Device } from "../../core/devices";
import type { Desk } from "../desk";
import { redactor } from "../redact";
import { found, route, type Route } from "../route";
import { AddDevices, AddedDevices, DeviceConfig, DeviceDetail, DeviceList, DeviceQuery, MessageList } from "../schemas";
import { deviceView, messageView, taskView } from "../views";

const VERSIONS_MAX = 50;

export function deviceRoutes({ cloud, boards, rootFile }: Desk): Route[] {
  const boardOf = (): ((device: string) => ReturnType<typeof boards.get>) => {
    const byDevice = new Map(boards.list().map((board) => [board.device, board]));
    return (device) => byDevice.get(device);
  };
  return [
    route({
      method: "GET",
      path: "/devices",
      summary: "Devices, in the order in which they were added",
      query: DeviceQuery,
      status: 200,
      result: DeviceList,
      handle: ({ query: { search = "", version, online, status, limit = 50, offset = 0 } }) => {
        const all = cloud.devices.list();
        const wanted = search.toLowerCase();
        const fits = (device: Device): boolean =>
          device.name.toLowerCase().includes(wanted) &&
          (version === undefined || (device.version ?? "") === version) &&
          (online === undefined || device.online === online) &&
          (status === undefined ||
            (cloud.tasks.active(device.id) ?? cloud.tasks.ofDevice(device.id).at(-1))?.status === status);
        const fitting = all.filter(fits);
        const board = boardOf();
        return {
          total: fitting.length,
          versions: countVersions(all),
          items: fitting.slice(offset, offset + limit).map((device) => deviceView(cloud, device, board(device.id))),
        };
      },
    }),
    route({
      method: "POST",
      path: "/devices",
      summary: "Adds devices: all of them, or none",
      body: AddDevices,
      status: 201,
      result: AddedDevices,
      errors: [422],
      handle: ({ body }) => {
        const ids: string[] = [];
        try {
          for (const { platform, identity } of body.devices) ids.push(cloud.addDevice(platform, identity));
        } catch (error) {
          for (const id of ids) cloud.removeDevice(id);
          throw error;
        }
        return { ids };
      },
    }),
    route({
      method: "GET",
      path: "/devices/{id}",
      summary: "One device with its tasks",
      status: 200,
      result: DeviceDetail,
      errors: [404],
      handle: ({ params }) => {
        const device = found(cloud.devices.get(params["id"]!), "device");
        return {
          device: deviceView(cloud, device, boardOf()(device.id)),
          tasks: cloud.tasks.ofDevice(device.id).reverse().map(taskView),
          served: cloud.traffic.ofDevice(device.id),
        };
      },
    }),
    route({
      method: "GET",
      path: "/devices/{id}/messages",
      summary: "The newest messages between a device and the cloud",
      status: 200,
      result: MessageList,
      errors: [404],
      handle: ({ params }) => {
        const { id } = found(cloud.devices.get(params["id"]!), "device");
        const redact = redactor(cloud.identity(id));
        return { items: cloud.devices.messages(id).map((message) => messageView(message, redact)) };
      },
    }),
    route({
      method: "GET",
      path: "/devices/{id}/config",
      summary: "The device.json of a device, over TLS where the cloud has a root to name; it holds the device's secret",
      status: 200,
      result: DeviceConfig,
      errors: [404],
      handle: ({ params, response }) => {
        const { id, name } = found(cloud.devices.get(params["id"]!), "device");
        response.setHeader("Content-Disposition", `attachment; filename="${name.replace(/[^\w.-]/g, "_")}.json"`);
        return cloud.deviceConfig(id, rootFile);
      },
    }),
    route({
      method: "DELETE",
      path: "/devices/{id}",
      summary: "Forgets a device; a simulated board goes with it",
      status: 204,
      errors: [404],
      handle: async ({ params }) => {
        const { id } = found(cloud.devices.get(params["id"]!), "device");
        const board = boardOf()(id);
        if (board) await boards.remove(board.name);
        else cloud.removeDevice(id);
      },
    }),
  ];

  function countVersions(devices: readonly Device[]): { version: string; count: number }[] {
    const counts = new Map<string, number>();
    for (const { version = "" } of devices) counts.set(version, (counts.get(version) ?? 0) + 1);
    return [...counts]
      .map(([version, count]) => ({ version, count }))
      .sort((a, b) => b.count - a.count)
      .slice(0, VERSIONS_MAX);
  }
}
