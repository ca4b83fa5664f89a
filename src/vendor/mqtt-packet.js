/*
mqtt-packet 9.0.2 (MIT), bundled and adapted for XS by scripts/build-vendor.mjs.

The MIT License (MIT)
=====================

Copyright (c) 2014-2017 mqtt-packet contributors
---------------------------------------

*mqtt-packet contributors listed at <https://github.com/mqttjs/mqtt-packet#contributors>*

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
*/
import { decodeUtf8, encodeUtf8, encodeUtf8Into, utf8Length } from "../util/utf8";
const Buffer = class _Buffer extends Uint8Array {
  static isBuffer(value) {
    return value instanceof Uint8Array;
  }
  static from(value, offset, length) {
    if (typeof value == "string" && (value = encodeUtf8(value)), value instanceof ArrayBuffer) return new _Buffer(value, offset, length);
    let buffer = new _Buffer(value.length);
    return buffer.set(value), buffer;
  }
  static alloc(length) {
    return new _Buffer(length);
  }
  static allocUnsafe(length) {
    return new _Buffer(length);
  }
  static byteLength(value) {
    return typeof value == "string" ? utf8Length(value) : value.byteLength;
  }
  write(text, at) {
    return encodeUtf8Into(text, this, at) - at;
  }
  writeUInt8(value, at) {
    return this[at] = value, at + 1;
  }
  toString() {
    return decodeUtf8(this);
  }
};
const NOTHING = Buffer.alloc(0), BufferList = class {
  constructor() {
    this.bytes = NOTHING;
  }
  get length() {
    return this.bytes.length;
  }
  append(more) {
    let added = Buffer.from(more.buffer, more.byteOffset, more.byteLength);
    if (this.bytes.length === 0) this.bytes = added;
    else {
      let joined = Buffer.alloc(this.bytes.length + added.length);
      joined.set(this.bytes), joined.set(added, this.bytes.length), this.bytes = joined;
    }
    return this;
  }
  /** An empty view would keep the last packet's bytes in memory until the next comes, which may be days. */
  consume(count) {
    return this.bytes = count < this.bytes.length ? this.bytes.subarray(count) : NOTHING, this;
  }
  slice(start, end) {
    return this.bytes.subarray(start, end);
  }
  toString(_encoding, start, end) {
    return this.slice(start, end).toString();
  }
  readUInt8(at) {
    return this.bytes[at];
  }
  readUInt16BE(at) {
    return this.bytes[at] * 256 + this.bytes[at + 1];
  }
}, bl_default = () => new BufferList();
const EventEmitter = class {
  constructor() {
    this.listeners = /* @__PURE__ */ new Map();
  }
  on(event, listener) {
    let known = this.listeners.get(event);
    return known ? known.push(listener) : this.listeners.set(event, [listener]), this;
  }
  emit(event, ...values) {
    let known = this.listeners.get(event);
    if (!known && event === "error") throw values[0];
    for (let listener of known ?? []) listener.apply(this, values);
    return known !== void 0;
  }
};
const Packet = class {
  constructor() {
    this.cmd = null, this.retain = false, this.qos = 0, this.dup = false, this.length = -1, this.topic = null, this.payload = null;
  }
}, packet_default = Packet;
const constants_default = Object.freeze({ types: Object.freeze({
  0: "reserved",
  1: "connect",
  2: "connack",
  3: "publish",
  4: "puback",
  5: "pubrec",
  6: "pubrel",
  7: "pubcomp",
  8: "subscribe",
  9: "suback",
  10: "unsubscribe",
  11: "unsuback",
  12: "pingreq",
  13: "pingresp",
  14: "disconnect",
  15: "auth"
}) });
const Parser = class _Parser extends EventEmitter {
  constructor() {
    super(), this.parser = this.constructor.parser;
  }
  static parser(opt) {
    return this instanceof _Parser ? (this.settings = opt || {}, this._states = [
      "_parseHeader",
      "_parseLength",
      "_parsePayload",
      "_newPacket"
    ], this._resetState(), this) : new _Parser().parser(opt);
  }
  _resetState() {
    this.packet = new packet_default(), this.error = null, this._list = bl_default(), this._stateCounter = 0;
  }
  parse(buf) {
    for (this.error && this._resetState(), this._list.append(buf); (this.packet.length !== -1 || this._list.length > 0) && this[this._states[this._stateCounter]]() && !this.error; )
      this._stateCounter++, this._stateCounter >= this._states.length && (this._stateCounter = 0);
    return this._list.length;
  }
  _parseHeader() {
    let zero = this._list.readUInt8(0), cmdIndex = zero >> 4;
    this.packet.cmd = constants_default.types[cmdIndex];
    let headerFlags = zero & 15, requiredHeaderFlags = cmdIndex === 0 || cmdIndex === 3 ? null : cmdIndex === 6 || cmdIndex === 8 || cmdIndex === 10 ? 2 : 0;
    return requiredHeaderFlags != null && headerFlags !== requiredHeaderFlags ? this._emitError(new Error(`Invalid header flag bits, must be 0x${requiredHeaderFlags} for ${this.packet.cmd} packet`)) : (this.packet.retain = (zero & 1) !== 0, this.packet.qos = zero >> 1 & 3, this.packet.qos > 2 ? this._emitError(new Error("Packet must not have both QoS bits set to 1")) : (this.packet.dup = (zero & 8) !== 0, this._list.consume(1), true));
  }
  _parseLength() {
    let result = this._parseVarByteNum(true);
    return result && (this.packet.length = result.value, this._list.consume(result.bytes)), !!result;
  }
  _parsePayload() {
    let result = false;
    if (this.packet.length === 0 || this._list.length >= this.packet.length) {
      switch (this._pos = 0, this.packet.cmd) {
        case "connack":
          this._parseConnack();
          break;
        case "publish":
          this._parsePublish();
          break;
        case "puback":
        case "pubrec":
        case "pubrel":
        case "pubcomp":
          this._parseConfirmation();
          break;
        case "suback":
          this._parseSuback();
          break;
        case "pingreq":
        case "pingresp":
          break;
        default:
          this._emitError(new Error("Not supported"));
      }
      result = true;
    }
    return result;
  }
  _parseConnack() {
    let packet = this.packet;
    if (this._list.length < 1) return null;
    let flags = this._list.readUInt8(this._pos++);
    if (flags > 1)
      return this._emitError(new Error("Invalid connack flags, bits 7-1 must be set to 0"));
    if (packet.sessionPresent = !!(flags & 1), this._list.length < 2) return null;
    if (packet.returnCode = this._list.readUInt8(this._pos++), packet.returnCode === -1 || packet.reasonCode === -1) return this._emitError(new Error("Cannot parse return code"));
  }
  _parsePublish() {
    let packet = this.packet;
    if (packet.topic = this._parseString(), packet.topic === null) return this._emitError(new Error("Cannot parse topic"));
    packet.qos > 0 && !this._parseMessageId() || (packet.payload = this._list.slice(this._pos, packet.length));
  }
  _parseSuback() {
    let packet = this.packet;
    if (this.packet.granted = [], !!this._parseMessageId()) {
      if (packet.length <= 0)
        return this._emitError(new Error("Malformed suback, no payload specified"));
      for (; this._pos < this.packet.length; ) {
        let code = this._list.readUInt8(this._pos++);
        if (code > 2 && code !== 128)
          return this._emitError(new Error("Invalid suback QoS, must be 0, 1, 2 or 128"));
        this.packet.granted.push(code);
      }
    }
  }
  // parse packets like puback, pubrec, pubrel, pubcomp
  _parseConfirmation() {
    let packet = this.packet;
    return this._parseMessageId(), true;
  }
  // parse disconnect packet
  // parse auth packet
  _parseMessageId() {
    let packet = this.packet;
    return packet.messageId = this._parseNum(), packet.messageId === null ? (this._emitError(new Error("Cannot parse messageId")), false) : true;
  }
  _parseString() {
    let length = this._parseNum(), end = length + this._pos;
    if (length === -1 || end > this._list.length || end > this.packet.length) return null;
    let result = this._list.toString("utf8", this._pos, end);
    return this._pos += length, result;
  }
  _parseNum() {
    if (this._list.length - this._pos < 2) return -1;
    let result = this._list.readUInt16BE(this._pos);
    return this._pos += 2, result;
  }
  _parseVarByteNum(fullInfoFlag) {
    let bytes = 0, mul = 1, value = 0, result = false, current, padding = this._pos ? this._pos : 0;
    for (; bytes < 4 && padding + bytes < this._list.length; ) {
      if (current = this._list.readUInt8(padding + bytes++), value += mul * (current & 127), mul *= 128, (current & 128) === 0) {
        result = true;
        break;
      }
      if (this._list.length <= bytes)
        break;
    }
    return !result && bytes === 4 && this._list.length >= bytes && this._emitError(new Error("Invalid variable byte integer")), padding && (this._pos += bytes), result ? fullInfoFlag ? result = { bytes, value } : result = value : result = false, result;
  }
  _newPacket() {
    return this.packet && (this._list.consume(this.packet.length), this.emit("packet", this.packet)), this.packet = new packet_default(), this._pos = 0, true;
  }
  _emitError(err) {
    this.error = err, this.emit("error", err);
  }
}, parser_default = Parser;
function generateBuffer(i) {
  let buffer = Buffer.allocUnsafe(2);
  return buffer.writeUInt8(i >> 8, 0), buffer.writeUInt8(i & 255, 1), buffer;
}
function genBufVariableByteInt(num) {
  let digit = 0, pos = 0, buffer = Buffer.allocUnsafe(4);
  do
    digit = num % 128 | 0, num = num / 128 | 0, num > 0 && (digit = digit | 128), buffer.writeUInt8(digit, pos++);
  while (num > 0 && pos < 4);
  return num > 0 && (pos = 0), buffer.subarray(0, pos);
}
const empty = Buffer.allocUnsafe(0);
function generate(packet, stream, opts) {
  switch (packet.cmd) {
    case "connect":
      return connect(packet, stream, opts);
    case "publish":
      return publish(packet, stream, opts);
    case "puback":
    case "pubrec":
    case "pubcomp":
      return confirmation(packet, stream, opts);
    case "subscribe":
      return subscribe(packet, stream, opts);
    case "pingreq":
      return emptyPacket(packet, stream, opts);
    case "disconnect":
      return disconnect(packet, stream, opts);
    default:
      return stream.destroy(new Error("Unknown command")), false;
  }
}
function connect(packet, stream, opts) {
  let settings = packet || {}, clean = settings.clean, keepalive = settings.keepalive || 0, clientId = settings.clientId || "", username = settings.username, password = settings.password;
  clean === void 0 && (clean = true);
  let length = 0;
  if (length += 6, length += 1, (typeof clientId == "string" || Buffer.isBuffer(clientId)) && (clientId || clean))
    length += Buffer.byteLength(clientId) + 2;
  else if (clean * 1 === 0)
    return stream.destroy(new Error("clientId must be given if cleanSession set to 0")), false;
  if (typeof keepalive != "number" || keepalive < 0 || keepalive > 65535 || keepalive % 1 !== 0)
    return stream.destroy(new Error("Invalid keepalive")), false;
  length += 2, length += 1;
  let providedUsername = false;
  if (username != null)
    if (isStringOrBuffer(username))
      providedUsername = true, length += Buffer.byteLength(username) + 2;
    else
      return stream.destroy(new Error("Invalid username")), false;
  if (password != null) {
    if (!providedUsername)
      return stream.destroy(new Error("Username is required to use password")), false;
    if (isStringOrBuffer(password))
      length += byteLength(password) + 2;
    else
      return stream.destroy(new Error("Invalid password")), false;
  }
  stream.write(Buffer.from([16])), writeVarByteInt(stream, length), writeString(stream, "MQTT"), stream.write(Buffer.from([4]));
  let flags = 0;
  return flags |= username != null ? 128 : 0, flags |= password != null ? 64 : 0, flags |= clean ? 2 : 0, stream.write(Buffer.from([flags])), writeNumber(stream, keepalive), writeStringOrBuffer(stream, clientId), username != null && writeStringOrBuffer(stream, username), password != null && writeStringOrBuffer(stream, password), true;
}
function publish(packet, stream, opts) {
  let settings = packet || {}, qos = settings.qos || 0, retain = settings.retain ? 1 : 0, topic = settings.topic, payload = settings.payload || empty, id = settings.messageId, length = 0;
  if (typeof topic == "string") length += Buffer.byteLength(topic) + 2;
  else if (Buffer.isBuffer(topic)) length += topic.length + 2;
  else
    return stream.destroy(new Error("Invalid topic")), false;
  return Buffer.isBuffer(payload) ? length += payload.length : length += Buffer.byteLength(payload), qos && typeof id != "number" ? (stream.destroy(new Error("Invalid messageId")), false) : (qos && (length += 2), stream.write(Buffer.from([48 | (settings.dup ? 8 : 0) | qos << 1 | retain])), writeVarByteInt(stream, length), writeNumber(stream, byteLength(topic)), stream.write(topic), qos > 0 && writeNumber(stream, id), stream.write(payload));
}
function confirmation(packet, stream, opts) {
  let settings = packet || {}, type = settings.cmd || "puback", id = settings.messageId, length = 2;
  return typeof id != "number" ? (stream.destroy(new Error("Invalid messageId")), false) : (stream.write(Buffer.from([type === "puback" ? 64 : type === "pubrec" ? 80 : 112])), writeVarByteInt(stream, length), writeNumber(stream, id), true);
}
function subscribe(packet, stream, opts) {
  let settings = packet || {}, id = settings.messageId, subs = settings.subscriptions, length = 0;
  if (typeof id != "number")
    return stream.destroy(new Error("Invalid messageId")), false;
  if (length += 2, typeof subs == "object" && subs.length)
    for (let i = 0; i < subs.length; i += 1) {
      let itopic = subs[i].topic, iqos = subs[i].qos;
      if (typeof itopic != "string")
        return stream.destroy(new Error("Invalid subscriptions - invalid topic")), false;
      if (typeof iqos != "number")
        return stream.destroy(new Error("Invalid subscriptions - invalid qos")), false;
      length += Buffer.byteLength(itopic) + 2 + 1;
    }
  else
    return stream.destroy(new Error("Invalid subscriptions")), false;
  stream.write(Buffer.from([130])), writeVarByteInt(stream, length), writeNumber(stream, id);
  let result = true;
  for (let sub of subs) {
    let jtopic = sub.topic, jqos = sub.qos;
    writeString(stream, jtopic);
    let joptions = jqos;
    result = stream.write(Buffer.from([joptions]));
  }
  return result;
}
function emptyPacket(packet, stream, opts) {
  return stream.write(Buffer.from([192, 0]));
}
function disconnect(packet, stream, opts) {
  let settings = packet || {}, length = 0;
  return stream.write(Buffer.from([224])), writeVarByteInt(stream, length), true;
}
function writeVarByteInt(stream, num) {
  if (num > 268435455)
    return stream.destroy(new Error(`Invalid variable byte integer: ${num}`)), false;
  let buffer = genBufVariableByteInt(num);
  return stream.write(buffer);
}
function writeString(stream, string) {
  let strlen = Buffer.byteLength(string);
  return writeNumber(stream, strlen), stream.write(string, "utf8");
}
function writeNumber(stream, number) {
  let generatedNumber = generateBuffer(number);
  return stream.write(generatedNumber);
}
function writeStringOrBuffer(stream, toWrite) {
  typeof toWrite == "string" ? writeString(stream, toWrite) : toWrite ? (writeNumber(stream, toWrite.length), stream.write(toWrite)) : writeNumber(stream, 0);
}
function byteLength(bufOrString) {
  return bufOrString ? bufOrString instanceof Buffer ? bufOrString.length : Buffer.byteLength(bufOrString) : 0;
}
function isStringOrBuffer(field) {
  return typeof field == "string" || field instanceof Buffer;
}
const writeToStream_default = generate;
function generate2(packet, opts) {
  let stream = new Accumulator();
  return writeToStream_default(packet, stream, opts), stream.concat();
}
const Accumulator = class {
  constructor() {
    this._array = new Array(20), this._i = 0;
  }
  write(chunk) {
    return this._array[this._i++] = chunk, true;
  }
  concat() {
    let length = 0, lengths = new Array(this._array.length), list = this._array, pos = 0, i;
    for (i = 0; i < list.length && list[i] !== void 0; i++)
      typeof list[i] != "string" ? lengths[i] = list[i].length : lengths[i] = Buffer.byteLength(list[i]), length += lengths[i];
    let result = Buffer.allocUnsafe(length);
    for (i = 0; i < list.length && list[i] !== void 0; i++)
      typeof list[i] != "string" ? (result.set(list[i], pos), pos += lengths[i]) : (result.write(list[i], pos), pos += lengths[i]);
    return result;
  }
  destroy(err) {
    throw err;
  }
}, generate_default = generate2;
const parser = parser_default.parser;
export {
  generate_default as generate,
  parser
};
