/** The bundle of js-md5, its "lite" build: text counts as UTF-8. */

export type Message = string | readonly number[] | ArrayBuffer | ArrayBufferView;

export interface Md5 {
  update(message: Message): Md5;
  hex(): string;
  toString(): string;
  digest(): number[];
  array(): number[];
  arrayBuffer(): ArrayBuffer;
}

export interface Md5Function {
  /** Lower-case hex. */
  (message: Message): string;
  create(): Md5;
  update(message: Message): Md5;
  hex(message: Message): string;
  digest(message: Message): number[];
  array(message: Message): number[];
  arrayBuffer(message: Message): ArrayBuffer;
}

declare const md5: Md5Function;
export { md5, md5 as default };
