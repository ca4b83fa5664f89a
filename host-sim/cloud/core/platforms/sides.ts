import type { Gate } from "../broker/gate";
import { recordingsTopic } from "../devices/recordings";
import type { RequestHandler } from "../listeners/http-front";
import type { PlatformSide } from "./platform-side";
import { tencent } from "./tencent/platform";
import { thingspanel } from "./thingspanel/platform";

/**
 * Every platform that the cloud plays, in the order in which they are asked. A further one is a folder and an entry
 * here.
 */
const PLATFORMS = [tencent, thingspanel] as const;

type Platform = (typeof PLATFORMS)[number];

/** Options of each platform, by its name. */
export type SideOptions = { readonly [P in Platform as P["name"]]?: Parameters<P["side"]>[0] };

export function createSides(options: SideOptions): PlatformSide[] {
  return PLATFORMS.map(({ name, side }) => (side as (own: unknown) => PlatformSide)(options[name]));
}

/**
 * A new device with a random secret. `kind` names a platform, with the generation where it has several. Throws one
 * line.
 */
export function randomDevice(kind: string, name: string): { platform: string; identity: Record<string, unknown> } {
  const platform = PLATFORMS.find(({ kinds }) => (kinds as readonly string[]).includes(kind));
  if (platform === undefined) throw new Error(`no simulated boards for ${kind}`);
  return { platform: platform.name, identity: platform.newIdentity(kind, name) };
}

/** The platforms of a cloud, asked one after the other. */
export class Sides {
  readonly #sides: readonly PlatformSide[];

  constructor(sides: readonly PlatformSide[]) {
    this.#sides = sides;
  }

  get names(): string[] {
    return this.#sides.map(({ name }) => name);
  }

  list(): readonly PlatformSide[] {
    return this.#sides;
  }

  /** Throws on an unknown name. */
  named(name: string): PlatformSide {
    const side = this.#sides.find((one) => one.name === name);
    if (!side) throw new Error(`no platform ${JSON.stringify(name)}; there is ${this.names.join(", ")}`);
    return side;
  }

  /** The side that a device belongs to: the first part of its id. */
  ofDevice(device: string): PlatformSide | undefined {
    return this.#sides.find(({ name }) => device.startsWith(`${name}/`));
  }

  /** For the broker: `refused` hears of everybody who was not let in. */
  gate(refused: (at: number, clientId: string, reason: string) => void): Gate {
    const of = (name: string): PlatformSide | undefined => this.#sides.find((side) => side.name === name);
    return {
      connect: (attempt) => {
        const found = this.#sides.map((side) => side.connect(attempt)).find((one) => one !== undefined);
        const admission = found ?? { admitted: false, code: 5, reason: "unknown device" };
        if (!admission.admitted) refused(attempt.at, attempt.clientId, admission.reason);
        return admission;
      },
      publish: (session, topic) =>
        topic === recordingsTopic(session.device)
          ? "accept"
          : (of(session.side)?.publish(session, topic) ?? "disconnect"),
      subscribe: (session, filter) => of(session.side)?.subscribe(session, filter) ?? false,
    };
  }

  /** Downloads at paths of the platforms' own. */
  readonly handler: RequestHandler = (request, response) =>
    this.#sides.some((side) => side.request?.(request, response) === true);
}
