/** The parts of packages without types that tests use. */
declare module "send" {
  import type { IncomingMessage, ServerResponse } from "node:http";
  const send: (
    request: IncomingMessage,
    path: string,
    options: { readonly root: string; readonly acceptRanges: boolean },
  ) => { pipe(response: ServerResponse): unknown };
  export default send;
}
declare module "serve-handler" {
  import type { IncomingMessage, ServerResponse } from "node:http";
  const serve: (
    request: IncomingMessage,
    response: ServerResponse,
    options: { readonly public: string; readonly etag: boolean },
  ) => Promise<void>;
  export default serve;
}
