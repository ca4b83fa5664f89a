import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { http } from "../cloud/helpers";
import { browser, call, raw, withHost } from "./helpers";

test("without a session or a token nothing is told and nothing is done", async () => {
  await withHost(async (host) => {
    const { httpPort } = host.cloud;
    for (const route of host.routes) {
      if (route.open) continue;
      const path = `/cloud/v1${route.path.replace(/:\w+/g, "x")}`;
      const own = { origin: `http://127.0.0.1:${httpPort}` };
      const { status, body } = await raw(httpPort, path, { method: route.method, headers: own });
      assert.equal(status, 401, `${route.method} ${route.path}`);
      assert.deepEqual(Object.keys(JSON.parse(body.toString()) as object), ["error"]);
    }
    for (const authorization of [
      "Bearer ",
      `Bearer ${host.apiToken.slice(1)}`,
      `Basic ${host.apiToken}`,
      host.apiToken,
    ]) {
      assert.equal((await raw(httpPort, "/cloud/v1/overview", { headers: { authorization } })).status, 401);
    }
    assert.equal((await call(host, "/overview")).status, 200);
    assert.deepEqual(host.cloud.devices.list(), []);
  });
});

test("a one-time link opens one session; the session ends when it is told to", async () => {
  await withHost(async (host) => {
    const { httpPort } = host.cloud;
    const headers = { origin: `http://127.0.0.1:${httpPort}` };
    const token = new URL(host.link()).hash.replace("#token=", "");
    const open = (body: object): ReturnType<typeof raw> =>
      raw(httpPort, "/cloud/v1/session", { method: "POST", headers, body });
    assert.equal((await open({ token: `${token}x` })).status, 401);
    const first = await open({ token });
    const [cookie = ""] = first.headers["set-cookie"] ?? [];
    assert.match(
      cookie,
      new RegExp(`^xs-ota-${httpPort}=[\\w-]{43}; Path=/; HttpOnly; SameSite=Strict; Max-Age=\\d+$`),
    );
    assert.ok(!cookie.includes(token));
    assert.equal((await open({ token })).status, 401, "used up");

    const session = { cookie: cookie.split(";")[0]! };
    assert.equal((await raw(httpPort, "/cloud/v1/overview", { headers: session })).status, 200);
    assert.equal(
      (await raw(httpPort, "/cloud/v1/session", { method: "DELETE", headers: { ...session, ...headers } })).status,
      204,
    );
    assert.equal((await raw(httpPort, "/cloud/v1/overview", { headers: session })).status, 401);
  });
});

test("links made by API open sessions too; of many unused ones only the newest do", async () => {
  await withHost(async (host) => {
    const { json } = await call(host, "/links", { method: "POST" });
    const links = [String(json()["url"]), ...Array.from({ length: 8 }, () => host.link())];
    const statuses: number[] = [];
    for (const link of links) {
      const { hash, origin, port } = new URL(link);
      const ask = { method: "POST", headers: { origin }, body: { token: hash.slice(7) } };
      statuses.push((await raw(Number(port), "/cloud/v1/session", ask)).status);
    }
    assert.deepEqual(statuses, [401, ...Array.from({ length: 8 }, () => 204)]);
  });
});

test("another site's page can neither read nor change anything, whatever it gets the browser to send along", async () => {
  await withHost(async (host) => {
    const { httpPort } = host.cloud;
    const { cookie = "" } = await browser(host);
    const add = {
      devices: [{ platform: "tencent", identity: { productId: "P1", deviceName: "evil", deviceSecret: "AAAA" } }],
    };
    const sites: Record<string, string>[] = [
      { origin: "http://evil.example" },
      { origin: `http://127.0.0.1:${httpPort + 1}` },
      { origin: `https://127.0.0.1:${httpPort}` },
      { origin: "null" },
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site" },
      // A browser that says neither is none that can be trusted with a cookie.
      {},
    ];
    for (const site of sites) {
      const asked = await raw(httpPort, "/cloud/v1/devices", {
        method: "POST",
        headers: { cookie, ...site },
        body: add,
      });
      assert.equal(asked.status, 403, JSON.stringify(site));
      if (Object.keys(site).length === 0) continue;
      assert.equal(
        (await raw(httpPort, "/cloud/v1/overview", { headers: { cookie, ...site } })).status,
        403,
        JSON.stringify(site),
      );
    }
    const form = { cookie, origin: `http://127.0.0.1:${httpPort}`, "content-type": "text/plain" };
    assert.equal(
      (await raw(httpPort, "/cloud/v1/devices", { method: "POST", headers: form, body: JSON.stringify(add) })).status,
      415,
    );
    assert.deepEqual(host.cloud.devices.list(), []);
    const own = { cookie, origin: `http://127.0.0.1:${httpPort}` };
    assert.equal((await raw(httpPort, "/cloud/v1/devices", { method: "POST", headers: own, body: add })).status, 201);
    const preflight = { origin: "http://evil.example", "access-control-request-method": "POST" };
    const { headers } = await raw(httpPort, "/cloud/v1/devices", { method: "OPTIONS", headers: preflight });
    assert.deepEqual(
      Object.keys(headers).filter((name) => name.startsWith("access-control")),
      [],
    );
  });
});

