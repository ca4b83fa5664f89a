/**
 * What XS asks of a library that it preloads (runs at link time, keeps the result in flash), and what the published
 * packages lack: nothing that code can reach changes after loading, objects are frozen, and no property is assigned
 * that a frozen prototype has. Each entry is a text of the package as published and the text instead.
 */

import { forThisClient } from "./client.mjs";

const MQTT_PACKET = {
  "mqtt.js": [
    [
      "exports.parser = require('./parser').parser",
      "import Parser from './parser'\nexport const parser = Parser.parser",
    ],
    ["exports.generate = require('./generate')", "export { default as generate } from './generate'"],
    [
      "exports.writeToStream = require('./writeToStream')",
      "export { default as writeToStream } from './writeToStream'",
    ],
  ],
  "constants.js": [["const protocol = module.exports\n", "const protocol = {}\nexport default protocol\n"]],
  // The bytes of a number are made anew each time. The cache of packet numbers has 65,536 entries and is filled at the
  // first packet; that of packet lengths grows by one entry for each length ever sent.
  "writeToStream.js": [
    ["const numCache = numbers.cache\n", ""],
    ["const generateCache = numbers.generateCache\n", ""],
    ["let writeNumber = writeNumberCached\nlet toGenerate = true\n", "const writeNumber = writeNumberGenerated\n"],
    ["  if (toGenerate) {\n    toGenerate = false\n    generateCache()\n  }\n", ""],
    ["    return writeNumber === writeNumberCached\n", "    return false\n"],
    [
      `  set (value) {
    if (value) {
      if (!numCache || Object.keys(numCache).length === 0) toGenerate = true
      writeNumber = writeNumberCached
    } else {
      toGenerate = false
      writeNumber = writeNumberGenerated
    }
  }
`,
      "  set () {}\n",
    ],
    [
      `function writeNumberCached (stream, number) {
  debug('writeNumberCached: number: %d', number)
  debug('writeNumberCached: %o', numCache[number])
  return stream.write(numCache[number])
}
`,
      "",
    ],
    ["const varByteIntCache = {}\n", ""],
    [
      "  let buffer = varByteIntCache[num]\n\n  if (!buffer) {\n    buffer = genBufVariableByteInt(num)\n    if (num < 16384) varByteIntCache[num] = buffer\n  }\n",
      "  const buffer = genBufVariableByteInt(num)\n",
    ],
  ],
  "parser.js": [],
  "generate.js": [],
  "numbers.js": [],
  "packet.js": [],
};

const JS_MD5 = {
  "build/md5-lite.mjs": [
    // Where Object.prototype is frozen its toString can not be overridden by assignment.
    [
      "Md5.prototype.toString = Md5.prototype.hex;",
      "Object.defineProperty(Md5.prototype, 'toString', { value: Md5.prototype.hex, writable: true, configurable: true });",
    ],
    // One-shot digests share one block of memory, which preloading makes read-only.
    [
      "\t  var blocks = [], buffer8;\n\t  {\n\t    var buffer = new ArrayBuffer(68);\n\t    buffer8 = new Uint8Array(buffer);\n\t    blocks = new Uint32Array(buffer);\n\t  }\n",
      "",
    ],
    ["return new Md5(true).update(message)[outputType]();", "return new Md5().update(message)[type]();"],
    [
      "var createOutputMethod = function (outputType) {\n",
      "var createOutputMethod = function (outputType) {\n\t    const type = outputType;\n",
    ],
    [
      `	    if (sharedMemory) {
	      blocks[0] = blocks[16] = blocks[1] = blocks[2] = blocks[3] =
	      blocks[4] = blocks[5] = blocks[6] = blocks[7] =
	      blocks[8] = blocks[9] = blocks[10] = blocks[11] =
	      blocks[12] = blocks[13] = blocks[14] = blocks[15] = 0;
	      this.blocks = blocks;
	      this.buffer8 = buffer8;
	    } else {
	      {
`,
      "\t    {\n\t      {\n",
    ],
    ["\t  function Md5(sharedMemory) {\n", "\t  function Md5() {\n"],
    ["var INPUT_ERROR = ", "const INPUT_ERROR = "],
    ["var FINALIZE_ERROR = ", "const FINALIZE_ERROR = "],
    ["var HEX_CHARS = '0123456789abcdef'.split('');", "const HEX_CHARS = Object.freeze('0123456789abcdef'.split(''));"],
    [
      "var EXTRA = [128, 32768, 8388608, -2147483648];",
      "const EXTRA = Object.freeze([128, 32768, 8388608, -2147483648]);",
    ],
  ],
};

