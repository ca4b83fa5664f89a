/** As much of Node's Buffer as the simulated board uses. */
export class Buffer extends Uint8Array {
  static from(value: string | ArrayLike<number>): Buffer;
}
