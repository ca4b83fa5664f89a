/**
 * A reporter beside the readable one: the runner's counts as one JSON object, for the closing lines of
 * scripts/test.mjs.
 */
export default async function* counts(source) {
  const found = {};
  for await (const { type, data } of source) {
    const [, name, count] =
      (type === "test:diagnostic" && /^(tests|pass|fail|cancelled|skipped) (\d+)$/.exec(data.message)) || [];
    if (name !== undefined) found[name] = Number(count);
  }
  yield JSON.stringify(found);
}
