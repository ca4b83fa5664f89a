/** What is told of the texts of a device: as many explanations as causes, each with what to do. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { EXPLANATIONS, explanationNamed, explanationOf } from "../../host-sim/replay/explanations/explanations";
import { ANSWERS, fault } from "../../src/download/answers";
import type { AnswerName } from "../../src/download/answers";

/** Those whose words are the socket's. */
const PARTICULAR: readonly string[] = ["socket", "certificate"];
const STATUS: { readonly [name: string]: number } = { unavailable: 503, busy: 500 };

test("each answer of a file server has an explanation of its own, also as the cause of a failure", () => {
  for (const name of Object.keys(ANSWERS) as AnswerName[]) {
    if (PARTICULAR.includes(name)) continue;
    const { message } = fault(name, STATUS[name] ?? 200, 4096, 8192);
    assert.equal(explanationOf(message)?.name, name, message);
    assert.equal(explanationOf(`no new data for 15 min: ${message}`)?.name, name, message);
  }
});

test("names are unique, and each explanation is one sentence: what is wrong, a colon, what to do", () => {
  const names = EXPLANATIONS.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  for (const { name, sentence } of EXPLANATIONS) {
    assert.match(sentence, /^[a-z].{15,}: [a-z].{3,}[^.]$/i, sentence);
    assert.doesNotMatch(sentence, /\. [A-Z]/, sentence);
    assert.equal(explanationNamed(name)?.sentence, sentence);
  }
});

test("what firmware on trial met is told as met by it alone, with and without the whole text", () => {
  const text =
    "trial: broker refused the connection, code 4: bad user name or password: check the device's secret, the user";
  for (const each of [text, `${text} name; 0.1.0 reached it after the rollback`])
    assert.deepEqual(explanationOf(each), explanationNamed("trial, connack-4"));
  assert.match(explanationNamed("trial, connack-4")!.sentence, /^only the new firmware meets this: /);
  assert.equal(explanationOf("trial: who knows")?.name, "trial");
  assert.equal(explanationOf("who knows"), undefined);
});
