/** Puts a job into the state that a snapshot holds (src/recorder/snapshot.ts). */
import type { Digest } from "../../src/ports";
import { HashPass } from "../../src/job/hash-pass";
import type { UpdateJob } from "../../src/job/machine";
import { Progress } from "../../src/job/progress";
import { tailOf } from "../../src/job/staged";
import type { Staged } from "../../src/job/staged-codec";
import { StoredJob } from "../../src/job/stored-job";
import { targetOf } from "../../src/job/target";
import type { Offer } from "../../src/job/types";
import { IMAGE_FACTS } from "../../src/image/firmware-block";
import { FIELDS } from "../../src/recorder/fields";
import { TRAILER } from "../../src/signature/trailer";

interface Fields {
  [name: string]: unknown;
}

/** What is made of a digest does not matter: the device's answers are recorded. */
const DIGEST: Digest = { write: () => undefined, close: () => new Uint8Array(0) };

/** What a snapshot does not hold of each class follows from what it does, or is bytes of a file. */
const CLASSES: { readonly [field: string]: { readonly prototype: object; rest(fields: Fields): Fields } } = {
  job: {
    prototype: StoredJob.prototype,
    rest: ({ jobRecord, staged }) => ({
      ofOffer: targetOf((jobRecord as { readonly offer: Offer }).offer),
      ...(staged === undefined ? {} : { tail: tailOf(staged as Staged) }),
    }),
  },
  progress: { prototype: Progress.prototype, rest: () => ({}) },
  pass: {
    prototype: HashPass.prototype,
    rest: ({ digests }) => ({
      digests: digestsOf(digests),
      first: new Uint8Array(IMAGE_FACTS),
      last: new Uint8Array(TRAILER),
    }),
  },
};

/** `snapshot`: what was read of one. Throws where it is none. */
export const restore = (job: UpdateJob, snapshot: unknown): void => {
  const { state, context } = fieldsOf(snapshot);
  revive(fieldsOf(state));
  Object.assign(job, { currentState: state });
  adopt(job["context"] as unknown as Fields, fieldsOf(context));
};

const fieldsOf = (value: unknown): Fields => {
  if (typeof value !== "object" || value === null) throw new Error("the snapshot of the job is none");
  return value as Fields;
};

/** Once for each object: a pass may be both the job's and the state's. */
const revive = (fields: Fields): void => {
  for (const [name, { prototype, rest }] of Object.entries(CLASSES)) {
    const value = fields[name];
    if (value === undefined || prototype.isPrototypeOf(fieldsOf(value))) continue;
    const inner = fieldsOf(value);
    Object.setPrototypeOf(inner, prototype);
    Object.assign(inner, rest(inner));
    revive(inner);
  }
};

/** An instance stays, and gets the fields; everything else is replaced. */
const adopt = (own: Fields, found: Fields): void => {
  for (const name of Object.keys({ ...own, ...found })) {
    const before = own[name];
    if (!FIELDS.includes(name) || typeof before === "function") continue;
    const value = found[name];
    if (isInstance(before) && value !== undefined) adopt(before as Fields, fieldsOf(value));
    else own[name] = value;
  }
};

const isInstance = (value: unknown): boolean =>
  typeof value === "object" &&
  value !== null &&
  !(value instanceof Uint8Array) &&
  !Array.isArray(value) &&
  Object.getPrototypeOf(value) !== Object.prototype;

const digestsOf = (which: unknown): Fields => {
  const [whole, signed] = which as readonly unknown[];
  return { ...(whole === true ? { whole: DIGEST } : {}), ...(signed === true ? { signed: DIGEST } : {}) };
};
