/** The device API over HTTP (facts 3, 37 to 42): access tokens only, and no ETag. */
import { answer, jsonAnswer, parseJson, splitTarget } from "../http/message";
import type { HttpAnswer, HttpRequest } from "../http/message";
import { sliceOf } from "./chunk-store";
import { attributesOf, saveAttributes, saveTelemetry } from "./device-topics";
import { assignedTo } from "./model";
import type { Device } from "./model";
import type { Transport } from "./transport";

const PATH = /^\/api\/v1\/([^/]+)\/(firmware|software|attributes|telemetry)$/;
const INT32 = /^-?\d{1,10}$/;

export class HttpApi {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Undefined where the path is not one of the device API. */
  answer(request: HttpRequest): HttpAnswer | undefined {
    const { path, query } = splitTarget(request.target);
    const [, token, resource] = PATH.exec(path) ?? [];
    if (token === undefined || resource === undefined) return undefined;
    const device = [...this.#transport.repository.devices.values()].find(
      ({ credentials }) => credentials.type === "ACCESS_TOKEN" && credentials.token === decodeURIComponent(token),
    );
    if (device === undefined) return refused(401);
    this.#transport.heard(device, `${request.method} ${resource}${request.target.slice(path.length)}`, request.body);
    const limits = this.#transport.limitsOf(device);
    if (resource === "telemetry") {
      if (limits?.telemetry.take() === false) return refused(500);
      return request.method === "POST" ? this.#save(request, device, saveTelemetry) : refused(405);
    }
    const admitted = limits?.messages.take() !== false;
    if (resource === "attributes") {
      // Over the limit it is not answered until the server gives up, after 60 s (fact 37).
      if (!admitted) return answer(0);
      if (request.method === "POST") return this.#save(request, device, saveAttributes);
      return jsonAnswer(200, attributesOf(device, param(query, "clientKeys"), param(query, "sharedKeys")));
    }
    if (!admitted) return refused(500);
    return resource === "firmware" ? this.#firmware(request, query, device) : refused(404);
  }

  /** JSON that can not be read is 500 here (fact 42). */
  #save(
    { body }: HttpRequest,
    device: Device,
    save: (device: Device, message: unknown, now: number) => boolean,
  ): HttpAnswer {
    return save(device, parseJson(body), this.#transport.now()) ? answer(200) : refused(500);
  }

  /** Title and version are compared with what is assigned now, at each request (fact 41). */
  #firmware(request: HttpRequest, query: URLSearchParams, device: Device): HttpAnswer {
    const [title, version] = [query.get("title"), query.get("version")];
    const [size = "0", chunk = "0"] = [param(query, "size"), param(query, "chunk")];
    if (title === null || version === null || !INT32.test(size) || !INT32.test(chunk))
      return jsonAnswer(400, { status: 400, message: "Required parameter is missing or malformed" }, { close: true });
    const firmware = assignedTo(device);
    if (firmware?.data === undefined) return refused(404);
    if (firmware.title !== title || firmware.version !== version) return refused(400);
    const count = Number(size);
    const part = count <= 0 ? firmware.data : sliceOf(firmware.data, count, Number(chunk));
    return part === undefined ? refused(500) : send(request, part, `${title} ${version}.bin`);
  }
}

const param = (query: URLSearchParams, name: string): string | undefined => query.get(name) ?? undefined;
const refused = (status: number): HttpAnswer => answer(status, { close: true });

/** A range is one of the part that is sent (facts 39 and 40). */
function send({ method, headers }: HttpRequest, bytes: Uint8Array, name: string): HttpAnswer {
  const common = {
    "Content-Type": "application/octet-stream",
    "Content-Disposition": `attachment;filename=${encodeURIComponent(name)}`,
    "x-filename": name,
    "Accept-Ranges": "bytes",
  };
  const range = method === "GET" ? headers["range"] : undefined;
  if (range === undefined) return answer(200, { headers: common, body: bytes });
  // Two ranges: the answer breaks off.
  if (range.includes(",")) return answer(206, { headers: common, body: bytes, broken: true });
  const [, from, to] = /^bytes=(\d*)-(\d*)$/.exec(range) ?? [];
  const first = from === "" || from === undefined ? bytes.length - Number(to) : Number(from);
  const last = from === "" || to === "" || to === undefined ? bytes.length - 1 : Math.min(Number(to), bytes.length - 1);
  // 416, and the whole file with it (fact 39).
  if (!(first >= 0 && first <= last))
    return answer(416, {
      headers: { ...common, "Content-Range": `bytes */${bytes.length}` },
      body: bytes,
      close: true,
    });
  const contentRange = `bytes ${first}-${last}/${bytes.length}`;
  return answer(206, { headers: { ...common, "Content-Range": contentRange }, body: bytes.subarray(first, last + 1) });
}
