/** What a client of hawkBit must never do, read from all that the double was asked. */
import assert from "node:assert/strict";
import type { HawkbitDouble } from "../doubles/hawkbit/server";

export function checkRequests({ exchanges }: Pick<HawkbitDouble, "exchanges">): void {
  const closed = new Set<string>();
  for (const { request, answer } of exchanges) {
    const body = Buffer.from(request.body).toString();
    const [, kind, id = "", rest = ""] = /(deploymentBase|cancelAction)\/(\d+)(\/feedback)?/.exec(request.target) ?? [];
    assert.doesNotMatch(body, /timestamp|"closed","result":\{"finished":"none"/);
    if (request.method === "GET" && kind === "deploymentBase")
      assert.ok(!closed.has(id), `GET of the closed action ${id}`);
    if (answer.status === 200 && rest !== "" && body.includes('"closed"')) {
      assert.ok(!closed.has(id), `a second terminal outcome of the action ${id}`);
      closed.add(id);
    }
  }
}
