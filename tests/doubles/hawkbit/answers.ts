/** Answers of the device API that are not documents (facts 7 to 9), worded as in samples.json. */
import { createHash } from "node:crypto";
import { answer, jsonAnswer, Refusal } from "../http/message";
import type { HttpAnswer, HttpRequest } from "../http/message";
import { toCbor } from "./cbor";
import type { Json } from "./documents";

const REPOSITORY = "org.eclipse.hawkbit.repository.exception";

/** Each answer carries them. */
export const COMMON: Readonly<Record<string, string>> = {
  "X-Content-Type-Options": "nosniff",
  "X-XSS-Protection": "0",
  "Cache-Control": "no-cache, no-store, max-age=0, must-revalidate",
  Pragma: "no-cache",
  Expires: "0",
  "X-Frame-Options": "DENY",
};

export const empty = (status: number): HttpAnswer => answer(status);
export const refuse = (refused: HttpAnswer): never => {
  throw new Refusal(refused);
};

/** hawkBit's own error. */
const error = (code: string, exceptionClass: string, message: string, info?: Json): Json => ({
  errorCode: `hawkbit.server.error.${code}`,
  exceptionClass,
  ...(info === undefined ? {} : { info }),
  message,
});

/** Made by Spring, before hawkBit sees the request. */
export const springError = (status: number, name: string, path: string): HttpAnswer =>
  jsonAnswer(status, { timestamp: new Date(0).toISOString(), status, error: name, path });

/** Tomcat closes the connection whose body could not be read. */
export const badBody = (): HttpAnswer =>
  jsonAnswer(
    400,
    error(
      "rest.body.notReadable",
      "org.eclipse.hawkbit.rest.exception.MessageNotReadableException",
      "The given request body is not well formed",
    ),
    { close: true },
  );

export const invalid = (message: string): HttpAnswer =>
  jsonAnswer(400, error("repo.constraintViolation", "jakarta.validation.ConstraintViolationException", message));

/** JSON.stringify has no integers of 64 bits: the id is put in as text. */
export function noAction(id: string): HttpAnswer {
  const message = `Action with given identifier {${id}} does not exist.`;
  const body = error("repo.entityNotFound", `${REPOSITORY}.EntityNotFoundException`, message, {
    type: "Action",
    entityId: "#",
  });
  const text = JSON.stringify(body).replace('"#"', id);
  return answer(404, { headers: { "Content-Type": "application/json" }, body: Buffer.from(text) });
}

export const notFound = (message: string): HttpAnswer =>
  jsonAnswer(404, error("repo.entityNotFound", `${REPOSITORY}.EntityNotFoundException`, message));

export const quotaExceeded = (message: string): HttpAnswer =>
  jsonAnswer(429, error("quota.tooManyEntries", `${REPOSITORY}.AssignmentQuotaExceededException`, message));

export const notCancelable = (): HttpAnswer =>
  jsonAnswer(
    405,
    error(
      "action.notCancelable",
      `${REPOSITORY}.CancelActionNotAllowedException`,
      "The action is not in canceling state.",
    ),
  );

/** The only answers in chunked form are the errors of the download path (fact 8, trap 13). */
export const notAssigned = (module: string, controllerId: string): HttpAnswer =>
  jsonAnswer(
    404,
    error(
      "repo.entityNotFound",
      `${REPOSITORY}.SoftwareModuleNotAssignedToTargetException`,
      `No assignment found for SoftwareModule with id {${module}} to Target with id {${controllerId}}.`,
    ),
    { framing: "chunked", headers: { "Content-Disposition": "inline;filename=f.txt" } },
  );

const FORMATS = ["application/hal+json", "application/json", "application/cbor"];

/** The format that a request asks for; 406 where there is none (fact 12). */
export function formatOf({ headers }: HttpRequest): string {
  const accept = headers["accept"] ?? "*/*";
  for (const wanted of accept.split(",").map((each) => each.split(";")[0]!.trim())) {
    if (wanted === "*/*" || wanted === "application/*") return FORMATS[0]!;
    if (FORMATS.includes(wanted)) return wanted;
  }
  const html = `<html><body><h1>Whitelabel Error Page</h1><div>There was an unexpected error (type=Not Acceptable, status=406).</div></body></html>`;
  return refuse(
    answer(406, {
      headers: { Accept: FORMATS.join(", "), "Content-Type": "text/html;charset=UTF-8" },
      body: Buffer.from(html),
    }),
  );
}

/** With an ETag over the body; 304 where the device has it (fact 13). */
export function sendDocument(request: HttpRequest, document: Json): HttpAnswer {
  const format = formatOf(request);
  const body = format === "application/cbor" ? toCbor(document) : Buffer.from(JSON.stringify(document));
  const ETag = `"0${createHash("md5").update(body).digest("hex")}"`;
  if (request.headers["if-none-match"]?.replace(/^W\//, "") === ETag)
    return answer(304, { headers: { ETag }, framing: "none" });
  return answer(200, { headers: { ETag, "Content-Type": format }, body });
}
