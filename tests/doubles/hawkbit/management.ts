/**
 * The paths of the management API that the REST client asks, over the same records as the operator in code. Forms: the
 * resource interfaces and models of hawkbit-mgmt-api, read for 1.1.0. Ids beyond 2^53 can not be had here.
 */
import { answer, isRecord, jsonAnswer, parseJson, splitTarget } from "../http/message";
import type { HttpAnswer, HttpRequest } from "../http/message";
import { multipartFile } from "../http/multipart";
import { activeAction } from "./model";
import type { Action, ActionType, SoftwareModule, Target, Window } from "./model";
import { OperatorError } from "./repository";
import type { Repository } from "./repository";
import type { Rollout, Rollouts } from "./rollouts";

type Json = Record<string, unknown>;

interface Call {
  readonly ids: readonly string[];
  readonly query: URLSearchParams;
  readonly body: unknown;
  readonly request: HttpRequest;
}

type Route = readonly [method: string, path: RegExp, run: (call: Call) => HttpAnswer];

/** Account of a stock server. */
const AUTHORIZATION = `Basic ${Buffer.from("admin:admin").toString("base64")}`;

export class Management {
  readonly #repository: Repository;
  readonly #rollouts: Rollouts;
  readonly #types = new Map<string, number>();
  readonly #routes: readonly Route[];

