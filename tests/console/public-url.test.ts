/** A reverse proxy in front, which ends TLS. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { createServer, request as requestTls } from "node:https";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { Authority } from "../../host-sim/cloud/core/listeners/certificates";
import { BOARD, BOARD_ID, Board, firmware } from "../cloud/helpers";
import { raw, withHost } from "./helpers";
import type { Ask } from "./helpers";

const NAME = "ota.example.com";
const URL_OF = `https://${NAME}`;

interface Answered {
  readonly status: number;
  readonly cookie: string;
  readonly body: Buffer;
}
type Browse = (path: string, ask?: Ask) => Promise<Answered>;

/** An HTTPS proxy to `port`. `keepsHost`: passes on the Host that it was sent, as most are told to. */
async function proxy(t: TestContext, port: () => number, keepsHost: boolean): Promise<Browse> {
  const authority = await Authority.create("ec");
  const { key, certificate: cert } = await authority.server([NAME]);
  const server = createServer({ key, cert }, (from, to) => {
    const host = keepsHost ? from.headers.host : `127.0.0.1:${port()}`;
    const { method, url: path } = from;
    const passed = request({ port: port(), method, path, headers: { ...from.headers, host } }, (answer) => {
      to.writeHead(answer.statusCode ?? 0, answer.headers);
      answer.pipe(to);
    });
    from.pipe(passed);
  }).listen(0, "127.0.0.1");
  t.after(() => void server.close());
  await once(server, "listening");
  const outer = (server.address() as AddressInfo).port;
  return (path, { method = "GET", headers = {}, body } = {}) =>
    new Promise((resolve, reject) => {
      const json = body === undefined ? {} : { "content-type": "application/json" };
      const options = {
        host: "127.0.0.1",
        port: outer,
        servername: NAME,
        ca: authority.root,
        path,
        method,
        agent: false,
      };
      const sent = requestTls({ ...options, headers: { host: NAME, ...json, ...headers } }, (answer) => {
        const parts: Buffer[] = [];
        answer.on("data", (part: Buffer) => parts.push(part));
        answer.on("end", () => {
          const cookie = answer.headers["set-cookie"]?.[0] ?? "";
          resolve({ status: answer.statusCode ?? 0, cookie, body: Buffer.concat(parts) });
        });
      });
      sent.on("error", reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
}

for (const keepsHost of [true, false]) {
  test(`console and downloads work behind a proxy that ${keepsHost ? "passes Host on" : "puts its own Host"}`, async (t) => {
    await withHost(
      async (host) => {
        const browse = await proxy(t, () => host.cloud.httpPort, keepsHost);
        const link = host.link();
        assert.ok(link.startsWith(`${URL_OF}/#token=`), link);
        const own = { origin: URL_OF, "sec-fetch-site": "same-origin" };
        assert.equal((await browse("/")).status, 200);
        const body = { token: link.split("#token=")[1]! };
        const opened = await browse("/cloud/v1/session", { method: "POST", headers: own, body });
        assert.equal(opened.status, 204);
        assert.match(opened.cookie, /; HttpOnly; SameSite=Strict; Max-Age=\d+; Secure$/);
        const headers = { ...own, cookie: opened.cookie.split(";")[0]! };
        const overview = JSON.parse(String((await browse("/cloud/v1/overview", { headers })).body)) as {
          addresses: Record<string, string>;
        };
        const { mqttPort } = host.cloud;
        assert.deepEqual(overview.addresses, { mqtt: `mqtt://${NAME}:${mqttPort}`, https: URL_OF });
        const made = await browse("/cloud/v1/links", { method: "POST", headers });
        assert.ok(String(made.body).includes(`"${URL_OF}/#token=`), String(made.body));

        const file = await host.cloud.packages.add(firmware(5_000), { name: "fw.bin", version: "0.2.0" });
        host.cloud.addDevice("tencent", BOARD);
        const board = await Board.connect(host.cloud);
        host.cloud.push(BOARD_ID, file);
        const url = new URL(String((await board.next())["url"]));
        assert.equal(url.origin, URL_OF);
        assert.deepEqual((await browse(url.pathname + url.search)).body, Buffer.from(firmware(5_000)));
        await board.leave();
      },
      { cloud: { publicUrl: URL_OF } },
    );
  });
}

test("behind a proxy, other sites and other names are refused as before", async () => {
  await withHost(
    async ({ cloud: { httpPort }, apiToken }) => {
      const authorization = `Bearer ${apiToken}`;
      const status = async (headers: Record<string, string>): Promise<number> =>
        (await raw(httpPort, "/cloud/v1/overview", { headers: { authorization, ...headers } })).status;
      assert.equal(await status({ host: NAME, origin: URL_OF }), 200);
      assert.equal(await status({ host: NAME.toUpperCase(), origin: URL_OF }), 200);
      for (const origin of [
        "https://evil.example",
        `http://${NAME}`,
        `${URL_OF}:8443`,
        `${URL_OF}.evil.example`,
        "null",
      ])
        assert.equal(await status({ host: NAME, origin }), 403, origin);
      for (const host of ["evil.example", `${NAME}.evil.example`, `x.${NAME}`])
        assert.equal(await status({ host, origin: URL_OF }), 421, host);
      // The listener itself still answers on this machine.
      const own = `127.0.0.1:${httpPort}`;
      assert.equal(await status({ host: own, origin: `http://${own}` }), 200);
      assert.equal(await status({ host: own, origin: `https://${own}` }), 403);
    },
    { cloud: { publicUrl: URL_OF } },
  );
});