/** Replaces each text that occurs exactly once; anything else is an error that names the file and the text. */
export function replaceEach(file, source, changes) {
  for (const [published, instead] of changes) {
    const parts = source.split(published);
    if (parts.length !== 2)
      throw new Error(`${file}: expected once, found ${parts.length - 1} times: ${JSON.stringify(published)}`);
    source = parts.join(instead);
  }
  return source;
}

/**
 * The agent is a client of MQTT 3.1.1: what is for MQTT 5 becomes dead code, which the bundler drops, and the parser loses
 * what only a broker receives.
 */
const WHAT_A_CLIENT_NEEDS = [
  [/(?<![\w.])(?:(?:packet|this\.settings)\.)?(?:protocolVersion|version) === 5/g, "false"],
  [/(?<![\w.])(?:this\.settings\.)?(?:protocolVersion|version) !== 5(?= *\) *\{| *\) stream)/g, "true"],
  // Tables: an assignment to an object is kept even where nothing reads it.
  [/^protocol\.(?:MQTT5_\w+|properties\w*) = \{[^]*?^\}\n/gm, ""],
  [/^protocol\.propertiesCodes = \{\}\nfor \(const prop in protocol\.properties\) \{[^]*?^\}\n/gm, ""],
  [/^ *case 'auth':\n.*\n(?: *break\n)?/gm, ""],
  [/^ *case '(?:connect|subscribe|unsubscribe|unsuback|disconnect)':\n *this\._parse\w+\(\)\n *break\n/gm, ""],
  [
    /^ {2}_parse(?:Auth|Properties|ByType|StringPair|Buffer|Connect|Subscribe|Unsubscribe|Unsuback|Disconnect)\b[^]*?^ {2}\}\n/gm,
    "",
  ],
];

/**
 * A CommonJS file in the forms that mqtt-packet uses, as an ES module: bundled without wrappers, each of which would be
 * a variable that changes at first use. Its debug output goes too.
 */
function toModule(file, source) {
  const module = source
    .replace(/^const debug = require\('debug'\).*\n/gm, "")
    .replace(/^ *debug\(.*\)\n/gm, "")
    .replace(/^const (\w+) = require\(('[^']+')\)\.(\w+)$/gm, "import { $3 as $1 } from $2")
    .replace(/^const (\w+|\{ \w+ \}) = require\(('[^']+')\)$/gm, "import $1 from $2")
    .replace(/^module\.exports = /gm, "export default ");
  const trimmed = WHAT_A_CLIENT_NEEDS.reduce((text, [published, instead]) => text.replace(published, instead), module);
  const left = /^.*\b(?:require|module\.exports|exports\.\w+|debug)\b.*$/m.exec(trimmed.replace(/\/\/.*$/gm, ""));
  if (left) throw new Error(`${file}: not a form that is known here: ${left[0].trim()}`);
  return trimmed;
}

/** The files that are changed, by their path under node_modules, and how. */
export const CHANGED = new Map([
  ...Object.entries(MQTT_PACKET).map(([name, changes]) => {
    const file = `mqtt-packet/${name}`;
    return [file, (source) => forThisClient(name, toModule(file, replaceEach(file, source, changes)))];
  }),
  ...Object.entries(JS_MD5).map(([name, changes]) => {
    const file = `js-md5/${name}`;
    return [file, (source) => replaceEach(file, source, changes)];
  }),
]);
