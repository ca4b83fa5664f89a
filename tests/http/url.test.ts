import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { URL_MAX } from "../../src/constants";
import { resolveLocation, splitUrl } from "../../src/http/url";
import type { HttpUrl } from "../../src/http/url";

function split(url: string): HttpUrl {
  const result = splitUrl(url);
  if (typeof result === "string") throw new Error(`${url}: ${result}`);
  return result;
}

const whole = ({ tls, hostHeader, target }: HttpUrl): string => `${tls ? "https" : "http"}://${hostHeader}${target}`;

for (const [url, expected] of [
  ["http://a.example/x", { tls: false, host: "a.example", port: 80, hostHeader: "a.example", target: "/x" }],
  ["https://a.example/x", { tls: true, host: "a.example", port: 443, hostHeader: "a.example", target: "/x" }],
  ["HTTPS://A.Example:443/X", { tls: true, host: "a.example", port: 443, hostHeader: "a.example", target: "/X" }],
  ["http://a.example:443/", { tls: false, host: "a.example", port: 443, hostHeader: "a.example:443", target: "/" }],
  [
    "http://a.example:65535/",
    { tls: false, host: "a.example", port: 65535, hostHeader: "a.example:65535", target: "/" },
  ],
  ["http://a.example:1/", { tls: false, host: "a.example", port: 1, hostHeader: "a.example:1", target: "/" }],
  ["http://a.example:/x", { tls: false, host: "a.example", port: 80, hostHeader: "a.example", target: "/x" }],
  [
    "http://127.0.0.1:9999/api",
    { tls: false, host: "127.0.0.1", port: 9999, hostHeader: "127.0.0.1:9999", target: "/api" },
  ],
  ["http://[::1]:8080/x", { tls: false, host: "::1", port: 8080, hostHeader: "[::1]:8080", target: "/x" }],
  ["https://[2001:DB8::1]/x", { tls: true, host: "2001:db8::1", port: 443, hostHeader: "[2001:db8::1]", target: "/x" }],
  ["http://a.example", { tls: false, host: "a.example", port: 80, hostHeader: "a.example", target: "/" }],
  ["http://a.example?q=1", { tls: false, host: "a.example", port: 80, hostHeader: "a.example", target: "/?q=1" }],
  ["http://a.example#f", { tls: false, host: "a.example", port: 80, hostHeader: "a.example", target: "/" }],
  [
    "http://a_b-c.example./x",
    { tls: false, host: "a_b-c.example.", port: 80, hostHeader: "a_b-c.example.", target: "/x" },
  ],
  [
    "http://a.example/ü/€?😀",
    { tls: false, host: "a.example", port: 80, hostHeader: "a.example", target: "/%C3%BC/%E2%82%AC?%F0%9F%98%80" },
  ],
] as const) {
  test(`URL ${url}`, () => assert.deepEqual(split(url), expected));
}

test("path and query are sent verbatim, whatever their escapes", () => {
  const odd = "/a//b/../c/./%2f%2F%00%zz%?sign=q-sign-time%3D1%3B2&x={}[]|\\^`\"<>'()*!$,;:@=&+~?/?%";
  assert.equal(split(`https://h.example${odd}#fragment?x`).target, odd);
});

