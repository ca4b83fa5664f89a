/** The first sector of a file turned out to be the head of a container: is it for this device, and who signed it? */
import { SIGNATURE, readContainer } from "../container/format";
import type { Container } from "../container/format";
import { refuseContainer } from "./alternative";
import type { JobContext } from "./context";
import { otherChip, refusalOfFirmware } from "./policy";
import type { Policy } from "./policy";
import type { Progress } from "./progress";
import { to } from "./states";
import type { Choosing, Idle, Reporting, Step } from "./states";
import type { StoredJob } from "./stored-job";
import type { Offer } from "./types";
import type { Running } from "../ports";

/** Nothing of the slot has changed yet. The running image says which part is needed. */
export const choose = (
  context: JobContext,
  job: StoredJob,
  progress: Progress,
  bytes: Uint8Array,
): Step<Choosing | Idle | Reporting> => {
  const { facts, options, minimumSecurityVersion } = context;
  let container: Container;
  try {
    container = readContainer(bytes);
  } catch (error) {
    return refuseContainer(context, job, "rejected", (error as Error).message);
  }
  const refusal = refusalOfContainer(container, job.offer, facts, minimumSecurityVersion, options.policy);
  if (refusal !== undefined) return refuseContainer(context, job, "rejected", refusal);
  const unsigned = refusalOfHead(context, container, bytes);
  if (unsigned !== undefined) return refuseContainer(context, job, "signature", unsigned);
  return to({ name: "choosing", job, progress, container, bytes }, [{ type: "identify" }]);
};

/** With a trusted signature of the head, what it says of its parts is proven before they are fetched. */
const refusalOfHead = (
  { options }: JobContext,
  { signed, headLength }: Container,
  bytes: Uint8Array,
): string | undefined => {
  if (options.refusalOfSignature === undefined) return undefined;
  if (!signed) return "the container is not signed";
  const digest = options.digest("SHA256");
  digest.write(bytes.subarray(0, headLength - SIGNATURE));
  return options.refusalOfSignature(digest.close(), bytes.subarray(headLength - SIGNATURE, headLength));
};

/** As of an image; `container` says what it makes. Nothing is erased yet. */
const refusalOfContainer = (
  container: Container,
  offer: Offer,
  { running, slotSize }: { readonly running: Running; readonly slotSize: number },
  minimum: number,
  policy: Policy,
): string | undefined => {
  const { chip, length, file } = container;
  if (!policy.allowDelta) return "the file is a container of deltas (allowDelta permits it)";
  if (length !== offer.size) return `the container has ${length} bytes, offered were ${offer.size}`;
  if (chip !== running.chip) return otherChip(chip, running);
  if (file.length > slotSize) return `image of ${file.length} bytes does not fit the slot of ${slotSize}`;
  return refusalOfFirmware(container, offer, running, minimum, policy);
};
