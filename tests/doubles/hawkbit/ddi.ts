/** The device API: who may ask, and what each path answers. Facts by number: hawkbit.md. */
import { Refusal, splitTarget } from "../http/message";
import type { HttpAnswer, HttpRequest } from "../http/message";
import {
  downloaded,
  mergeAttributes,
  QuotaExceeded,
  reportCancel,
  reportConsent,
  reportUpdate,
  retrieved,
} from "./action-reports";
import {
  empty,
  formatOf,
  invalid,
  noAction,
  notAssigned,
  notCancelable,
  notFound,
  quotaExceeded,
  refuse,
  sendDocument,
  springError,
} from "./answers";
import { sendArtifact, sendDigest } from "./artifacts";
import { Documents } from "./documents";
import type { LinkOptions } from "./documents";
import { bodyOf, configDataOf, consentOf, feedbackOf } from "./feedback";
import { downloadAction, isCancelingOrCanceled, NAME_MAX, QUOTA } from "./model";
import type { Action, Target } from "./model";
import type { Repository } from "./repository";

const PATH = /^\/([^/]+)\/controller\/v1\/([^/]+)(?:\/(.+))?$/;
const TENANT = "DEFAULT";
const ID_MAX = (1n << 63n) - 1n;

interface Asked {
  readonly request: HttpRequest;
  readonly tenant: string;
  readonly controllerId: string;
  readonly query: URLSearchParams;
  /** Holds a valid gateway token. */
  readonly gateway: boolean;
  /** What stands in the path, in its order. */
  readonly parts: readonly string[];
}

interface Route {
  readonly method: string;
  /** Of what stands behind the controllerId. */
  readonly path: RegExp;
  readonly run: (asked: Asked) => HttpAnswer;
}

export class Ddi {
  readonly #repository: Repository;
  readonly #documents: Documents;
  readonly #routes: readonly Route[];

