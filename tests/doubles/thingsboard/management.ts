/** The paths of the REST API that the REST client asks, over the same records as the operator in code (facts 9 to 13). */
import type { AttributeValue, ChecksumAlgorithm } from "../../../host-sim/operators/thingsboard/operator";
import { answer, isRecord, jsonAnswer, parseJson, splitTarget } from "../http/message";
import type { HttpAnswer, HttpRequest } from "../http/message";
import { multipartFile } from "../http/multipart";
import type { Device, OtaPackage, Profile } from "./model";
import { OperatorError } from "./repository";
import type { Repository } from "./repository";

type Json = Record<string, unknown>;

interface Call {
  readonly ids: readonly string[];
  readonly query: URLSearchParams;
  readonly body: Json;
  readonly request: HttpRequest;
}

type Route = readonly [method: string, path: RegExp, run: (call: Call) => HttpAnswer];

/** The tenant's account of an installation with demo data. */
const ACCOUNT = { username: "tenant@thingsboard.org", password: "tenant" };
const TOKEN = "double";

export class Management {
  readonly #repository: Repository;
  readonly #routes: readonly Route[];

  constructor(repository: Repository) {
    this.#repository = repository;
    this.#routes = [
      ["POST", /^deviceProfile$/, (call) => this.#saveProfile(call)],
      ["GET", /^deviceProfile\/([^/]+)$/, ({ ids }) => ok(profileJson(repository.profile(ids[0]!)))],
      ["DELETE", /^deviceProfile\/([^/]+)$/, ({ ids }) => this.#deleteProfile(ids)],
      ["POST", /^device$/, (call) => this.#saveDevice(call)],
      ["GET", /^device\/([^/]+)$/, ({ ids }) => ok(deviceJson(repository.device(ids[0]!)))],
      ["DELETE", /^device\/([^/]+)$/, ({ ids }) => this.#deleteDevice(ids)],
      ["GET", /^device\/([^/]+)\/credentials$/, ({ ids }) => ok(credentialsJson(repository.device(ids[0]!)))],
      ["POST", /^device\/credentials$/, (call) => this.#saveCredentials(call)],
      ["POST", /^otaPackage$/, (call) => this.#savePackage(call)],
      ["POST", /^otaPackage\/([^/]+)$/, (call) => this.#uploadData(call)],
      ["DELETE", /^otaPackage\/([^/]+)$/, ({ ids }) => this.#deletePackage(ids)],
      ["POST", /^plugins\/telemetry\/DEVICE\/([^/]+)\/SHARED_SCOPE$/, (call) => this.#setShared(call)],
      ["GET", /^plugins\/telemetry\/DEVICE\/([^/]+)\/values\/attributes\/(\w+)$/, (call) => this.#attributes(call)],
      ["GET", /^plugins\/telemetry\/DEVICE\/([^/]+)\/values\/timeseries$/, (call) => this.#timeseries(call)],
    ];
  }

  /** Undefined where the path is not one of the REST API. */
  answer(request: HttpRequest): HttpAnswer | undefined {
    const { path, query } = splitTarget(request.target);
    const [, rest] = /^\/api\/((?!v1\/).+)$/.exec(path) ?? [];
    if (rest === undefined) return undefined;
    const parsed = parseJson(request.body);
    const body = isRecord(parsed) ? parsed : {};
    if (rest === "auth/login") {
      const known = body["username"] === ACCOUNT.username && body["password"] === ACCOUNT.password;
      return known ? ok({ token: TOKEN }) : jsonAnswer(401, { message: "Invalid username or password" });
    }
    if (request.headers["x-authorization"] !== `Bearer ${TOKEN}`)
      return jsonAnswer(401, { message: "Authentication failed" });
    for (const [method, pattern, run] of this.#routes) {
      const found = method === request.method ? pattern.exec(rest) : null;
      if (found === null) continue;
      try {
        return run({ ids: found.slice(1), query, body, request });
      } catch (error) {
        if (error instanceof OperatorError) return jsonAnswer(error.status, { message: error.message });
        throw error;
      }
    }
    return answer(404);
  }

  /** Without an id it is new. */
  #saveProfile({ body }: Call): HttpAnswer {
    const id = idOf(body["id"]);
    const profile =
      id === undefined ? this.#repository.createProfile(String(body["name"])) : this.#repository.profile(id);
    if (id !== undefined) this.#repository.assignToProfile(profile, this.#firmware(body));
    return ok(profileJson(profile));
  }

  #deleteProfile([id]: readonly string[]): HttpAnswer {
    const profile = this.#repository.profile(id!);
    if ([...this.#repository.devices.values()].some((each) => each.profile === profile))
      throw new OperatorError(400, "The device profile referenced by the devices cannot be deleted!");
    this.#repository.profiles.delete(profile.id);
    return answer(200);
  }

  #saveDevice({ body, query }: Call): HttpAnswer {
    const id = idOf(body["id"]);
    const profile = this.#repository.profile(idOf(body["deviceProfileId"]) ?? "");
    if (id === undefined)
      return ok(
        deviceJson(this.#repository.createDevice(String(body["name"]), profile, query.get("accessToken") ?? undefined)),
      );
    const device = this.#repository.device(id);
    this.#repository.changeProfile(device, profile);
    this.#repository.assign(device, this.#firmware(body));
    return ok(deviceJson(device));
  }

  #deleteDevice([id]: readonly string[]): HttpAnswer {
    this.#repository.deleteDevice(this.#repository.device(id!));
    return answer(200);
  }

  #saveCredentials({ body }: Call): HttpAnswer {
    const device = this.#repository.device(idOf(body["deviceId"]) ?? "");
    const { credentialsId: token } = body;
    if (body["credentialsType"] === "ACCESS_TOKEN" && typeof token === "string") {
      this.#repository.setCredentials(device, { type: "ACCESS_TOKEN", token });
      return ok(credentialsJson(device));
    }
    if (body["credentialsType"] !== "MQTT_BASIC") throw new OperatorError(400, "credentials that are not understood");
    const value = parseJson(Buffer.from(String(body["credentialsValue"]))) as Json;
    const { clientId, userName, password } = value as Record<string, string | null | undefined>;
    this.#repository.setCredentials(device, {
      type: "MQTT_BASIC",
      ...(clientId == null ? {} : { clientId }),
      ...(userName == null ? {} : { userName }),
      ...(password == null ? {} : { password }),
    });
    return ok(credentialsJson(device));
  }

  #savePackage({ body }: Call): HttpAnswer {
    if (body["type"] !== "FIRMWARE") throw new OperatorError(400, "Type should be specified!");
    if ((body["usesUrl"] === true) !== (typeof body["url"] === "string"))
      throw new OperatorError(400, "Ota package URL should be specified!");
    const profile = this.#repository.profile(idOf(body["deviceProfileId"]) ?? "");
    const text = (key: string): string | undefined => (typeof body[key] === "string" ? String(body[key]) : undefined);
    const firmware = this.#repository.createPackage(profile, {
      title: text("title") ?? "",
      version: text("version") ?? "",
      tag: text("tag"),
      url: text("url"),
      size: typeof body["dataSize"] === "number" ? body["dataSize"] : undefined,
      algorithm: text("checksumAlgorithm") as ChecksumAlgorithm | undefined,
      checksum: text("checksum"),
    });
    return ok(packageJson(firmware));
  }

  #uploadData({ ids, query, request }: Call): HttpAnswer {
    const firmware = this.#repository.package(ids[0]!);
    const { bytes } = multipartFile(request);
    const algorithm = query.get("checksumAlgorithm") as ChecksumAlgorithm;
    this.#repository.uploadData(firmware, bytes, algorithm, query.get("checksum") ?? undefined);
    return ok(packageJson(firmware));
  }

  #deletePackage([id]: readonly string[]): HttpAnswer {
    this.#repository.deletePackage(this.#repository.package(id!));
    return answer(200);
  }

  #setShared({ ids, body }: Call): HttpAnswer {
    this.#repository.setShared(this.#repository.device(ids[0]!), body as Record<string, AttributeValue>);
    return answer(200);
  }

