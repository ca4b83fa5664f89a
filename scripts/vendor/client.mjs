/**
 * What of mqtt-packet the agent does not use: it sends CONNECT without a will, SUBSCRIBE, PUBLISH, acknowledgements,
 * PINGREQ and DISCONNECT of MQTT 3.1.1. Each rule is a pattern of the package's text as an ES module and the text
 * instead; a rule that finds nothing stops the build.
 */
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** A member of an object in flash takes 16 bytes and its name; a number in the code takes 2. */
const CONSTANTS = /\b(?:protocol|constants)\.([A-Z]\w+)\b(?!\[)/g;

/** The value of a constant of the package, as source text. */
function valueOf(name) {
  const value = require("mqtt-packet/constants")[name];
  if (typeof value === "number") return String(value);
  if (Buffer.isBuffer(value)) return `Buffer.from([${[...value].join(", ")}])`;
  throw new Error(`mqtt-packet/constants.js: ${name} is neither a number nor bytes`);
}

/** The lines from the one that begins with `head` to the end of its block. */
const block = (head, indent = "") => new RegExp(`^${indent}${head}[^]*?^${indent}\\}\\)?\\n`, "gm");

const RULES = {
  "constants.js": [
    // The types are left. All others are in the code that uses them.
    [/^[^]*?^protocol\.types = (\{[^]*?^\})\n[^]*$/m, "export default Object.freeze({ types: Object.freeze($1) })\n"],
  ],
  "numbers.js": [
    [/^const (?:max|cache|SubOk) = .*\n/gm, ""],
    [block("function (?:generateCache|generate4ByteBuffer) "), ""],
    [/SubOk \? (.*) : .*/, "$1"],
    [/^export default \{[^]*?^\}\n/m, "export { generateBuffer as generateNumber, genBufVariableByteInt }\n"],
  ],
  "generate.js": [
    [/^import \{ EventEmitter \}.*\n/m, ""],
    [/ extends EventEmitter/, ""],
    [/^ *super\(\)\n/m, ""],
    // As an event "error" that nobody listens for.
    [/if \(err\) this\.emit\('error', err\)/, "throw err"],
    // Bytes may be a plain Uint8Array.
    [/list\[i\]\.copy\(result, pos\)/, "result.set(list[i], pos)"],
  ],
  "parser.js": [
    [block("_parse(?:4ByteNum|Byte) ", "  "), ""],
    [
      /constants\.requiredHeaderFlags\[cmdIndex\]/,
      "cmdIndex === 0 || cmdIndex === 3 ? null : cmdIndex === 6 || cmdIndex === 8 || cmdIndex === 10 ? 2 : 0",
    ],
    [
      /constants\.requiredHeaderFlagsErrors\[cmdIndex\]/,
      "`Invalid header flag bits, must be 0x${requiredHeaderFlags} for ${this.packet.cmd} packet`",
    ],
    [/\(maybeBuffer\)/, "()"],
  ],
  "writeToStream.js": [
    [/^import \{ nextTick .*\n/m, ""],
    [block("if \\(stream\\.cork\\) \\{", "  "), ""],
    [block("function (?:uncork|connack|suback|unsubscribe|unsuback) "), ""],
    [block("Object\\.defineProperty\\(generate, 'cacheNumbers'"), ""],
    [/^ *case '(?:connack|suback|unsubscribe|unsuback)':\n.*\n/gm, ""],
    [/^ *case '(?:pubrel|pingresp)':\n/gm, ""],
    // Numbers.
    [/^import numbers from (.*)\n/m, "import { generateNumber, genBufVariableByteInt } from $1\n"],
    [/^const (?:zeroBuf|generateNumber|genBufVariableByteInt|generate4ByteBuffer|writeNumber) = .*\n/gm, ""],
    [/writeNumberGenerated/g, "writeNumber"],
    // MQTT 5.
    [/^ *(?:const|let) (?:version|properties|propertiesData|willProperties|j(?:nl|rap|rh|options))\b.*\n/gm, ""],
    [/^ {2}if \(propertiesData !== null\) \{\n.*\n {2}\} else \{[^]*?^ {2}\}\n/m, ""],
    [/^ *if \(propertiesData !==? null\) \{\n *propertiesData\.write\(\)\n *\}\n/gm, ""],
    [/^ *if \(length === 3\) .*\n/m, ""],
    // CONNECT.
    [/^ *(?:const|let) (?:protocolVersion|will|protocolId) = .*\n/gm, ""],
    [/^ *if \(!protocolId \|\|[^]*?\} else length \+= protocolId\.length \+ 2\n/m, "  length += 'MQTT'.length + 2\n"],
    [/^ *if \(protocolVersion !== 3[^]*?\} else length \+= 1\n/m, "  length += 1\n"],
    [/\(clientId \|\| protocolVersion >= 4\) && /, ""],
    [block("if \\(protocolVersion < 4\\) \\{", "    "), ""],
    [block("if \\(will\\) \\{", "  "), ""],
    [/^ *flags \|= .*\bwill\b.*\n/gm, ""],
    [block("if \\(settings\\.bridgeMode\\) \\{", "  "), ""],
    [/writeStringOrBuffer\(stream, protocolId\)/, "writeString(stream, 'MQTT')"],
    [/^ {2}stream\.write\(\n {4}protocolVersion[^]*?^ {2}\)\n/m, "  stream.write(Buffer.from([4]))\n"],
    // The first byte of each kind of packet.
    [
      /protocol\.PUBLISH_HEADER\[qos\]\[settings\.dup \? 1 : 0\]\[retain \? 1 : 0\]/,
      "Buffer.from([0x30 | (settings.dup ? 8 : 0) | (qos << 1) | retain])",
    ],
    [
      /protocol\.ACKS\[type\]\[qos\]\[dup\]\[0\]/,
      "Buffer.from([type === 'puback' ? 0x40 : type === 'pubrec' ? 0x50 : 0x70])",
    ],
    [/^ *(?:const dup|let qos|const reasonCode) = .*\n/gm, ""],
    [/^ *if \(type === 'pubrel'\) .*\n/m, ""],
    [/protocol\.SUBSCRIBE_HEADER\[1\]\[dup \? 1 : 0\]\[0\]/, "Buffer.from([0x82])"],
    [/^ *joptions \|= .*\n/gm, ""],
    [/joptions = protocol\.SUBSCRIBE_OPTIONS_QOS\[jqos\]/, "const joptions = jqos"],
    [/protocol\.EMPTY\[packet\.cmd\]/, "Buffer.from([0xc0, 0])"],
    [/protocol\.codes\.disconnect << 4/, "0xe0"],
  ],
};

/** `text` of a file of mqtt-packet, without what the agent does not use. */
export function forThisClient(file, text) {
  for (const [pattern, instead] of RULES[file] ?? []) {
    if (text.search(pattern) < 0) throw new Error(`mqtt-packet/${file}: nothing like ${pattern}`);
    text = text.replace(pattern, instead);
  }
  return text.replace(CONSTANTS, (_, name) => valueOf(name));
}