for (const [url, reason] of [
  ["", /neither/],
  ["/relative", /neither/],
  ["ftp://a.example/", /neither/],
  ["javascript:alert(1)", /neither/],
  ["http:", /no host/],
  ["http:/a.example/", /no host/],
  ["http://", /host name/],
  ["http:///x", /host name/],
  ["http://user:secret@a.example/", /user name/],
  ["http://a b/", /host name/],
  ["http://a%41/", /host name/],
  ["http://a..b/", /host name/],
  ["http://a\\b/", /host name/],
  ["http://ü.example/", /host name/],
  ["http://[::1/", /host name/],
  ["http://[]/", /host name/],
  ["http://[abcd]/", /host name/],
  ["http://[fe80::1%25eth0]/", /host name/],
  ["http://[::1]x/", /port/],
  ["http://a.example:0/", /port/],
  ["http://a.example:65536/", /port/],
  ["http://a.example:8x/", /port/],
  ["http://a.example:-1/", /port/],
  ["http://a.example/a b", /space/],
  ["http://a.example/a\r\nX: y", /space/],
  ["http://a.example/\0", /space/],
  ["http://a.example/\x7f", /space/],
  ["http://a.example/\ud800", /space/],
  [`http://a.example/${"x".repeat(URL_MAX)}`, /longer/],
  [`http://a.example/${"ü".repeat(URL_MAX / 4)}`, /longer/],
] as const) {
  test(`URL refused: ${JSON.stringify(url.slice(0, 40))}`, () => {
    const result = splitUrl(url);
    assert.equal(typeof result, "string");
    assert.match(result as string, reason);
    assert.doesNotMatch(result as string, /secret|\n/);
  });
}

test("a URL of exactly the maximum length is accepted", () => {
  const url = `http://a.example/${"x".repeat(URL_MAX - 17)}`;
  assert.equal(url.length, URL_MAX);
  assert.equal(whole(split(url)), url);
});

const base = split("https://h.example:8443/a/b/c.bin?q=1/2");
for (const [location, expected] of [
  ["http://o.example/x", "http://o.example/x"],
  ["https://O.example:1/x/../y", "https://o.example:1/x/../y"],
  ["//o.example/x?y", "https://o.example/x?y"],
  ["/x/y?z", "https://h.example:8443/x/y?z"],
  ["/x/../y?a/../b", "https://h.example:8443/y?a/../b"],
  ["d.bin", "https://h.example:8443/a/b/d.bin"],
  ["./d.bin", "https://h.example:8443/a/b/d.bin"],
  ["../d.bin?x=../y", "https://h.example:8443/a/d.bin?x=../y"],
  ["../../../../d.bin", "https://h.example:8443/d.bin"],
  ["..", "https://h.example:8443/a/"],
  [".", "https://h.example:8443/a/b/"],
  ["?q=2", "https://h.example:8443/a/b/c.bin?q=2"],
  ["", "https://h.example:8443/a/b/c.bin?q=1/2"],
  ["#part", "https://h.example:8443/a/b/c.bin?q=1/2"],
  ["x:y", undefined],
  ["ftp://o.example/", undefined],
  ["data:text/html,x", undefined],
  ["http://u@o.example/", undefined],
  ["/a b", undefined],
  ["//", undefined],
  ["/f\xc3\xbc.bin", "https://h.example:8443/f%C3%BC.bin"],
] as const) {
  test(`redirect to ${JSON.stringify(location)}`, () => {
    const result = resolveLocation(base, location);
    if (expected === undefined) assert.equal(typeof result, "string");
    else assert.equal(whole(result as HttpUrl), expected);
  });
}

test("a redirect keeps an IPv6 host and its port", () => {
  assert.equal(whole(resolveLocation(split("http://[::1]:81/a"), "b") as HttpUrl), "http://[::1]:81/b");
});

test("whatever the text, splitting and resolving return a URL that can stand in a request, or a reason", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: "binary" }),
        fc.webUrl({ withQueryParameters: true, withFragments: true }),
        fc.string().map((text) => `http://a/${text}`),
      ),
      (text) => {
        for (const result of [splitUrl(text), resolveLocation(base, text)]) {
          if (typeof result === "string") assert.ok(result.length > 0 && !result.includes("\n"));
          else {
            assert.match(result.target, /^\/[!-~]*$/);
            assert.match(result.hostHeader, /^[a-z0-9_.:[\]-]+$/);
            assert.ok(result.port > 0 && result.port < 65536);
          }
        }
      },
    ),
    { numRuns: 2_000 },
  );
});