  constructor(repository: Repository, rollouts: Rollouts) {
    this.#repository = repository;
    this.#rollouts = rollouts;
    this.#routes = [
      ["PUT", /^system\/configs\/([\w.]+)$/, (call) => this.#configure(call)],
      ["POST", /^targets$/, (call) => this.#createTargets(call)],
      ["GET", /^targets\/([^/]+)$/, ({ ids }) => ok(targetJson(this.#target(ids)))],
      ["DELETE", /^targets\/([^/]+)$/, ({ ids }) => this.#deleteTarget(ids)],
      ["GET", /^targets\/([^/]+)\/attributes$/, ({ ids }) => attributes(this.#target(ids))],
      ["GET", /^targets\/([^/]+)\/(assigned|installed)DS$/, ({ ids }) => setOf(this.#target(ids), ids[1]!)],
      ["POST", /^targets\/([^/]+)\/assignedDS$/, (call) => this.#assign(call)],
      ["GET", /^targets\/([^/]+)\/actions$/, (call) => this.#actions(call)],
      ["GET", /^targets\/([^/]+)\/actions\/(\d+)$/, ({ ids }) => ok(actionJson(this.#action(ids)))],
      ["PUT", /^targets\/([^/]+)\/actions\/(\d+)$/, (call) => this.#changeAction(call)],
      ["DELETE", /^targets\/([^/]+)\/actions\/(\d+)$/, (call) => this.#cancel(call)],
      ["GET", /^targets\/([^/]+)\/actions\/(\d+)\/status$/, (call) => this.#statusEntries(call)],
      ["GET", /^(softwaremodule|distributionset)types$/, ({ ids, query }) => this.#findType(ids[0]!, query)],
      ["POST", /^(softwaremodule|distributionset)types$/, ({ ids, body }) => this.#createType(ids[0]!, body)],
      ["POST", /^softwaremodules$/, (call) => this.#createModule(call)],
      ["POST", /^softwaremodules\/(\d+)\/artifacts$/, (call) => this.#addArtifact(call)],
      ["POST", /^softwaremodules\/(\d+)\/metadata$/, (call) => this.#addMetadata(call)],
      ["POST", /^distributionsets$/, (call) => this.#createSet(call)],
      ["POST", /^distributionsets\/(\d+)\/invalidate$/, (call) => this.#invalidate(call)],
      ["DELETE", /^(distributionsets|softwaremodules|rollouts)\/(\d+)$/, () => answer(200)],
      ["POST", /^rollouts$/, (call) => this.#createRollout(call)],
      ["GET", /^rollouts\/(\d+)$/, ({ ids }) => ok(this.#rolloutJson(this.#rollouts.rollout(ids[0]!)))],
      ["POST", /^rollouts\/(\d+)\/(start|resume)$/, ({ ids }) => this.#moveRollout(ids)],
    ];
  }

  /** Undefined where the path is not one of the management API. */
  answer(request: HttpRequest): HttpAnswer | undefined {
    const { path, query } = splitTarget(request.target);
    const [, rest] = /^\/rest\/v1\/(.*)$/.exec(path) ?? [];
    if (rest === undefined) return undefined;
    if (request.headers["authorization"] !== AUTHORIZATION) return answer(401);
    for (const [method, pattern, run] of this.#routes) {
      const found = method === request.method ? pattern.exec(rest) : null;
      if (found === null) continue;
      const ids = found.slice(1).map(decodeURIComponent);
      try {
        return run({ ids, query, body: parseJson(request.body), request });
      } catch (error) {
        if (error instanceof OperatorError) return jsonAnswer(error.status, { message: error.message });
        if (error instanceof TypeError) return jsonAnswer(400, { message: error.message });
        throw error;
      }
    }
    return answer(404);
  }

  #target([controllerId]: readonly string[]): Target {
    return this.#repository.target(controllerId!);
  }

  #action([controllerId, id]: readonly string[]): Action {
    return this.#repository.actionOf(controllerId!, id!);
  }

  #module([id]: readonly string[]): SoftwareModule {
    const module = this.#repository.modules.get(BigInt(id!));
    if (module === undefined) throw new OperatorError(404, `software module ${id} does not exist`);
    return module;
  }

  #configure({ ids, body }: Call): HttpAnswer {
    const { value } = record(body);
    const { settings } = this.#repository;
    const known: Readonly<Record<string, () => void>> = {
      "authentication.targettoken.enabled": () => (settings.targetTokens = value === true),
      "authentication.gatewaytoken.enabled": () => {
        settings.gatewayToken = value === true ? (settings.gatewayToken ?? "") : undefined;
      },
      "authentication.gatewaytoken.key": () => (settings.gatewayToken = String(value)),
      "user.confirmation.flow.enabled": () => (settings.confirmation = value === true),
      "repository.actions.autoclose.enabled": () => (settings.autoClose = value === true),
      pollingTime: () => this.#repository.setPollingTime(String(value)),
    };
    const set = known[ids[0]!];
    // multi.assignments.enabled, for one, is no key of 1.1.0 any more (fact 44).
    if (set === undefined) throw new OperatorError(400, "configKeyInvalid");
    set();
    return ok({ value });
  }

  #createTargets({ body }: Call): HttpAnswer {
    const made = records(body).map(({ controllerId, securityToken }) =>
      this.#repository.createTarget(
        String(controllerId),
        typeof securityToken === "string" ? securityToken : undefined,
      ),
    );
    return jsonAnswer(201, made.map(targetJson));
  }

  #deleteTarget([controllerId]: readonly string[]): HttpAnswer {
    this.#repository.deleteTarget(controllerId!);
    return answer(200);
  }

  #assign({ ids, body }: Call): HttpAnswer {
    const { id, type, forcetime, weight, confirmationRequired, maintenanceWindow } = record(body);
    const action = this.#repository.assign(this.#target(ids), this.#repository.set(String(id)), {
      ...(type === undefined ? {} : { type: type as ActionType }),
      ...(typeof forcetime === "number" ? { forceTime: forcetime } : {}),
      ...(typeof weight === "number" ? { weight } : {}),
      ...(confirmationRequired === false ? { confirmationRequired } : {}),
      ...(maintenanceWindow === undefined ? {} : { window: windowFrom(record(maintenanceWindow)) }),
    });
    const assignedActions = action === undefined ? [] : [{ id: Number(action.id) }];
    const assigned = assignedActions.length;
    return ok({ alreadyAssigned: 1 - assigned, assignedActions, assigned, total: 1 });
  }

  #actions({ ids }: Call): HttpAnswer {
    return page(this.#target(ids).actions.map(actionJson).toReversed());
  }

  #changeAction({ ids, body }: Call): HttpAnswer {
    const action = this.#action(ids);
    if (record(body)["forceType"] !== "forced") throw new OperatorError(405, "an action can only be forced");
    this.#repository.forceNow(action);
    return ok(actionJson(action));
  }

  #cancel({ ids, query }: Call): HttpAnswer {
    this.#repository.cancel(this.#action(ids), query.get("force") === "true");
    return answer(204);
  }

  /** Newest first unless sorted otherwise. */
  #statusEntries({ ids, query }: Call): HttpAnswer {
    const { entries } = this.#action(ids);
    const rows = entries.map(({ status, messages, at, code }, index) => ({
      id: index + 1,
      type: status,
      messages,
      reportedAt: at,
      timestamp: at,
      ...(code === undefined ? {} : { code }),
    }));
    const limit = Number(query.get("limit") ?? 50);
    const offset = Number(query.get("offset") ?? 0);
    const sorted = query.get("sort")?.toLowerCase() === "id:asc" ? rows : rows.toReversed();
    return page(sorted.slice(offset, offset + limit), rows.length);
  }

  #findType(kind: string, query: URLSearchParams): HttpAnswer {
    const [, key] = /^key==(\S+)$/.exec(query.get("q") ?? "") ?? [];
    const id = this.#types.get(`${kind} ${key}`);
    return page(id === undefined ? [] : [{ id, key }]);
  }

  #createType(kind: string, body: unknown): HttpAnswer {
    const made = records(body).map(({ key, name }) => {
      if (typeof key !== "string" || typeof name !== "string") throw new TypeError("key and name are needed");
      const id = this.#types.size + 1;
      this.#types.set(`${kind} ${key}`, id);
      return { id, key };
    });
    return jsonAnswer(201, made);
  }

  #createModule({ body }: Call): HttpAnswer {
    const made = records(body).map(({ name, version, type }) => {
      if (!this.#types.has(`softwaremodule ${type}`)) throw new OperatorError(404, `type ${type} does not exist`);
      return { id: Number(this.#repository.createModule(String(name), String(version), String(type)).id) };
    });
    return jsonAnswer(201, made);
  }

  #addArtifact({ ids, request, query }: Call): HttpAnswer {
    const { name, bytes } = multipartFile(request);
    this.#repository.addArtifact(this.#module(ids), query.get("filename") ?? name, bytes);
    return jsonAnswer(201, { size: bytes.length });
  }

  #addMetadata({ ids, body }: Call): HttpAnswer {
    for (const { key, value, targetVisible } of records(body))
      if (targetVisible === true) this.#module(ids).metadata.set(String(key), String(value));
    return jsonAnswer(201, []);
  }

  #createSet({ body }: Call): HttpAnswer {
    const made = records(body).map(({ name, version, modules, type }) => {
      if (!this.#types.has(`distributionset ${type}`)) throw new OperatorError(404, `type ${type} does not exist`);
      const parts = records(modules).map(({ id }) => this.#module([String(id)]));
      return { id: Number(this.#repository.createSet(String(name), String(version), parts).id) };
    });
    return jsonAnswer(201, made);
  }

  #invalidate({ ids, body }: Call): HttpAnswer {
    if (record(body)["actionCancelationType"] !== "soft") throw new OperatorError(400, "only soft is understood");
    this.#repository.invalidate(this.#repository.set(ids[0]!));
    return answer(200);
  }

  #createRollout({ body }: Call): HttpAnswer {
    const { name, targetFilterQuery, distributionSetId, amountGroups, successCondition, errorCondition } = record(body);
    const rollout = this.#rollouts.create({
      name: String(name),
      targets: this.#repository.matching(String(targetFilterQuery)),
      set: this.#repository.set(String(distributionSetId)),
      groups: Number(amountGroups),
      success: Number(record(successCondition)["expression"]),
      error: Number(record(errorCondition)["expression"]),
    });
    return jsonAnswer(201, this.#rolloutJson(rollout));
  }

  #moveRollout([id, verb]: readonly string[]): HttpAnswer {
    this.#rollouts[verb as "start" | "resume"](this.#rollouts.rollout(id!));
    return answer(200);
  }

  #rolloutJson(rollout: Rollout): Json {
    const totalTargetsPerStatus = this.#rollouts.perStatus(rollout);
    return {
      id: Number(rollout.id),
      status: rollout.status,
      totalTargets: rollout.targets.length,
      totalTargetsPerStatus,
    };
  }
}

const ok = (value: unknown): HttpAnswer => jsonAnswer(200, value);
const page = (content: readonly unknown[], total = content.length): HttpAnswer =>
  ok({ content, total, size: content.length });

function record(value: unknown): Json {
  if (!isRecord(value)) throw new TypeError("a JSON object is expected");
  return value;
}

function records(value: unknown): Json[] {
  if (!Array.isArray(value)) throw new TypeError("a JSON array is expected");
  return value.map(record);
}

const targetJson = ({ controllerId, securityToken, updateStatus }: Target): Json => ({
  controllerId,
  name: controllerId,
  securityToken,
  updateStatus,
});

const attributes = (target: Target): HttpAnswer => ok(Object.fromEntries(target.attributes));

function setOf(target: Target, which: string): HttpAnswer {
  const set = which === "assigned" ? target.assigned : target.installed;
  return set === undefined ? answer(204) : ok({ id: Number(set.id), name: set.name, version: set.version });
}

const actionJson = ({ id, status, active, type, lastStatusCode, target }: Action): Json => ({
  id: Number(id),
  type: activeAction(target)?.id === id && status === "canceling" ? "cancel" : "update",
  status,
  active,
  forceType: type,
  ...(lastStatusCode === undefined ? {} : { lastStatusCode }),
});

/** Cron of Quartz with one date, HH:mm:ss, and an offset. */
function windowFrom({ schedule, duration, timezone }: Json): Window {
  const [second, minute, hour, day, month, weekday, year] = String(schedule).split(" ");
  if (weekday !== "?" || timezone !== "+00:00") throw new OperatorError(400, "a window that is not understood");
  const opens = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  const [hours = 0, minutes = 0, seconds = 0] = String(duration).split(":").map(Number);
  return { opens, closes: opens + (hours * 3_600 + minutes * 60 + seconds) * 1_000 };
}
