import type { Cloud } from "../core/cloud";

/** Updates counted; the oldest goes first. */
const UPDATES_MAX = 20_000;

/** What the file server sent for each update of a device, where the URL tells the device. Not kept over a restart. */
export class UpdateBytes {
  readonly #sent = new Map<string, number>();

  constructor(cloud: Cloud) {
    cloud.on("served", ({ device, package: file, sent }) => {
      const task =
        device === undefined ? undefined : cloud.tasks.ofDevice(device).findLast((one) => one.package === file);
      if (task === undefined || sent === 0) return;
      this.#sent.set(task.id, (this.#sent.get(task.id) ?? 0) + sent);
      if (this.#sent.size > UPDATES_MAX) this.#sent.delete(this.#sent.keys().next().value!);
    });
  }

  /** Bytes of bodies; undefined: none, or it is not known. */
  of(task: string): number | undefined {
    return this.#sent.get(task);
  }
}
