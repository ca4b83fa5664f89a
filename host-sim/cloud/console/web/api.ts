/** Calls to the cloud's API, with the session that the browser holds. */
import type { Views } from "../../api/schemas/views";

export type { Views };

const ROOT = "/cloud/v1";

/** Event of the window:  the cloud knows no session of this browser any more. */
export const SIGNED_OUT = "xs-ota-signed-out";

/** A refusal by the cloud. */
export class Problem extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export async function ask<T>(
  method: "GET" | "POST" | "PUT" | "DELETE",
  path: string,
  body?: object,
  signal?: AbortSignal,
): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(ROOT + path, {
      method,
      ...(signal === undefined ? {} : { signal }),
      ...(body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
    });
  } catch (error) {
    if ((error as Error).name === "AbortError") throw error;
    throw new Problem(0, "The cloud does not answer. Is it still running?");
  }
  if (answer.status === 401) window.dispatchEvent(new Event(SIGNED_OUT));
  const text = await answer.text();
  if (!answer.ok)
    throw new Problem(answer.status, problemIn(text) ?? `The cloud answered with status ${answer.status}.`);
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

/** Uploads a file; `progress` hears of shares from 0 to 1. */
export function upload(file: File, version: string, progress: (share: number) => void): Promise<Views["package"]> {
  const query = new URLSearchParams({ name: file.name, ...(version === "" ? {} : { version }) });
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `${ROOT}/packages?${query.toString()}`);
    request.setRequestHeader("content-type", "application/octet-stream");
    request.upload.addEventListener("progress", ({ loaded, total }) => progress(total > 0 ? loaded / total : 0));
    request.addEventListener("error", () => reject(new Problem(0, "The upload broke off.")));
    request.addEventListener("load", () => {
      if (request.status === 201) resolve(JSON.parse(request.responseText) as Views["package"]);
      else
        reject(
          new Problem(
            request.status,
            problemIn(request.responseText) ?? `The cloud answered with status ${request.status}.`,
          ),
        );
    });
    request.send(file);
  });
}

/** Sentences begin with a capital letter; the API's lines do not. */
function problemIn(text: string): string | undefined {
  try {
    const { error } = JSON.parse(text) as { error?: string };
    return error === undefined || error === "" ? undefined : `${error[0]!.toUpperCase()}${error.slice(1)}.`;
  } catch {
    return undefined;
  }
}

/** Of an id in a path. */
export const part = encodeURIComponent;
