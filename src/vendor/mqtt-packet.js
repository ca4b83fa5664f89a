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
    return value instanceof _Buffer;
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
  /** A view, where a typed array would copy. */
  slice(start, end) {
    return this.subarray(start, end);
  }
  copy(target, at) {
    return target.set(this, at), this.length;
  }
  write(text, at) {
    return encodeUtf8Into(text, this, at) - at;
  }
  writeUInt8(value, at) {
    return this[at] = value, at + 1;
  }
  writeUInt32BE(value, at) {
    for (let i = 0; i < 4; i++) this[at + i] = value >>> 24 - 8 * i;
    return at + 4;
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
  readUInt32BE(at) {
    return this.readUInt16BE(at) * 65536 + this.readUInt16BE(at + 2);
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
const protocol = {}, constants_default = protocol;
protocol.types = {
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
};
protocol.requiredHeaderFlags = {
  1: 0,
  // 'connect'
  2: 0,
  // 'connack'
  4: 0,
  // 'puback'
  5: 0,
  // 'pubrec'
  6: 2,
  // 'pubrel'
  7: 0,
  // 'pubcomp'
  8: 2,
  // 'subscribe'
  9: 0,
  // 'suback'
  10: 2,
  // 'unsubscribe'
  11: 0,
  // 'unsuback'
  12: 0,
  // 'pingreq'
  13: 0,
  // 'pingresp'
  14: 0,
  // 'disconnect'
  15: 0
  // 'auth'
};
protocol.requiredHeaderFlagsErrors = {};
for (let k in protocol.requiredHeaderFlags) {
  let v = protocol.requiredHeaderFlags[k];
  protocol.requiredHeaderFlagsErrors[k] = "Invalid header flag bits, must be 0x" + v.toString(16) + " for " + protocol.types[k] + " packet";
}
protocol.codes = {};
for (let k in protocol.types) {
  let v = protocol.types[k];
  protocol.codes[v] = k;
}
protocol.CMD_SHIFT = 4;
protocol.CMD_MASK = 240;
protocol.DUP_MASK = 8;
protocol.QOS_MASK = 3;
protocol.QOS_SHIFT = 1;
protocol.RETAIN_MASK = 1;
protocol.VARBYTEINT_MASK = 127;
protocol.VARBYTEINT_FIN_MASK = 128;
protocol.VARBYTEINT_MAX = 268435455;
protocol.SESSIONPRESENT_MASK = 1;
protocol.SESSIONPRESENT_HEADER = Buffer.from([protocol.SESSIONPRESENT_MASK]);
protocol.CONNACK_HEADER = Buffer.from([protocol.codes.connack << protocol.CMD_SHIFT]);
protocol.USERNAME_MASK = 128;
protocol.PASSWORD_MASK = 64;
protocol.WILL_RETAIN_MASK = 32;
protocol.WILL_QOS_MASK = 24;
protocol.WILL_QOS_SHIFT = 3;
protocol.WILL_FLAG_MASK = 4;
protocol.CLEAN_SESSION_MASK = 2;
protocol.CONNECT_HEADER = Buffer.from([protocol.codes.connect << protocol.CMD_SHIFT]);
function genHeader(type) {
  return [0, 1, 2].map((qos) => [0, 1].map((dup) => [0, 1].map((retain) => {
    let buf = Buffer.alloc(1);
    return buf.writeUInt8(
      protocol.codes[type] << protocol.CMD_SHIFT | (dup ? protocol.DUP_MASK : 0) | qos << protocol.QOS_SHIFT | retain,
      0,
      true
    ), buf;
  })));
}
protocol.PUBLISH_HEADER = genHeader("publish");
protocol.SUBSCRIBE_HEADER = genHeader("subscribe");
protocol.SUBSCRIBE_OPTIONS_QOS_MASK = 3;
protocol.SUBSCRIBE_OPTIONS_NL_MASK = 1;
protocol.SUBSCRIBE_OPTIONS_NL_SHIFT = 2;
protocol.SUBSCRIBE_OPTIONS_RAP_MASK = 1;
protocol.SUBSCRIBE_OPTIONS_RAP_SHIFT = 3;
protocol.SUBSCRIBE_OPTIONS_RH_MASK = 3;
protocol.SUBSCRIBE_OPTIONS_RH_SHIFT = 4;
protocol.SUBSCRIBE_OPTIONS_RH = [0, 16, 32];
protocol.SUBSCRIBE_OPTIONS_NL = 4;
protocol.SUBSCRIBE_OPTIONS_RAP = 8;
protocol.SUBSCRIBE_OPTIONS_QOS = [0, 1, 2];
protocol.UNSUBSCRIBE_HEADER = genHeader("unsubscribe");
protocol.ACKS = {
  unsuback: genHeader("unsuback"),
  puback: genHeader("puback"),
  pubcomp: genHeader("pubcomp"),
  pubrel: genHeader("pubrel"),
  pubrec: genHeader("pubrec")
};
protocol.SUBACK_HEADER = Buffer.from([protocol.codes.suback << protocol.CMD_SHIFT]);
protocol.VERSION3 = Buffer.from([3]);
protocol.VERSION4 = Buffer.from([4]);
protocol.VERSION5 = Buffer.from([5]);
protocol.VERSION131 = Buffer.from([131]);
protocol.VERSION132 = Buffer.from([132]);
protocol.QOS = [0, 1, 2].map((qos) => Buffer.from([qos]));
protocol.EMPTY = {
  pingreq: Buffer.from([protocol.codes.pingreq << 4, 0]),
  pingresp: Buffer.from([protocol.codes.pingresp << 4, 0]),
  disconnect: Buffer.from([protocol.codes.disconnect << 4, 0])
};
function freeze(value) {
  typeof value != "object" || value instanceof Buffer || (Object.freeze(value), Object.values(value).forEach(freeze));
}
freeze(protocol);
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
    let zero = this._list.readUInt8(0), cmdIndex = zero >> constants_default.CMD_SHIFT;
    this.packet.cmd = constants_default.types[cmdIndex];
    let headerFlags = zero & 15, requiredHeaderFlags = constants_default.requiredHeaderFlags[cmdIndex];
    return requiredHeaderFlags != null && headerFlags !== requiredHeaderFlags ? this._emitError(new Error(constants_default.requiredHeaderFlagsErrors[cmdIndex])) : (this.packet.retain = (zero & constants_default.RETAIN_MASK) !== 0, this.packet.qos = zero >> constants_default.QOS_SHIFT & constants_default.QOS_MASK, this.packet.qos > 2 ? this._emitError(new Error("Packet must not have both QoS bits set to 1")) : (this.packet.dup = (zero & constants_default.DUP_MASK) !== 0, this._list.consume(1), true));
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
    if (packet.sessionPresent = !!(flags & constants_default.SESSIONPRESENT_MASK), this._list.length < 2) return null;
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
  _parseString(maybeBuffer) {
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
  _parse4ByteNum() {
    if (this._list.length - this._pos < 4) return -1;
    let result = this._list.readUInt32BE(this._pos);
    return this._pos += 4, result;
  }
  _parseVarByteNum(fullInfoFlag) {
    let bytes = 0, mul = 1, value = 0, result = false, current, padding = this._pos ? this._pos : 0;
    for (; bytes < 4 && padding + bytes < this._list.length; ) {
      if (current = this._list.readUInt8(padding + bytes++), value += mul * (current & constants_default.VARBYTEINT_MASK), mul *= 128, (current & constants_default.VARBYTEINT_FIN_MASK) === 0) {
        result = true;
        break;
      }
      if (this._list.length <= bytes)
        break;
    }
    return !result && bytes === 4 && this._list.length >= bytes && this._emitError(new Error("Invalid variable byte integer")), padding && (this._pos += bytes), result ? fullInfoFlag ? result = { bytes, value } : result = value : result = false, result;
  }
  _parseByte() {
    let result;
    return this._pos < this._list.length && (result = this._list.readUInt8(this._pos), this._pos++), result;
  }
  _newPacket() {
    return this.packet && (this._list.consume(this.packet.length), this.emit("packet", this.packet)), this.packet = new packet_default(), this._pos = 0, true;
  }
  _emitError(err) {
    this.error = err, this.emit("error", err);
  }
}, parser_default = Parser;
const max = 65536, cache = {}, SubOk = Buffer.isBuffer(Buffer.from([1, 2]).subarray(0, 1));
function generateBuffer(i) {
  let buffer = Buffer.allocUnsafe(2);
  return buffer.writeUInt8(i >> 8, 0), buffer.writeUInt8(i & 255, 1), buffer;
}
function generateCache() {
  for (let i = 0; i < max; i++)
    cache[i] = generateBuffer(i);
}
function genBufVariableByteInt(num) {
  let digit = 0, pos = 0, buffer = Buffer.allocUnsafe(4);
  do
    digit = num % 128 | 0, num = num / 128 | 0, num > 0 && (digit = digit | 128), buffer.writeUInt8(digit, pos++);
  while (num > 0 && pos < 4);
  return num > 0 && (pos = 0), SubOk ? buffer.subarray(0, pos) : buffer.slice(0, pos);
}
function generate4ByteBuffer(num) {
  let buffer = Buffer.allocUnsafe(4);
  return buffer.writeUInt32BE(num, 0), buffer;
}
const numbers_default = {
  cache,
  generateCache,
  generateNumber: generateBuffer,
  genBufVariableByteInt,
  generate4ByteBuffer
};
function nextTick(callback, ...values) {
  callback(...values);
}
const empty = Buffer.allocUnsafe(0), zeroBuf = Buffer.from([0]), generateNumber = numbers_default.generateNumber, genBufVariableByteInt2 = numbers_default.genBufVariableByteInt, generate4ByteBuffer2 = numbers_default.generate4ByteBuffer, writeNumber = writeNumberGenerated;
function generate(packet, stream, opts) {
  switch (stream.cork && (stream.cork(), nextTick(uncork, stream)), packet.cmd) {
    case "connect":
      return connect(packet, stream, opts);
    case "connack":
      return connack(packet, stream, opts);
    case "publish":
      return publish(packet, stream, opts);
    case "puback":
    case "pubrec":
    case "pubrel":
    case "pubcomp":
      return confirmation(packet, stream, opts);
    case "subscribe":
      return subscribe(packet, stream, opts);
    case "suback":
      return suback(packet, stream, opts);
    case "unsubscribe":
      return unsubscribe(packet, stream, opts);
    case "unsuback":
      return unsuback(packet, stream, opts);
    case "pingreq":
    case "pingresp":
      return emptyPacket(packet, stream, opts);
    case "disconnect":
      return disconnect(packet, stream, opts);
    default:
      return stream.destroy(new Error("Unknown command")), false;
  }
}
Object.defineProperty(generate, "cacheNumbers", {
  get() {
    return false;
  },
  set() {
  }
});
function uncork(stream) {
  stream.uncork();
}
function connect(packet, stream, opts) {
  let settings = packet || {}, protocolId = settings.protocolId || "MQTT", protocolVersion = settings.protocolVersion || 4, will = settings.will, clean = settings.clean, keepalive = settings.keepalive || 0, clientId = settings.clientId || "", username = settings.username, password = settings.password, properties = settings.properties;
  clean === void 0 && (clean = true);
  let length = 0;
  if (!protocolId || typeof protocolId != "string" && !Buffer.isBuffer(protocolId))
    return stream.destroy(new Error("Invalid protocolId")), false;
  if (length += protocolId.length + 2, protocolVersion !== 3 && protocolVersion !== 4)
    return stream.destroy(new Error("Invalid protocol version")), false;
  if (length += 1, (typeof clientId == "string" || Buffer.isBuffer(clientId)) && (clientId || protocolVersion >= 4) && (clientId || clean))
    length += Buffer.byteLength(clientId) + 2;
  else {
    if (protocolVersion < 4)
      return stream.destroy(new Error("clientId must be supplied before 3.1.1")), false;
    if (clean * 1 === 0)
      return stream.destroy(new Error("clientId must be given if cleanSession set to 0")), false;
  }
  if (typeof keepalive != "number" || keepalive < 0 || keepalive > 65535 || keepalive % 1 !== 0)
    return stream.destroy(new Error("Invalid keepalive")), false;
  length += 2, length += 1;
  let propertiesData, willProperties;
  if (will) {
    if (typeof will != "object")
      return stream.destroy(new Error("Invalid will")), false;
    if (!will.topic || typeof will.topic != "string")
      return stream.destroy(new Error("Invalid will topic")), false;
    if (length += Buffer.byteLength(will.topic) + 2, length += 2, will.payload)
      if (will.payload.length >= 0)
        typeof will.payload == "string" ? length += Buffer.byteLength(will.payload) : length += will.payload.length;
      else
        return stream.destroy(new Error("Invalid will payload")), false;
    willProperties = {};
  }
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
  stream.write(constants_default.CONNECT_HEADER), writeVarByteInt(stream, length), writeStringOrBuffer(stream, protocolId), settings.bridgeMode && (protocolVersion += 128), stream.write(
    protocolVersion === 131 ? constants_default.VERSION131 : protocolVersion === 132 ? constants_default.VERSION132 : protocolVersion === 4 ? constants_default.VERSION4 : constants_default.VERSION3
  );
  let flags = 0;
  return flags |= username != null ? constants_default.USERNAME_MASK : 0, flags |= password != null ? constants_default.PASSWORD_MASK : 0, flags |= will && will.retain ? constants_default.WILL_RETAIN_MASK : 0, flags |= will && will.qos ? will.qos << constants_default.WILL_QOS_SHIFT : 0, flags |= will ? constants_default.WILL_FLAG_MASK : 0, flags |= clean ? constants_default.CLEAN_SESSION_MASK : 0, stream.write(Buffer.from([flags])), writeNumber(stream, keepalive), writeStringOrBuffer(stream, clientId), will && (writeString(stream, will.topic), writeStringOrBuffer(stream, will.payload)), username != null && writeStringOrBuffer(stream, username), password != null && writeStringOrBuffer(stream, password), true;
}
function connack(packet, stream, opts) {
  let version = opts ? opts.protocolVersion : 4, settings = packet || {}, rc = settings.returnCode, properties = settings.properties, length = 2;
  if (typeof rc != "number")
    return stream.destroy(new Error("Invalid return code")), false;
  let propertiesData = null;
  return stream.write(constants_default.CONNACK_HEADER), writeVarByteInt(stream, length), stream.write(settings.sessionPresent ? constants_default.SESSIONPRESENT_HEADER : zeroBuf), stream.write(Buffer.from([rc])), propertiesData?.write(), true;
}
function publish(packet, stream, opts) {
  let version = opts ? opts.protocolVersion : 4, settings = packet || {}, qos = settings.qos || 0, retain = settings.retain ? constants_default.RETAIN_MASK : 0, topic = settings.topic, payload = settings.payload || empty, id = settings.messageId, properties = settings.properties, length = 0;
  if (typeof topic == "string") length += Buffer.byteLength(topic) + 2;
  else if (Buffer.isBuffer(topic)) length += topic.length + 2;
  else
    return stream.destroy(new Error("Invalid topic")), false;
  if (Buffer.isBuffer(payload) ? length += payload.length : length += Buffer.byteLength(payload), qos && typeof id != "number")
    return stream.destroy(new Error("Invalid messageId")), false;
  qos && (length += 2);
  let propertiesData = null;
  return stream.write(constants_default.PUBLISH_HEADER[qos][settings.dup ? 1 : 0][retain ? 1 : 0]), writeVarByteInt(stream, length), writeNumber(stream, byteLength(topic)), stream.write(topic), qos > 0 && writeNumber(stream, id), propertiesData?.write(), stream.write(payload);
}
function confirmation(packet, stream, opts) {
  let version = opts ? opts.protocolVersion : 4, settings = packet || {}, type = settings.cmd || "puback", id = settings.messageId, dup = settings.dup && type === "pubrel" ? constants_default.DUP_MASK : 0, qos = 0, reasonCode = settings.reasonCode, properties = settings.properties, length = 2;
  if (type === "pubrel" && (qos = 1), typeof id != "number")
    return stream.destroy(new Error("Invalid messageId")), false;
  let propertiesData = null;
  return stream.write(constants_default.ACKS[type][qos][dup][0]), length === 3 && (length += reasonCode !== 0 ? 1 : -1), writeVarByteInt(stream, length), writeNumber(stream, id), propertiesData !== null ? propertiesData.write() : length === 4 && stream.write(Buffer.from([0])), true;
}
function subscribe(packet, stream, opts) {
  let version = opts ? opts.protocolVersion : 4, settings = packet || {}, dup = settings.dup ? constants_default.DUP_MASK : 0, id = settings.messageId, subs = settings.subscriptions, properties = settings.properties, length = 0;
  if (typeof id != "number")
    return stream.destroy(new Error("Invalid messageId")), false;
  length += 2;
  let propertiesData = null;
  if (typeof subs == "object" && subs.length)
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
  stream.write(constants_default.SUBSCRIBE_HEADER[1][dup ? 1 : 0][0]), writeVarByteInt(stream, length), writeNumber(stream, id), propertiesData !== null && propertiesData.write();
  let result = true;
  for (let sub of subs) {
    let jtopic = sub.topic, jqos = sub.qos, jnl = +sub.nl, jrap = +sub.rap, jrh = sub.rh, joptions;
    writeString(stream, jtopic), joptions = constants_default.SUBSCRIBE_OPTIONS_QOS[jqos], result = stream.write(Buffer.from([joptions]));
  }
  return result;
}
function suback(packet, stream, opts) {
  let version = opts ? opts.protocolVersion : 4, settings = packet || {}, id = settings.messageId, granted = settings.granted, properties = settings.properties, length = 0;
  if (typeof id != "number")
    return stream.destroy(new Error("Invalid messageId")), false;
  if (length += 2, typeof granted == "object" && granted.length)
    for (let i = 0; i < granted.length; i += 1) {
      if (typeof granted[i] != "number")
        return stream.destroy(new Error("Invalid qos vector")), false;
      length += 1;
    }
  else
    return stream.destroy(new Error("Invalid qos vector")), false;
  let propertiesData = null;
  return stream.write(constants_default.SUBACK_HEADER), writeVarByteInt(stream, length), writeNumber(stream, id), propertiesData !== null && propertiesData.write(), stream.write(Buffer.from(granted));
}
function unsubscribe(packet, stream, opts) {
  let version = opts ? opts.protocolVersion : 4, settings = packet || {}, id = settings.messageId, dup = settings.dup ? constants_default.DUP_MASK : 0, unsubs = settings.unsubscriptions, properties = settings.properties, length = 0;
  if (typeof id != "number")
    return stream.destroy(new Error("Invalid messageId")), false;
  if (length += 2, typeof unsubs == "object" && unsubs.length)
    for (let i = 0; i < unsubs.length; i += 1) {
      if (typeof unsubs[i] != "string")
        return stream.destroy(new Error("Invalid unsubscriptions")), false;
      length += Buffer.byteLength(unsubs[i]) + 2;
    }
  else
    return stream.destroy(new Error("Invalid unsubscriptions")), false;
  let propertiesData = null;
  stream.write(constants_default.UNSUBSCRIBE_HEADER[1][dup ? 1 : 0][0]), writeVarByteInt(stream, length), writeNumber(stream, id), propertiesData !== null && propertiesData.write();
  let result = true;
  for (let j = 0; j < unsubs.length; j++)
    result = writeString(stream, unsubs[j]);
  return result;
}
function unsuback(packet, stream, opts) {
  let version = opts ? opts.protocolVersion : 4, settings = packet || {}, id = settings.messageId, dup = settings.dup ? constants_default.DUP_MASK : 0, granted = settings.granted, properties = settings.properties, type = settings.cmd, qos = 0, length = 2;
  if (typeof id != "number")
    return stream.destroy(new Error("Invalid messageId")), false;
  let propertiesData = null;
  return stream.write(constants_default.ACKS[type][qos][dup][0]), writeVarByteInt(stream, length), writeNumber(stream, id), propertiesData !== null && propertiesData.write(), true;
}
function emptyPacket(packet, stream, opts) {
  return stream.write(constants_default.EMPTY[packet.cmd]);
}
function disconnect(packet, stream, opts) {
  let version = opts ? opts.protocolVersion : 4, settings = packet || {}, reasonCode = settings.reasonCode, properties = settings.properties, length = 0, propertiesData = null;
  return stream.write(Buffer.from([constants_default.codes.disconnect << 4])), writeVarByteInt(stream, length), propertiesData !== null && propertiesData.write(), true;
}
function writeVarByteInt(stream, num) {
  if (num > constants_default.VARBYTEINT_MAX)
    return stream.destroy(new Error(`Invalid variable byte integer: ${num}`)), false;
  let buffer = genBufVariableByteInt2(num);
  return stream.write(buffer);
}
function writeString(stream, string) {
  let strlen = Buffer.byteLength(string);
  return writeNumber(stream, strlen), stream.write(string, "utf8");
}
function writeNumberGenerated(stream, number) {
  let generatedNumber = generateNumber(number);
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
const Accumulator = class extends EventEmitter {
  constructor() {
    super(), this._array = new Array(20), this._i = 0;
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
      typeof list[i] != "string" ? (list[i].copy(result, pos), pos += lengths[i]) : (result.write(list[i], pos), pos += lengths[i]);
    return result;
  }
  destroy(err) {
    err && this.emit("error", err);
  }
}, generate_default = generate2;
const parser = parser_default.parser;
export {
  generate_default as generate,
  parser
};