  constructor(repository: Repository, links: LinkOptions) {
    this.#repository = repository;
    this.#documents = new Documents(links, repository.settings, repository.now);
    this.#routes = [
      { method: "GET", path: /^$/, run: (asked) => this.#poll(asked) },
      { method: "PUT", path: /^configData$/, run: (asked) => this.#configData(asked) },
      { method: "GET", path: /^deploymentBase\/([^/]+)$/, run: (asked) => this.#deployment(asked) },
      { method: "POST", path: /^deploymentBase\/([^/]+)\/feedback$/, run: (asked) => this.#feedback(asked) },
      { method: "GET", path: /^cancelAction\/([^/]+)$/, run: (asked) => this.#cancelAction(asked) },
      { method: "POST", path: /^cancelAction\/([^/]+)\/feedback$/, run: (asked) => this.#cancelFeedback(asked) },
      { method: "GET", path: /^installedBase\/([^/]+)$/, run: (asked) => this.#installed(asked) },
      { method: "PUT", path: /^installedBase$/, run: (asked) => this.#assignedOffline(asked) },
      { method: "GET", path: /^confirmationBase$/, run: (asked) => this.#confirmationState(asked) },
      {
        method: "POST",
        path: /^confirmationBase\/(activate|deactivate)AutoConfirm$/,
        run: (asked) => this.#autoConfirm(asked),
      },
      { method: "GET", path: /^confirmationBase\/([^/]+)$/, run: (asked) => this.#confirmation(asked) },
      { method: "POST", path: /^confirmationBase\/([^/]+)\/feedback$/, run: (asked) => this.#consent(asked) },
      {
        method: "GET",
        path: /^softwaremodules\/([^/]+)\/artifacts\/(.+?)(\.MD5SUM)?$/,
        run: (asked) => this.#artifact(asked),
      },
    ];
  }

  /** Undefined where the path is not one of the device API. */
  answer(request: HttpRequest): HttpAnswer | undefined {
    const { path, query } = splitTarget(request.target);
    const found = PATH.exec(path);
    if (found === null) return undefined;
    const [, tenant = "", encodedId = "", rest = ""] = found;
    // Tomcat: an encoded slash, a blank and a parameter in a path are no path (fact 4).
    if (/%2f|%20|;/i.test(encodedId)) return invalid("Invalid URI");
    const controllerId = decodeURIComponent(encodedId);
    try {
      const gateway = this.#authenticate(request, tenant, controllerId);
      const fitting = this.#routes.filter((route) => route.path.test(rest));
      if (fitting.length === 0) return springError(404, "Not Found", path);
      const method = request.method === "HEAD" ? "GET" : request.method;
      const route = fitting.find((each) => each.method === method);
      if (route === undefined) return springError(405, "Method Not Allowed", path);
      const parts = route.path.exec(rest)!.slice(1);
      return route.run({ request, tenant, controllerId, query, gateway, parts });
    } catch (error) {
      if (error instanceof Refusal) return error.answer;
      if (error instanceof QuotaExceeded) return quotaExceeded(error.message);
      throw error;
    }
  }

  /** True for a gateway. All that is wrong is 401, without a body and without WWW-Authenticate (fact 2). */
  #authenticate({ headers }: HttpRequest, tenant: string, controllerId: string): boolean {
    const { targetTokens, gatewayToken } = this.#repository.settings;
    const [, scheme, token] = /^(\w+) (.+)$/.exec(headers["authorization"] ?? "") ?? [];
    const target = this.#repository.targets.get(controllerId);
    const ofTarget = targetTokens && scheme === "TargetToken" && token === target?.securityToken && token !== undefined;
    const ofGateway = gatewayToken !== undefined && scheme === "GatewayToken" && token === gatewayToken;
    if (tenant.toUpperCase() !== TENANT || !(ofTarget || ofGateway)) return refuse(empty(401));
    return ofGateway;
  }

  /** Auto-registration: only a poll and the state of consent make a target, and only for a gateway (fact 3). */
  #register({ controllerId }: Asked): Target {
    const known = this.#repository.targets.get(controllerId);
    if (known !== undefined) return known;
    if (controllerId.length > NAME_MAX) return refuse(invalid("size must be between 1 and 128"));
    const target = this.#repository.createTarget(controllerId);
    target.updateStatus = "registered";
    return target;
  }

  #target({ controllerId }: Asked): Target {
    const target = this.#repository.targets.get(controllerId);
    return target ?? refuse(notFound(`Target with given identifier {${controllerId}} does not exist.`));
  }

  #action(asked: Asked): Action {
    const target = this.#target(asked);
    const [id = ""] = asked.parts;
    if (!/^\d+$/.test(id) || BigInt(id) > ID_MAX) return refuse(springError(400, "Bad Request", asked.request.target));
    const action = this.#repository.actions.get(BigInt(id));
    if (action === undefined) return refuse(noAction(String(BigInt(id))));
    if (action.target !== target)
      return refuse(notFound(`Not a valid action (${id}) for target: ${target.controllerId}`));
    return action;
  }

  #poll(asked: Asked): HttpAnswer {
    formatOf(asked.request);
    const target = this.#register(asked);
    target.lastSeen = this.#repository.now();
    if (target.updateStatus === "unknown") target.updateStatus = "registered";
    for (const action of target.actions) this.#repository.cancelIfLapsed(action);
    return sendDocument(asked.request, this.#documents.poll(asked.request, asked.tenant, target));
  }

  #configData(asked: Asked): HttpAnswer {
    const { mode, data } = configDataOf(asked.request);
    const target = this.#target(asked);
    if (mergeAttributes(target, mode, data)) return empty(200);
    const message = `Quota exceeded: Cannot assign ${data.size} more Attribute entities to Target '${asked.controllerId}'. The maximum is ${QUOTA.attributes}.`;
    return quotaExceeded(message);
  }

  #deployment(asked: Asked): HttpAnswer {
    formatOf(asked.request);
    const action = this.#action(asked);
    this.#repository.cancelIfLapsed(action);
    if (isCancelingOrCanceled(action) || action.status === "wait_for_confirmation") return empty(404);
    const answered = this.#document(asked, action, "deployment");
    retrieved(this.#repository, action, "update action and should start now the download");
    return answered;
  }

  #feedback(asked: Asked): HttpAnswer {
    const feedback = feedbackOf(asked.request, this.#repository.now());
    const action = this.#action(asked);
    if (action.status === "wait_for_confirmation") return empty(404);
    if (!action.active) return empty(410);
    reportUpdate(this.#repository, action, feedback);
    return empty(200);
  }

  #cancelAction(asked: Asked): HttpAnswer {
    const action = this.#action(asked);
    if (!isCancelingOrCanceled(action)) return empty(404);
    retrieved(this.#repository, action, "cancel action and should start now the cancellation");
    return sendDocument(asked.request, this.#documents.cancel(action));
  }

  #cancelFeedback(asked: Asked): HttpAnswer {
    const feedback = feedbackOf(asked.request, this.#repository.now());
    const action = this.#action(asked);
    if (!isCancelingOrCanceled(action)) return notCancelable();
    reportCancel(this.#repository, action, feedback);
    return empty(200);
  }

  #installed(asked: Asked): HttpAnswer {
    const action = this.#action(asked);
    if (action.active || isCancelingOrCanceled(action)) return empty(404);
    return this.#document(asked, action, "deployment");
  }

  /** With an open action nothing happens (fact 57). */
  #assignedOffline(asked: Asked): HttpAnswer {
    const { name, version } = bodyOf(asked.request);
    const target = this.#target(asked);
    const set = [...this.#repository.sets.values()].find((each) => each.name === name && each.version === version);
    if (set === undefined) return notFound("DistributionSet with given name and version does not exist.");
    if (target.actions.some(({ active }) => active) || target.installed === set) return empty(200);
    this.#repository.installedOffline(target, set);
    return empty(201);
  }

  #confirmationState(asked: Asked): HttpAnswer {
    const target = this.#register(asked);
    return sendDocument(asked.request, this.#documents.confirmationState(asked.request, asked.tenant, target));
  }

  #autoConfirm(asked: Asked): HttpAnswer {
    const target = this.#target(asked);
    if (asked.parts[0] === "deactivate") {
      target.autoConfirm = undefined;
      return empty(200);
    }
    if (target.autoConfirm !== undefined) return empty(409);
    const { initiator, remark } = asked.request.body.length === 0 ? {} : bodyOf(asked.request);
    const text = typeof remark === "string" ? remark : "Initiated using the Device Direct Integration API";
    const by = typeof initiator === "string" ? initiator : undefined;
    target.autoConfirm = { initiator: by, remark: text, at: this.#repository.now() };
    for (const action of target.actions)
      if (action.status === "wait_for_confirmation") reportConsent(this.#repository, action, true, []);
    return empty(200);
  }

  #confirmation(asked: Asked): HttpAnswer {
    const action = this.#action(asked);
    this.#repository.cancelIfLapsed(action);
    if (action.status !== "wait_for_confirmation") return empty(404);
    return this.#document(asked, action, "confirmation");
  }

  #consent(asked: Asked): HttpAnswer {
    const { confirmed, details } = consentOf(asked.request);
    const action = this.#action(asked);
    if (!action.active) return empty(410);
    if (action.status !== "wait_for_confirmation") return empty(404);
    reportConsent(this.#repository, action, confirmed, details);
    return empty(200);
  }

  #artifact(asked: Asked): HttpAnswer {
    const [moduleId = "", encodedName = "", digest] = asked.parts;
    const refused = notAssigned(moduleId, asked.controllerId);
    const target = this.#repository.targets.get(asked.controllerId);
    const module = /^\d+$/.test(moduleId) ? this.#repository.modules.get(BigInt(moduleId)) : undefined;
    if (target === undefined || module === undefined) return refused;
    // A plus stands for itself: the server's own link of a name with a blank finds nothing (fact 56).
    const file = module.artifacts.find(({ fileName }) => fileName === decodeURIComponent(encodedName));
    if (file === undefined) return empty(404);
    const action = downloadAction(target, module);
    if (action === undefined) return refused;
    const answered = digest === undefined ? sendArtifact(asked.request, file) : sendDigest(file);
    // A range is not recorded since 0.8.0 (fact 54).
    if (asked.request.headers["range"] === undefined) downloaded(this.#repository, action, asked.request.target);
    return answered;
  }

  #document({ request, tenant, query }: Asked, action: Action, key: string): HttpAnswer {
    const history = Number(query.get("actionHistory") ?? 0);
    if (!Number.isInteger(history)) return springError(400, "Bad Request", request.target);
    return sendDocument(request, this.#documents.deployment(request, tenant, action, key, history));
  }
}
