/**
 * Which functions of a module can come back to themselves, read off code as esbuild prints it: one statement a line,
 * two spaces a level.
 */

/** Bodies by name: `name` of a function, `Class.name` of a method. */
function bodiesOf(code: string): Map<string, string> {
  const bodies = new Map<string, string>();
  let scope = "";
  let name = "";
  for (const line of code.split("\n")) {
    const top = /^(?:export )?(?:async )?(?:function\*? (\w+)|const (\w+) = .*=>|class (\w+))/.exec(line);
    const method = /^ {2}(?:static |get |set |async )*(#?\w+)\(.*\{$/.exec(line);
    if (top !== null) {
      scope = top[3] ?? "";
      name = top[1] ?? top[2] ?? "";
      if (name !== "") bodies.set(name, line.slice(top[0].length));
      continue;
    }
    if (scope !== "" && method !== null) {
      name = `${scope}.${method[1]}`;
      bodies.set(name, bodies.get(name) ?? "");
      continue;
    }
    if (/^[^\s)}\]]/.test(line)) scope = name = "";
    if (name !== "") bodies.set(name, `${bodies.get(name)}\n${line}`);
  }
  return bodies;
}

function calls(body: string, caller: string, callee: string): boolean {
  const [scope = "", method] = callee.split(".");
  if (method === undefined) return new RegExp(`(?<![.#\\w])${scope}\\(`).test(body);
  return (
    (caller.startsWith(`${scope}.`) && new RegExp(`this\\.${method}\\(`).test(body)) ||
    new RegExp(`(?<!\\w)${scope}\\.${method}\\(`).test(body)
  );
}

/**
 * Names of the functions and methods from which a chain of calls within the module leads back to them; those that a
 * callback makes count too.
 */
export function recursive(code: string): string[] {
  const bodies = bodiesOf(code);
  const graph = new Map(
    [...bodies].map(([caller, body]) => [caller, [...bodies.keys()].filter((callee) => calls(body, caller, callee))]),
  );
  return [...bodies.keys()].filter((name) => {
    const seen = new Set<string>();
    const waiting = [...graph.get(name)!];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (seen.has(next)) continue;
      seen.add(next);
      waiting.push(...graph.get(next)!);
    }
    return seen.has(name);
  });
}