  #attributes({ ids }: Call): HttpAnswer {
    const { shared, client } = this.#repository.device(ids[0]!);
    const from = ids[1] === "SHARED_SCOPE" ? shared : client;
    return ok([...from].map(([key, value]) => ({ lastUpdateTs: this.#repository.now(), key, value })));
  }

  /** Newest first unless asked otherwise. */
  #timeseries({ ids, query }: Call): HttpAnswer {
    const { telemetry } = this.#repository.device(ids[0]!);
    const limit = Number(query.get("limit") ?? 100);
    const rows: [string, unknown][] = [];
    for (const key of (query.get("keys") ?? "").split(",")) {
      const samples = telemetry.get(key);
      if (samples === undefined) continue;
      rows.push([key, (query.get("orderBy") === "ASC" ? samples : samples.toReversed()).slice(0, limit)]);
    }
    return ok(Object.fromEntries(rows));
  }

  #firmware(body: Json): OtaPackage | undefined {
    const id = idOf(body["firmwareId"]);
    return id === undefined ? undefined : this.#repository.package(id);
  }
}

const ok = (value: unknown): HttpAnswer => jsonAnswer(200, value);
const idOf = (value: unknown): string | undefined =>
  isRecord(value) && typeof value["id"] === "string" ? value["id"] : undefined;
const reference = (entityType: string, id: string): Json => ({ entityType, id });
const firmwareId = (firmware: OtaPackage | undefined): Json => ({
  firmwareId: firmware === undefined ? null : reference("OTA_PACKAGE", firmware.id),
});

const profileJson = ({ id, name, firmware }: Profile): Json => ({
  id: reference("DEVICE_PROFILE", id),
  name,
  type: "DEFAULT",
  ...firmwareId(firmware),
});

const deviceJson = ({ id, name, profile, firmware }: Device): Json => ({
  id: reference("DEVICE", id),
  name,
  deviceProfileId: reference("DEVICE_PROFILE", profile.id),
  ...firmwareId(firmware),
});

const packageJson = ({ id, title, version, data, size, algorithm, checksum }: OtaPackage): Json => ({
  id: reference("OTA_PACKAGE", id),
  title,
  version,
  hasData: data !== undefined,
  dataSize: size ?? null,
  checksumAlgorithm: algorithm ?? null,
  checksum: checksum ?? null,
});

const credentialsJson = ({ id, credentials }: Device): Json => ({
  id: { id: `credentials-${id}` },
  deviceId: reference("DEVICE", id),
  credentialsType: credentials.type,
  credentialsId: credentials.type === "ACCESS_TOKEN" ? credentials.token : null,
  credentialsValue: null,
});
