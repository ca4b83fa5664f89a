/**
 * What takes the bytes of a module other than the firmware: assets, the image of a second processor. The application
 * registers one for each module by name (`AgentOptions.modules`). Types only.
 *
 * The agent downloads, resumes, reports and checks the digest as it does for firmware; the installer only stores and,
 * at the end, makes use of what it stored. All calls but `finish` are synchronous. An `Error` that one throws ends the
 * job; its message is sent to the cloud.
 */
export interface ModuleInstaller {
  /** Bytes that it can take. */
  readonly capacity: number;
  /**
   * Writing begins, or goes on after a restart, at `offset`: 0, a multiple of 4096, or `size` where only the end was
   * missing. What lies before it was written and read back. At 0 nothing that was there before counts. Called again in
   * mid-download, with a lower offset, where bytes were lost on the way and come once more.
   */
  begin(image: ModuleImage, offset: number): void;
  /**
   * Stores bytes at a multiple of 4096, at most 4096 of them, in order; the same place again where they did not read
   * back.
   */
  write(offset: number, bytes: Uint8Array): void;
  /** Compares what is stored with `bytes`; natively where that can be, for each sector is compared. */
  equals(offset: number, bytes: Uint8Array): boolean;
  /** Fills `into` with what is stored. */
  read(offset: number, into: Uint8Array): void;
  /**
   * All is stored and the digest of what reads back is right (if the offer had one): make use of it, then call `done`,
   * now or later, with an error if that failed. After a power cut in here the agent calls `begin` with the full length,
   * reads all back and calls this once more.
   */
  finish(done: (error?: Error) => void): void;
  /** What is stored counts for nothing. Called at any time, also where nothing was begun since the restart. */
  abort(): void;
}

export interface ModuleImage {
  readonly version: string;
  /** Bytes. */
  readonly size: number;
}