test("a name that somebody pointed at this address (DNS rebinding) is refused, for pages too", async () => {
  await withHost(async (host) => {
    const { httpPort } = host.cloud;
    const authorization = `Bearer ${host.apiToken}`;
    for (const host of [
      "evil.example",
      `evil.example:${httpPort}`,
      "127.0.0.1.evil.example",
      "localhost.",
      "127.0.0.1@evil.example",
    ]) {
      for (const path of ["/cloud/v1/overview", "/", "/console/main.js"]) {
        assert.equal((await raw(httpPort, path, { headers: { host, authorization } })).status, 421, `${host} ${path}`);
      }
    }
    for (const host of [`127.0.0.1:${httpPort}`, `localhost:${httpPort}`, "LOCALHOST", `[::1]:${httpPort}`]) {
      assert.equal((await raw(httpPort, "/cloud/v1/overview", { headers: { host, authorization } })).status, 200, host);
    }
  });
});

test("page and script carry a policy that lets nothing else in, and hold no secret", async () => {
  await withHost(async (host) => {
    for (const path of ["/", "/console/main.js", "/console/style.css"]) {
      const { status, headers, body } = await raw(host.cloud.httpPort, path);
      assert.equal(status, 200, path);
      assert.match(
        String(headers["content-security-policy"]),
        /^default-src 'none'; script-src 'self'; style-src 'self';.*frame-ancestors 'none'/,
      );
      assert.ok(!String(headers["content-security-policy"]).includes("unsafe"));
      assert.equal(headers["x-content-type-options"], "nosniff");
      assert.ok(!body.toString().includes(host.apiToken));
    }
    const page = (await raw(host.cloud.httpPort, "/")).body.toString();
    assert.ok(!/https?:\/\//.test(page.replace("http://www.w3.org/2000/svg", "")), "nothing is loaded from elsewhere");
    assert.ok(!/<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=/i.test(page), "nothing inline");
  });
});

test("the API token is kept in a file for its owner only, and sessions outlive the process", async () => {
  const folder = await mkdtemp(join(tmpdir(), "xs-ota-host-"));
  try {
    const state = join(folder, "state");
    let token = "";
    let cookie = "";
    await withHost(
      async (host) => {
        token = host.apiToken;
        ({ cookie = "" } = await browser(host));
        assert.equal((await stat(host.apiTokenFile!)).mode & 0o077, 0);
        assert.equal((await stat(join(state, "cloud.db"))).mode & 0o077, 0);
        assert.equal((await stat(state)).mode & 0o077, 0);
        const database = await readFile(join(state, "cloud.db"));
        assert.ok(!database.includes(cookie.split("=")[1]!) && !database.includes(token));
      },
      { cloud: { state } },
    );
    await withHost(
      async (host) => {
        assert.equal(host.apiToken, token);
        const { httpPort } = host.cloud;
        const moved = cookie.replace(/^xs-ota-\d+/, `xs-ota-${httpPort}`);
        assert.equal((await raw(httpPort, "/cloud/v1/overview", { headers: { cookie: moved } })).status, 200);
      },
      { cloud: { state } },
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

for (const address of ownAddresses()) {
  test(`the printed link answers where the cloud listens at ${address}, and any address of this machine is one`, async () => {
    await withHost(
      async (host) => {
        const link = new URL(host.link());
        assert.equal(link.host, `${address.includes(":") ? `[${address}]` : address}:${host.cloud.httpPort}`);
        assert.equal((await http(link.href)).status, 200);
        const headers = { origin: link.origin };
        const open = `${link.origin}/cloud/v1/session`;
        const body = JSON.stringify({ token: link.hash.slice("#token=".length) });
        const answer = await fetch(open, {
          method: "POST",
          headers: { ...headers, "content-type": "application/json" },
          body,
        });
        assert.equal(answer.status, 204);
      },
      { cloud: { host: address } },
    );
  });
}

/** Of this machine: an IPv6 one, one in a network, and another one of the loopback, where there are such. */
function ownAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const network = all.find(({ family, internal }) => family === "IPv4" && !internal)?.address;
  const found = [process.platform === "linux" ? "127.0.0.2" : "127.0.0.1", network];
  return [...found, all.find(({ address }) => address === "::1")?.address].filter((one) => one !== undefined);
}
