/**
 * The roots that the firmware trusts: DER certificates among its resources, "mqtt-root-0.der", "mqtt-root-1.der" ...,
 * "https-root-0.der" ...
 */
import Resource from "Resource";
import type { Trust } from "xs-ota/moddable";

export const rootsOf = (kind: "mqtt" | "https"): Trust => {
  const roots: Uint8Array[] = [];
  for (let number = 0; Resource.exists(`${kind}-root-${number}.der`); number++)
    roots.push(new Uint8Array(new Resource(`${kind}-root-${number}.der`).slice(0)));
  return { roots };
};
