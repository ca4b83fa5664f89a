/** Times a file that no digest guards may change underneath before the download gives up. */
const RESTARTS = 3;

/** What is known of the file behind the URL: its length, and the validator that tells it from another under the same URL. */
export class FileIdentity {
  /** Bytes; 0 = not known yet. */
  size: number;
  /** Strong ETag or Last-Modified, verbatim. */
  validator: string | undefined;
  /** `total` was reported. */
  announced = false;
  readonly #offered: number;
  readonly #hasDigest: boolean;
  #restarts = 0;

  constructor(size: number, validator: string | undefined, hasDigest: boolean) {
    this.size = size;
    this.#offered = size;
    this.validator = validator;
    this.#hasDigest = hasDigest;
  }

  /** Takes a response's validator. True: it contradicts the one before; one of another kind, or none, says nothing. */
  contradicts(validator: string | undefined): boolean {
    const before = this.validator;
    if (validator === undefined || before === validator) return false;
    const sameKind = before !== undefined && before.startsWith('"') === validator.startsWith('"');
    if (before === undefined || sameKind) this.validator = validator;
    return sameKind;
  }

  /** Nothing will tell at the end whether the parts fit together: a change means to start again. */
  get unguarded(): boolean {
    return !this.#hasDigest;
  }

  /** The length was learnt from the server rather than offered: another length is another file. */
  get learntSize(): boolean {
    return this.#offered === 0;
  }

  /** Forgets the file that was. False: it changed too often. */
  restart(): boolean {
    this.size = this.#offered;
    this.announced = false;
    this.#restarts++;
    return this.#restarts <= RESTARTS;
  }
}
