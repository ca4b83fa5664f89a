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
    if (typeof value === "string") value = encodeUtf8(value);
    if (value instanceof ArrayBuffer) return new _Buffer(value, offset, length);
    const buffer = new _Buffer(value.length);
    buffer.set(value);
    return buffer;
  }
  static alloc(length) {
    return new _Buffer(length);
  }
  static allocUnsafe(length) {
    return new _Buffer(length);
  }
  static byteLength(value) {
    return typeof value === "string" ? utf8Length(value) : value.byteLength;
  }
  /** A view, where a typed array would copy. */
  slice(start, end) {
    return this.subarray(start, end);
  }
  copy(target, at) {
    target.set(this, at);
    return this.length;
  }
  write(text, at) {
    return encodeUtf8Into(text, this, at) - at;
  }
  writeUInt8(value, at) {
    this[at] = value;
    return at + 1;
  }
  writeUInt32BE(value, at) {
    for (let i = 0; i < 4; i++) this[at + i] = value >>> 24 - 8 * i;
    return at + 4;
  }
  toString() {
    return decodeUtf8(this);
  }
};
const NOTHING = Buffer.alloc(0);
const BufferList = class {
  constructor() {
    this.bytes = NOTHING;
  }
  get length() {
    return this.bytes.length;
  }
  append(more) {
    const added = Buffer.from(more.buffer, more.byteOffset, more.byteLength);
    if (this.bytes.length === 0) this.bytes = added;
    else {
      const joined = Buffer.alloc(this.bytes.length + added.length);
      joined.set(this.bytes);
      joined.set(added, this.bytes.length);
      this.bytes = joined;
    }
    return this;
  }
  /** An empty view would keep the last packet's bytes in memory until the next comes, which may be days. */
  consume(count) {
    this.bytes = count < this.bytes.length ? this.bytes.subarray(count) : NOTHING;
    return this;
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
};
const bl_default = () => new BufferList();
const EventEmitter = class {
  constructor() {
    this.listeners = /* @__PURE__ */ new Map();
  }
  on(event, listener) {
    const known = this.listeners.get(event);
    if (known) known.push(listener);
    else this.listeners.set(event, [listener]);
    return this;
  }
  emit(event, ...values) {
    const known = this.listeners.get(event);
    if (!known && event === "error") throw values[0];
    for (const listener of known ?? []) listener.apply(this, values);
    return known !== void 0;
  }
};
const Packet = class {
  constructor() {
    this.cmd = null;
    this.retain = false;
    this.qos = 0;
    this.dup = false;
    this.length = -1;
    this.topic = null;
    this.payload = null;
  }
};
const packet_default = Packet;
const protocol = {};
const constants_default = protocol;
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
for (const k in protocol.requiredHeaderFlags) {
  const v = protocol.requiredHeaderFlags[k];
  protocol.requiredHeaderFlagsErrors[k] = "Invalid header flag bits, must be 0x" + v.toString(16) + " for " + protocol.types[k] + " packet";
}
protocol.codes = {};
for (const k in protocol.types) {
  const v = protocol.types[k];
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
protocol.properties = {
  sessionExpiryInterval: 17,
  willDelayInterval: 24,
  receiveMaximum: 33,
  maximumPacketSize: 39,
  topicAliasMaximum: 34,
  requestResponseInformation: 25,
  requestProblemInformation: 23,
  userProperties: 38,
  authenticationMethod: 21,
  authenticationData: 22,
  payloadFormatIndicator: 1,
  messageExpiryInterval: 2,
  contentType: 3,
  responseTopic: 8,
  correlationData: 9,
  maximumQoS: 36,
  retainAvailable: 37,
  assignedClientIdentifier: 18,
  reasonString: 31,
  wildcardSubscriptionAvailable: 40,
  subscriptionIdentifiersAvailable: 41,
  sharedSubscriptionAvailable: 42,
  serverKeepAlive: 19,
  responseInformation: 26,
  serverReference: 28,
  topicAlias: 35,
  subscriptionIdentifier: 11
};
protocol.propertiesCodes = {};
for (const prop in protocol.properties) {
  const id = protocol.properties[prop];
  protocol.propertiesCodes[id] = prop;
}
protocol.propertiesTypes = {
  sessionExpiryInterval: "int32",
  willDelayInterval: "int32",
  receiveMaximum: "int16",
  maximumPacketSize: "int32",
  topicAliasMaximum: "int16",
  requestResponseInformation: "byte",
  requestProblemInformation: "byte",
  userProperties: "pair",
  authenticationMethod: "string",
  authenticationData: "binary",
  payloadFormatIndicator: "byte",
  messageExpiryInterval: "int32",
  contentType: "string",
  responseTopic: "string",
  correlationData: "binary",
  maximumQoS: "int8",
  retainAvailable: "byte",
  assignedClientIdentifier: "string",
  reasonString: "string",
  wildcardSubscriptionAvailable: "byte",
  subscriptionIdentifiersAvailable: "byte",
  sharedSubscriptionAvailable: "byte",
  serverKeepAlive: "int16",
  responseInformation: "string",
  serverReference: "string",
  topicAlias: "int16",
  subscriptionIdentifier: "var"
};
function genHeader(type) {
  return [0, 1, 2].map((qos) => {
    return [0, 1].map((dup) => {
      return [0, 1].map((retain) => {
        const buf = Buffer.alloc(1);
        buf.writeUInt8(
          protocol.codes[type] << protocol.CMD_SHIFT | (dup ? protocol.DUP_MASK : 0) | qos << protocol.QOS_SHIFT | retain,
          0,
          true
        );
        return buf;
      });
    });
  });
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
protocol.QOS = [0, 1, 2].map((qos) => {
  return Buffer.from([qos]);
});
protocol.EMPTY = {
  pingreq: Buffer.from([protocol.codes.pingreq << 4, 0]),
  pingresp: Buffer.from([protocol.codes.pingresp << 4, 0]),
  disconnect: Buffer.from([protocol.codes.disconnect << 4, 0])
};
protocol.MQTT5_PUBACK_PUBREC_CODES = {
  0: "Success",
  16: "No matching subscribers",
  128: "Unspecified error",
  131: "Implementation specific error",
  135: "Not authorized",
  144: "Topic Name invalid",
  145: "Packet identifier in use",
  151: "Quota exceeded",
  153: "Payload format invalid"
};
protocol.MQTT5_PUBREL_PUBCOMP_CODES = {
  0: "Success",
  146: "Packet Identifier not found"
};
protocol.MQTT5_SUBACK_CODES = {
  0: "Granted QoS 0",
  1: "Granted QoS 1",
  2: "Granted QoS 2",
  128: "Unspecified error",
  131: "Implementation specific error",
  135: "Not authorized",
  143: "Topic Filter invalid",
  145: "Packet Identifier in use",
  151: "Quota exceeded",
  158: "Shared Subscriptions not supported",
  161: "Subscription Identifiers not supported",
  162: "Wildcard Subscriptions not supported"
};
protocol.MQTT5_UNSUBACK_CODES = {
  0: "Success",
  17: "No subscription existed",
  128: "Unspecified error",
  131: "Implementation specific error",
  135: "Not authorized",
  143: "Topic Filter invalid",
  145: "Packet Identifier in use"
};
protocol.MQTT5_DISCONNECT_CODES = {
  0: "Normal disconnection",
  4: "Disconnect with Will Message",
  128: "Unspecified error",
  129: "Malformed Packet",
  130: "Protocol Error",
  131: "Implementation specific error",
  135: "Not authorized",
  137: "Server busy",
  139: "Server shutting down",
  141: "Keep Alive timeout",
  142: "Session taken over",
  143: "Topic Filter invalid",
  144: "Topic Name invalid",
  147: "Receive Maximum exceeded",
  148: "Topic Alias invalid",
  149: "Packet too large",
  150: "Message rate too high",
  151: "Quota exceeded",
  152: "Administrative action",
  153: "Payload format invalid",
  154: "Retain not supported",
  155: "QoS not supported",
  156: "Use another server",
  157: "Server moved",
  158: "Shared Subscriptions not supported",
  159: "Connection rate exceeded",
  160: "Maximum connect time",
  161: "Subscription Identifiers not supported",
  162: "Wildcard Subscriptions not supported"
};
protocol.MQTT5_AUTH_CODES = {
  0: "Success",
  24: "Continue authentication",
  25: "Re-authenticate"
};
function freeze(value) {
  if (typeof value !== "object" || value instanceof Buffer) return;
  Object.freeze(value);
  Object.values(value).forEach(freeze);
}
freeze(protocol);
const Parser = class _Parser extends EventEmitter {
  constructor() {
    super();
    this.parser = this.constructor.parser;
  }
  static parser(opt) {
    if (!(this instanceof _Parser)) return new _Parser().parser(opt);
    this.settings = opt || {};
    this._states = [
      "_parseHeader",
      "_parseLength",
      "_parsePayload",
      "_newPacket"
    ];
    this._resetState();
    return this;
  }
  _resetState() {
    this.packet = new packet_default();
    this.error = null;
    this._list = bl_default();
    this._stateCounter = 0;
  }
  parse(buf) {
    if (this.error) this._resetState();
    this._list.append(buf);
    while ((this.packet.length !== -1 || this._list.length > 0) && this[this._states[this._stateCounter]]() && !this.error) {
      this._stateCounter++;
      if (this._stateCounter >= this._states.length) this._stateCounter = 0;
    }
    return this._list.length;
  }
  _parseHeader() {
    const zero = this._list.readUInt8(0);
    const cmdIndex = zero >> constants_default.CMD_SHIFT;
    this.packet.cmd = constants_default.types[cmdIndex];
    const headerFlags = zero & 15;
    const requiredHeaderFlags = constants_default.requiredHeaderFlags[cmdIndex];
    if (requiredHeaderFlags != null && headerFlags !== requiredHeaderFlags) {
      return this._emitError(new Error(constants_default.requiredHeaderFlagsErrors[cmdIndex]));
    }
    this.packet.retain = (zero & constants_default.RETAIN_MASK) !== 0;
    this.packet.qos = zero >> constants_default.QOS_SHIFT & constants_default.QOS_MASK;
    if (this.packet.qos > 2) {
      return this._emitError(new Error("Packet must not have both QoS bits set to 1"));
    }
    this.packet.dup = (zero & constants_default.DUP_MASK) !== 0;
    this._list.consume(1);
    return true;
  }
  _parseLength() {
    const result = this._parseVarByteNum(true);
    if (result) {
      this.packet.length = result.value;
      this._list.consume(result.bytes);
    }
    return !!result;
  }
  _parsePayload() {
    let result = false;
    if (this.packet.length === 0 || this._list.length >= this.packet.length) {
      this._pos = 0;
      switch (this.packet.cmd) {
        case "connect":
          this._parseConnect();
          break;
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
        case "subscribe":
          this._parseSubscribe();
          break;
        case "suback":
          this._parseSuback();
          break;
        case "unsubscribe":
          this._parseUnsubscribe();
          break;
        case "unsuback":
          this._parseUnsuback();
          break;
        case "pingreq":
        case "pingresp":
          break;
        case "disconnect":
          this._parseDisconnect();
          break;
        case "auth":
          this._parseAuth();
          break;
        default:
          this._emitError(new Error("Not supported"));
      }
      result = true;
    }
    return result;
  }
  _parseConnect() {
    let topic;
    let payload;
    let password;
    let username;
    const flags = {};
    const packet = this.packet;
    const protocolId = this._parseString();
    if (protocolId === null) return this._emitError(new Error("Cannot parse protocolId"));
    if (protocolId !== "MQTT" && protocolId !== "MQIsdp") {
      return this._emitError(new Error("Invalid protocolId"));
    }
    packet.protocolId = protocolId;
    if (this._pos >= this._list.length) return this._emitError(new Error("Packet too short"));
    packet.protocolVersion = this._list.readUInt8(this._pos);
    if (packet.protocolVersion >= 128) {
      packet.bridgeMode = true;
      packet.protocolVersion = packet.protocolVersion - 128;
    }
    if (packet.protocolVersion !== 3 && packet.protocolVersion !== 4 && packet.protocolVersion !== 5) {
      return this._emitError(new Error("Invalid protocol version"));
    }
    this._pos++;
    if (this._pos >= this._list.length) {
      return this._emitError(new Error("Packet too short"));
    }
    if (this._list.readUInt8(this._pos) & 1) {
      return this._emitError(new Error("Connect flag bit 0 must be 0, but got 1"));
    }
    flags.username = this._list.readUInt8(this._pos) & constants_default.USERNAME_MASK;
    flags.password = this._list.readUInt8(this._pos) & constants_default.PASSWORD_MASK;
    flags.will = this._list.readUInt8(this._pos) & constants_default.WILL_FLAG_MASK;
    const willRetain = !!(this._list.readUInt8(this._pos) & constants_default.WILL_RETAIN_MASK);
    const willQos = (this._list.readUInt8(this._pos) & constants_default.WILL_QOS_MASK) >> constants_default.WILL_QOS_SHIFT;
    if (flags.will) {
      packet.will = {};
      packet.will.retain = willRetain;
      packet.will.qos = willQos;
    } else {
      if (willRetain) {
        return this._emitError(new Error("Will Retain Flag must be set to zero when Will Flag is set to 0"));
      }
      if (willQos) {
        return this._emitError(new Error("Will QoS must be set to zero when Will Flag is set to 0"));
      }
    }
    packet.clean = (this._list.readUInt8(this._pos) & constants_default.CLEAN_SESSION_MASK) !== 0;
    this._pos++;
    packet.keepalive = this._parseNum();
    if (packet.keepalive === -1) return this._emitError(new Error("Packet too short"));
    if (packet.protocolVersion === 5) {
      const properties = this._parseProperties();
      if (Object.getOwnPropertyNames(properties).length) {
        packet.properties = properties;
      }
    }
    const clientId = this._parseString();
    if (clientId === null) return this._emitError(new Error("Packet too short"));
    packet.clientId = clientId;
    if (flags.will) {
      if (packet.protocolVersion === 5) {
        const willProperties = this._parseProperties();
        if (Object.getOwnPropertyNames(willProperties).length) {
          packet.will.properties = willProperties;
        }
      }
      topic = this._parseString();
      if (topic === null) return this._emitError(new Error("Cannot parse will topic"));
      packet.will.topic = topic;
      payload = this._parseBuffer();
      if (payload === null) return this._emitError(new Error("Cannot parse will payload"));
      packet.will.payload = payload;
    }
    if (flags.username) {
      username = this._parseString();
      if (username === null) return this._emitError(new Error("Cannot parse username"));
      packet.username = username;
    }
    if (flags.password) {
      password = this._parseBuffer();
      if (password === null) return this._emitError(new Error("Cannot parse password"));
      packet.password = password;
    }
    this.settings = packet;
    return packet;
  }
  _parseConnack() {
    const packet = this.packet;
    if (this._list.length < 1) return null;
    const flags = this._list.readUInt8(this._pos++);
    if (flags > 1) {
      return this._emitError(new Error("Invalid connack flags, bits 7-1 must be set to 0"));
    }
    packet.sessionPresent = !!(flags & constants_default.SESSIONPRESENT_MASK);
    if (this.settings.protocolVersion === 5) {
      if (this._list.length >= 2) {
        packet.reasonCode = this._list.readUInt8(this._pos++);
      } else {
        packet.reasonCode = 0;
      }
    } else {
      if (this._list.length < 2) return null;
      packet.returnCode = this._list.readUInt8(this._pos++);
    }
    if (packet.returnCode === -1 || packet.reasonCode === -1) return this._emitError(new Error("Cannot parse return code"));
    if (this.settings.protocolVersion === 5) {
      const properties = this._parseProperties();
      if (Object.getOwnPropertyNames(properties).length) {
        packet.properties = properties;
      }
    }
  }
  _parsePublish() {
    const packet = this.packet;
    packet.topic = this._parseString();
    if (packet.topic === null) return this._emitError(new Error("Cannot parse topic"));
    if (packet.qos > 0) {
      if (!this._parseMessageId()) {
        return;
      }
    }
    if (this.settings.protocolVersion === 5) {
      const properties = this._parseProperties();
      if (Object.getOwnPropertyNames(properties).length) {
        packet.properties = properties;
      }
    }
    packet.payload = this._list.slice(this._pos, packet.length);
  }
  _parseSubscribe() {
    const packet = this.packet;
    let topic;
    let options;
    let qos;
    let rh;
    let rap;
    let nl;
    let subscription;
    packet.subscriptions = [];
    if (!this._parseMessageId()) {
      return;
    }
    if (this.settings.protocolVersion === 5) {
      const properties = this._parseProperties();
      if (Object.getOwnPropertyNames(properties).length) {
        packet.properties = properties;
      }
    }
    if (packet.length <= 0) {
      return this._emitError(new Error("Malformed subscribe, no payload specified"));
    }
    while (this._pos < packet.length) {
      topic = this._parseString();
      if (topic === null) return this._emitError(new Error("Cannot parse topic"));
      if (this._pos >= packet.length) return this._emitError(new Error("Malformed Subscribe Payload"));
      options = this._parseByte();
      if (this.settings.protocolVersion === 5) {
        if (options & 192) {
          return this._emitError(new Error("Invalid subscribe topic flag bits, bits 7-6 must be 0"));
        }
      } else {
        if (options & 252) {
          return this._emitError(new Error("Invalid subscribe topic flag bits, bits 7-2 must be 0"));
        }
      }
      qos = options & constants_default.SUBSCRIBE_OPTIONS_QOS_MASK;
      if (qos > 2) {
        return this._emitError(new Error("Invalid subscribe QoS, must be <= 2"));
      }
      nl = (options >> constants_default.SUBSCRIBE_OPTIONS_NL_SHIFT & constants_default.SUBSCRIBE_OPTIONS_NL_MASK) !== 0;
      rap = (options >> constants_default.SUBSCRIBE_OPTIONS_RAP_SHIFT & constants_default.SUBSCRIBE_OPTIONS_RAP_MASK) !== 0;
      rh = options >> constants_default.SUBSCRIBE_OPTIONS_RH_SHIFT & constants_default.SUBSCRIBE_OPTIONS_RH_MASK;
      if (rh > 2) {
        return this._emitError(new Error("Invalid retain handling, must be <= 2"));
      }
      subscription = { topic, qos };
      if (this.settings.protocolVersion === 5) {
        subscription.nl = nl;
        subscription.rap = rap;
        subscription.rh = rh;
      } else if (this.settings.bridgeMode) {
        subscription.rh = 0;
        subscription.rap = true;
        subscription.nl = true;
      }
      packet.subscriptions.push(subscription);
    }
  }
  _parseSuback() {
    const packet = this.packet;
    this.packet.granted = [];
    if (!this._parseMessageId()) {
      return;
    }
    if (this.settings.protocolVersion === 5) {
      const properties = this._parseProperties();
      if (Object.getOwnPropertyNames(properties).length) {
        packet.properties = properties;
      }
    }
    if (packet.length <= 0) {
      return this._emitError(new Error("Malformed suback, no payload specified"));
    }
    while (this._pos < this.packet.length) {
      const code = this._list.readUInt8(this._pos++);
      if (this.settings.protocolVersion === 5) {
        if (!constants_default.MQTT5_SUBACK_CODES[code]) {
          return this._emitError(new Error("Invalid suback code"));
        }
      } else {
        if (code > 2 && code !== 128) {
          return this._emitError(new Error("Invalid suback QoS, must be 0, 1, 2 or 128"));
        }
      }
      this.packet.granted.push(code);
    }
  }
  _parseUnsubscribe() {
    const packet = this.packet;
    packet.unsubscriptions = [];
    if (!this._parseMessageId()) {
      return;
    }
    if (this.settings.protocolVersion === 5) {
      const properties = this._parseProperties();
      if (Object.getOwnPropertyNames(properties).length) {
        packet.properties = properties;
      }
    }
    if (packet.length <= 0) {
      return this._emitError(new Error("Malformed unsubscribe, no payload specified"));
    }
    while (this._pos < packet.length) {
      const topic = this._parseString();
      if (topic === null) return this._emitError(new Error("Cannot parse topic"));
      packet.unsubscriptions.push(topic);
    }
  }
  _parseUnsuback() {
    const packet = this.packet;
    if (!this._parseMessageId()) return this._emitError(new Error("Cannot parse messageId"));
    if ((this.settings.protocolVersion === 3 || this.settings.protocolVersion === 4) && packet.length !== 2) {
      return this._emitError(new Error("Malformed unsuback, payload length must be 2"));
    }
    if (packet.length <= 0) {
      return this._emitError(new Error("Malformed unsuback, no payload specified"));
    }
    if (this.settings.protocolVersion === 5) {
      const properties = this._parseProperties();
      if (Object.getOwnPropertyNames(properties).length) {
        packet.properties = properties;
      }
      packet.granted = [];
      while (this._pos < this.packet.length) {
        const code = this._list.readUInt8(this._pos++);
        if (!constants_default.MQTT5_UNSUBACK_CODES[code]) {
          return this._emitError(new Error("Invalid unsuback code"));
        }
        this.packet.granted.push(code);
      }
    }
  }
  // parse packets like puback, pubrec, pubrel, pubcomp
  _parseConfirmation() {
    const packet = this.packet;
    this._parseMessageId();
    if (this.settings.protocolVersion === 5) {
      if (packet.length > 2) {
        packet.reasonCode = this._parseByte();
        switch (this.packet.cmd) {
          case "puback":
          case "pubrec":
            if (!constants_default.MQTT5_PUBACK_PUBREC_CODES[packet.reasonCode]) {
              return this._emitError(new Error("Invalid " + this.packet.cmd + " reason code"));
            }
            break;
          case "pubrel":
          case "pubcomp":
            if (!constants_default.MQTT5_PUBREL_PUBCOMP_CODES[packet.reasonCode]) {
              return this._emitError(new Error("Invalid " + this.packet.cmd + " reason code"));
            }
            break;
        }
      } else {
        packet.reasonCode = 0;
      }
      if (packet.length > 3) {
        const properties = this._parseProperties();
        if (Object.getOwnPropertyNames(properties).length) {
          packet.properties = properties;
        }
      }
    }
    return true;
  }
  // parse disconnect packet
  _parseDisconnect() {
    const packet = this.packet;
    if (this.settings.protocolVersion === 5) {
      if (this._list.length > 0) {
        packet.reasonCode = this._parseByte();
        if (!constants_default.MQTT5_DISCONNECT_CODES[packet.reasonCode]) {
          this._emitError(new Error("Invalid disconnect reason code"));
        }
      } else {
        packet.reasonCode = 0;
      }
      const properties = this._parseProperties();
      if (Object.getOwnPropertyNames(properties).length) {
        packet.properties = properties;
      }
    }
    return true;
  }
  // parse auth packet
  _parseAuth() {
    const packet = this.packet;
    if (this.settings.protocolVersion !== 5) {
      return this._emitError(new Error("Not supported auth packet for this version MQTT"));
    }
    packet.reasonCode = this._parseByte();
    if (!constants_default.MQTT5_AUTH_CODES[packet.reasonCode]) {
      return this._emitError(new Error("Invalid auth reason code"));
    }
    const properties = this._parseProperties();
    if (Object.getOwnPropertyNames(properties).length) {
      packet.properties = properties;
    }
    return true;
  }
  _parseMessageId() {
    const packet = this.packet;
    packet.messageId = this._parseNum();
    if (packet.messageId === null) {
      this._emitError(new Error("Cannot parse messageId"));
      return false;
    }
    return true;
  }
  _parseString(maybeBuffer) {
    const length = this._parseNum();
    const end = length + this._pos;
    if (length === -1 || end > this._list.length || end > this.packet.length) return null;
    const result = this._list.toString("utf8", this._pos, end);
    this._pos += length;
    return result;
  }
  _parseStringPair() {
    return {
      name: this._parseString(),
      value: this._parseString()
    };
  }
  _parseBuffer() {
    const length = this._parseNum();
    const end = length + this._pos;
    if (length === -1 || end > this._list.length || end > this.packet.length) return null;
    const result = this._list.slice(this._pos, end);
    this._pos += length;
    return result;
  }
  _parseNum() {
    if (this._list.length - this._pos < 2) return -1;
    const result = this._list.readUInt16BE(this._pos);
    this._pos += 2;
    return result;
  }
  _parse4ByteNum() {
    if (this._list.length - this._pos < 4) return -1;
    const result = this._list.readUInt32BE(this._pos);
    this._pos += 4;
    return result;
  }
  _parseVarByteNum(fullInfoFlag) {
    const maxBytes = 4;
    let bytes = 0;
    let mul = 1;
    let value = 0;
    let result = false;
    let current;
    const padding = this._pos ? this._pos : 0;
    while (bytes < maxBytes && padding + bytes < this._list.length) {
      current = this._list.readUInt8(padding + bytes++);
      value += mul * (current & constants_default.VARBYTEINT_MASK);
      mul *= 128;
      if ((current & constants_default.VARBYTEINT_FIN_MASK) === 0) {
        result = true;
        break;
      }
      if (this._list.length <= bytes) {
        break;
      }
    }
    if (!result && bytes === maxBytes && this._list.length >= bytes) {
      this._emitError(new Error("Invalid variable byte integer"));
    }
    if (padding) {
      this._pos += bytes;
    }
    if (result) {
      if (fullInfoFlag) {
        result = { bytes, value };
      } else {
        result = value;
      }
    } else {
      result = false;
    }
    return result;
  }
  _parseByte() {
    let result;
    if (this._pos < this._list.length) {
      result = this._list.readUInt8(this._pos);
      this._pos++;
    }
    return result;
  }
  _parseByType(type) {
    switch (type) {
      case "byte": {
        return this._parseByte() !== 0;
      }
      case "int8": {
        return this._parseByte();
      }
      case "int16": {
        return this._parseNum();
      }
      case "int32": {
        return this._parse4ByteNum();
      }
      case "var": {
        return this._parseVarByteNum();
      }
      case "string": {
        return this._parseString();
      }
      case "pair": {
        return this._parseStringPair();
      }
      case "binary": {
        return this._parseBuffer();
      }
    }
  }
  _parseProperties() {
    const length = this._parseVarByteNum();
    const start = this._pos;
    const end = start + length;
    const result = {};
    while (this._pos < end) {
      const type = this._parseByte();
      if (!type) {
        this._emitError(new Error("Cannot parse property code type"));
        return false;
      }
      const name = constants_default.propertiesCodes[type];
      if (!name) {
        this._emitError(new Error("Unknown property"));
        return false;
      }
      if (name === "userProperties") {
        if (!result[name]) {
          result[name] = /* @__PURE__ */ Object.create(null);
        }
        const currentUserProperty = this._parseByType(constants_default.propertiesTypes[name]);
        if (result[name][currentUserProperty.name]) {
          if (Array.isArray(result[name][currentUserProperty.name])) {
            result[name][currentUserProperty.name].push(currentUserProperty.value);
          } else {
            const currentValue = result[name][currentUserProperty.name];
            result[name][currentUserProperty.name] = [currentValue];
            result[name][currentUserProperty.name].push(currentUserProperty.value);
          }
        } else {
          result[name][currentUserProperty.name] = currentUserProperty.value;
        }
        continue;
      }
      if (result[name]) {
        if (Array.isArray(result[name])) {
          result[name].push(this._parseByType(constants_default.propertiesTypes[name]));
        } else {
          result[name] = [result[name]];
          result[name].push(this._parseByType(constants_default.propertiesTypes[name]));
        }
      } else {
        result[name] = this._parseByType(constants_default.propertiesTypes[name]);
      }
    }
    return result;
  }
  _newPacket() {
    if (this.packet) {
      this._list.consume(this.packet.length);
      this.emit("packet", this.packet);
    }
    this.packet = new packet_default();
    this._pos = 0;
    return true;
  }
  _emitError(err) {
    this.error = err;
    this.emit("error", err);
  }
};
const parser_default = Parser;
const max = 65536;
const cache = {};
const SubOk = Buffer.isBuffer(Buffer.from([1, 2]).subarray(0, 1));
function generateBuffer(i) {
  const buffer = Buffer.allocUnsafe(2);
  buffer.writeUInt8(i >> 8, 0);
  buffer.writeUInt8(i & 255, 0 + 1);
  return buffer;
}
function generateCache() {
  for (let i = 0; i < max; i++) {
    cache[i] = generateBuffer(i);
  }
}
function genBufVariableByteInt(num) {
  const maxLength = 4;
  let digit = 0;
  let pos = 0;
  const buffer = Buffer.allocUnsafe(maxLength);
  do {
    digit = num % 128 | 0;
    num = num / 128 | 0;
    if (num > 0) digit = digit | 128;
    buffer.writeUInt8(digit, pos++);
  } while (num > 0 && pos < maxLength);
  if (num > 0) {
    pos = 0;
  }
  return SubOk ? buffer.subarray(0, pos) : buffer.slice(0, pos);
}
function generate4ByteBuffer(num) {
  const buffer = Buffer.allocUnsafe(4);
  buffer.writeUInt32BE(num, 0);
  return buffer;
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
const empty = Buffer.allocUnsafe(0);
const zeroBuf = Buffer.from([0]);
const generateNumber = numbers_default.generateNumber;
const genBufVariableByteInt2 = numbers_default.genBufVariableByteInt;
const generate4ByteBuffer2 = numbers_default.generate4ByteBuffer;
const writeNumber = writeNumberGenerated;
function generate(packet, stream, opts) {
  if (stream.cork) {
    stream.cork();
    nextTick(uncork, stream);
  }
  switch (packet.cmd) {
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
    case "auth":
      return auth(packet, stream, opts);
    default:
      stream.destroy(new Error("Unknown command"));
      return false;
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
  const settings = packet || {};
  const protocolId = settings.protocolId || "MQTT";
  let protocolVersion = settings.protocolVersion || 4;
  const will = settings.will;
  let clean = settings.clean;
  const keepalive = settings.keepalive || 0;
  const clientId = settings.clientId || "";
  const username = settings.username;
  const password = settings.password;
  const properties = settings.properties;
  if (clean === void 0) clean = true;
  let length = 0;
  if (!protocolId || typeof protocolId !== "string" && !Buffer.isBuffer(protocolId)) {
    stream.destroy(new Error("Invalid protocolId"));
    return false;
  } else length += protocolId.length + 2;
  if (protocolVersion !== 3 && protocolVersion !== 4 && protocolVersion !== 5) {
    stream.destroy(new Error("Invalid protocol version"));
    return false;
  } else length += 1;
  if ((typeof clientId === "string" || Buffer.isBuffer(clientId)) && (clientId || protocolVersion >= 4) && (clientId || clean)) {
    length += Buffer.byteLength(clientId) + 2;
  } else {
    if (protocolVersion < 4) {
      stream.destroy(new Error("clientId must be supplied before 3.1.1"));
      return false;
    }
    if (clean * 1 === 0) {
      stream.destroy(new Error("clientId must be given if cleanSession set to 0"));
      return false;
    }
  }
  if (typeof keepalive !== "number" || keepalive < 0 || keepalive > 65535 || keepalive % 1 !== 0) {
    stream.destroy(new Error("Invalid keepalive"));
    return false;
  } else length += 2;
  length += 1;
  let propertiesData;
  let willProperties;
  if (protocolVersion === 5) {
    propertiesData = getProperties(stream, properties);
    if (!propertiesData) {
      return false;
    }
    length += propertiesData.length;
  }
  if (will) {
    if (typeof will !== "object") {
      stream.destroy(new Error("Invalid will"));
      return false;
    }
    if (!will.topic || typeof will.topic !== "string") {
      stream.destroy(new Error("Invalid will topic"));
      return false;
    } else {
      length += Buffer.byteLength(will.topic) + 2;
    }
    length += 2;
    if (will.payload) {
      if (will.payload.length >= 0) {
        if (typeof will.payload === "string") {
          length += Buffer.byteLength(will.payload);
        } else {
          length += will.payload.length;
        }
      } else {
        stream.destroy(new Error("Invalid will payload"));
        return false;
      }
    }
    willProperties = {};
    if (protocolVersion === 5) {
      willProperties = getProperties(stream, will.properties);
      if (!willProperties) {
        return false;
      }
      length += willProperties.length;
    }
  }
  let providedUsername = false;
  if (username != null) {
    if (isStringOrBuffer(username)) {
      providedUsername = true;
      length += Buffer.byteLength(username) + 2;
    } else {
      stream.destroy(new Error("Invalid username"));
      return false;
    }
  }
  if (password != null) {
    if (!providedUsername) {
      stream.destroy(new Error("Username is required to use password"));
      return false;
    }
    if (isStringOrBuffer(password)) {
      length += byteLength(password) + 2;
    } else {
      stream.destroy(new Error("Invalid password"));
      return false;
    }
  }
  stream.write(constants_default.CONNECT_HEADER);
  writeVarByteInt(stream, length);
  writeStringOrBuffer(stream, protocolId);
  if (settings.bridgeMode) {
    protocolVersion += 128;
  }
  stream.write(
    protocolVersion === 131 ? constants_default.VERSION131 : protocolVersion === 132 ? constants_default.VERSION132 : protocolVersion === 4 ? constants_default.VERSION4 : protocolVersion === 5 ? constants_default.VERSION5 : constants_default.VERSION3
  );
  let flags = 0;
  flags |= username != null ? constants_default.USERNAME_MASK : 0;
  flags |= password != null ? constants_default.PASSWORD_MASK : 0;
  flags |= will && will.retain ? constants_default.WILL_RETAIN_MASK : 0;
  flags |= will && will.qos ? will.qos << constants_default.WILL_QOS_SHIFT : 0;
  flags |= will ? constants_default.WILL_FLAG_MASK : 0;
  flags |= clean ? constants_default.CLEAN_SESSION_MASK : 0;
  stream.write(Buffer.from([flags]));
  writeNumber(stream, keepalive);
  if (protocolVersion === 5) {
    propertiesData.write();
  }
  writeStringOrBuffer(stream, clientId);
  if (will) {
    if (protocolVersion === 5) {
      willProperties.write();
    }
    writeString(stream, will.topic);
    writeStringOrBuffer(stream, will.payload);
  }
  if (username != null) {
    writeStringOrBuffer(stream, username);
  }
  if (password != null) {
    writeStringOrBuffer(stream, password);
  }
  return true;
}
function connack(packet, stream, opts) {
  const version = opts ? opts.protocolVersion : 4;
  const settings = packet || {};
  const rc = version === 5 ? settings.reasonCode : settings.returnCode;
  const properties = settings.properties;
  let length = 2;
  if (typeof rc !== "number") {
    stream.destroy(new Error("Invalid return code"));
    return false;
  }
  let propertiesData = null;
  if (version === 5) {
    propertiesData = getProperties(stream, properties);
    if (!propertiesData) {
      return false;
    }
    length += propertiesData.length;
  }
  stream.write(constants_default.CONNACK_HEADER);
  writeVarByteInt(stream, length);
  stream.write(settings.sessionPresent ? constants_default.SESSIONPRESENT_HEADER : zeroBuf);
  stream.write(Buffer.from([rc]));
  if (propertiesData != null) {
    propertiesData.write();
  }
  return true;
}
function publish(packet, stream, opts) {
  const version = opts ? opts.protocolVersion : 4;
  const settings = packet || {};
  const qos = settings.qos || 0;
  const retain = settings.retain ? constants_default.RETAIN_MASK : 0;
  const topic = settings.topic;
  const payload = settings.payload || empty;
  const id = settings.messageId;
  const properties = settings.properties;
  let length = 0;
  if (typeof topic === "string") length += Buffer.byteLength(topic) + 2;
  else if (Buffer.isBuffer(topic)) length += topic.length + 2;
  else {
    stream.destroy(new Error("Invalid topic"));
    return false;
  }
  if (!Buffer.isBuffer(payload)) length += Buffer.byteLength(payload);
  else length += payload.length;
  if (qos && typeof id !== "number") {
    stream.destroy(new Error("Invalid messageId"));
    return false;
  } else if (qos) length += 2;
  let propertiesData = null;
  if (version === 5) {
    propertiesData = getProperties(stream, properties);
    if (!propertiesData) {
      return false;
    }
    length += propertiesData.length;
  }
  stream.write(constants_default.PUBLISH_HEADER[qos][settings.dup ? 1 : 0][retain ? 1 : 0]);
  writeVarByteInt(stream, length);
  writeNumber(stream, byteLength(topic));
  stream.write(topic);
  if (qos > 0) writeNumber(stream, id);
  if (propertiesData != null) {
    propertiesData.write();
  }
  return stream.write(payload);
}
function confirmation(packet, stream, opts) {
  const version = opts ? opts.protocolVersion : 4;
  const settings = packet || {};
  const type = settings.cmd || "puback";
  const id = settings.messageId;
  const dup = settings.dup && type === "pubrel" ? constants_default.DUP_MASK : 0;
  let qos = 0;
  const reasonCode = settings.reasonCode;
  const properties = settings.properties;
  let length = version === 5 ? 3 : 2;
  if (type === "pubrel") qos = 1;
  if (typeof id !== "number") {
    stream.destroy(new Error("Invalid messageId"));
    return false;
  }
  let propertiesData = null;
  if (version === 5) {
    if (typeof properties === "object") {
      propertiesData = getPropertiesByMaximumPacketSize(stream, properties, opts, length);
      if (!propertiesData) {
        return false;
      }
      length += propertiesData.length;
    }
  }
  stream.write(constants_default.ACKS[type][qos][dup][0]);
  if (length === 3) length += reasonCode !== 0 ? 1 : -1;
  writeVarByteInt(stream, length);
  writeNumber(stream, id);
  if (version === 5 && length !== 2) {
    stream.write(Buffer.from([reasonCode]));
  }
  if (propertiesData !== null) {
    propertiesData.write();
  } else {
    if (length === 4) {
      stream.write(Buffer.from([0]));
    }
  }
  return true;
}
function subscribe(packet, stream, opts) {
  const version = opts ? opts.protocolVersion : 4;
  const settings = packet || {};
  const dup = settings.dup ? constants_default.DUP_MASK : 0;
  const id = settings.messageId;
  const subs = settings.subscriptions;
  const properties = settings.properties;
  let length = 0;
  if (typeof id !== "number") {
    stream.destroy(new Error("Invalid messageId"));
    return false;
  } else length += 2;
  let propertiesData = null;
  if (version === 5) {
    propertiesData = getProperties(stream, properties);
    if (!propertiesData) {
      return false;
    }
    length += propertiesData.length;
  }
  if (typeof subs === "object" && subs.length) {
    for (let i = 0; i < subs.length; i += 1) {
      const itopic = subs[i].topic;
      const iqos = subs[i].qos;
      if (typeof itopic !== "string") {
        stream.destroy(new Error("Invalid subscriptions - invalid topic"));
        return false;
      }
      if (typeof iqos !== "number") {
        stream.destroy(new Error("Invalid subscriptions - invalid qos"));
        return false;
      }
      if (version === 5) {
        const nl = subs[i].nl || false;
        if (typeof nl !== "boolean") {
          stream.destroy(new Error("Invalid subscriptions - invalid No Local"));
          return false;
        }
        const rap = subs[i].rap || false;
        if (typeof rap !== "boolean") {
          stream.destroy(new Error("Invalid subscriptions - invalid Retain as Published"));
          return false;
        }
        const rh = subs[i].rh || 0;
        if (typeof rh !== "number" || rh > 2) {
          stream.destroy(new Error("Invalid subscriptions - invalid Retain Handling"));
          return false;
        }
      }
      length += Buffer.byteLength(itopic) + 2 + 1;
    }
  } else {
    stream.destroy(new Error("Invalid subscriptions"));
    return false;
  }
  stream.write(constants_default.SUBSCRIBE_HEADER[1][dup ? 1 : 0][0]);
  writeVarByteInt(stream, length);
  writeNumber(stream, id);
  if (propertiesData !== null) {
    propertiesData.write();
  }
  let result = true;
  for (const sub of subs) {
    const jtopic = sub.topic;
    const jqos = sub.qos;
    const jnl = +sub.nl;
    const jrap = +sub.rap;
    const jrh = sub.rh;
    let joptions;
    writeString(stream, jtopic);
    joptions = constants_default.SUBSCRIBE_OPTIONS_QOS[jqos];
    if (version === 5) {
      joptions |= jnl ? constants_default.SUBSCRIBE_OPTIONS_NL : 0;
      joptions |= jrap ? constants_default.SUBSCRIBE_OPTIONS_RAP : 0;
      joptions |= jrh ? constants_default.SUBSCRIBE_OPTIONS_RH[jrh] : 0;
    }
    result = stream.write(Buffer.from([joptions]));
  }
  return result;
}
function suback(packet, stream, opts) {
  const version = opts ? opts.protocolVersion : 4;
  const settings = packet || {};
  const id = settings.messageId;
  const granted = settings.granted;
  const properties = settings.properties;
  let length = 0;
  if (typeof id !== "number") {
    stream.destroy(new Error("Invalid messageId"));
    return false;
  } else length += 2;
  if (typeof granted === "object" && granted.length) {
    for (let i = 0; i < granted.length; i += 1) {
      if (typeof granted[i] !== "number") {
        stream.destroy(new Error("Invalid qos vector"));
        return false;
      }
      length += 1;
    }
  } else {
    stream.destroy(new Error("Invalid qos vector"));
    return false;
  }
  let propertiesData = null;
  if (version === 5) {
    propertiesData = getPropertiesByMaximumPacketSize(stream, properties, opts, length);
    if (!propertiesData) {
      return false;
    }
    length += propertiesData.length;
  }
  stream.write(constants_default.SUBACK_HEADER);
  writeVarByteInt(stream, length);
  writeNumber(stream, id);
  if (propertiesData !== null) {
    propertiesData.write();
  }
  return stream.write(Buffer.from(granted));
}
function unsubscribe(packet, stream, opts) {
  const version = opts ? opts.protocolVersion : 4;
  const settings = packet || {};
  const id = settings.messageId;
  const dup = settings.dup ? constants_default.DUP_MASK : 0;
  const unsubs = settings.unsubscriptions;
  const properties = settings.properties;
  let length = 0;
  if (typeof id !== "number") {
    stream.destroy(new Error("Invalid messageId"));
    return false;
  } else {
    length += 2;
  }
  if (typeof unsubs === "object" && unsubs.length) {
    for (let i = 0; i < unsubs.length; i += 1) {
      if (typeof unsubs[i] !== "string") {
        stream.destroy(new Error("Invalid unsubscriptions"));
        return false;
      }
      length += Buffer.byteLength(unsubs[i]) + 2;
    }
  } else {
    stream.destroy(new Error("Invalid unsubscriptions"));
    return false;
  }
  let propertiesData = null;
  if (version === 5) {
    propertiesData = getProperties(stream, properties);
    if (!propertiesData) {
      return false;
    }
    length += propertiesData.length;
  }
  stream.write(constants_default.UNSUBSCRIBE_HEADER[1][dup ? 1 : 0][0]);
  writeVarByteInt(stream, length);
  writeNumber(stream, id);
  if (propertiesData !== null) {
    propertiesData.write();
  }
  let result = true;
  for (let j = 0; j < unsubs.length; j++) {
    result = writeString(stream, unsubs[j]);
  }
  return result;
}
function unsuback(packet, stream, opts) {
  const version = opts ? opts.protocolVersion : 4;
  const settings = packet || {};
  const id = settings.messageId;
  const dup = settings.dup ? constants_default.DUP_MASK : 0;
  const granted = settings.granted;
  const properties = settings.properties;
  const type = settings.cmd;
  const qos = 0;
  let length = 2;
  if (typeof id !== "number") {
    stream.destroy(new Error("Invalid messageId"));
    return false;
  }
  if (version === 5) {
    if (typeof granted === "object" && granted.length) {
      for (let i = 0; i < granted.length; i += 1) {
        if (typeof granted[i] !== "number") {
          stream.destroy(new Error("Invalid qos vector"));
          return false;
        }
        length += 1;
      }
    } else {
      stream.destroy(new Error("Invalid qos vector"));
      return false;
    }
  }
  let propertiesData = null;
  if (version === 5) {
    propertiesData = getPropertiesByMaximumPacketSize(stream, properties, opts, length);
    if (!propertiesData) {
      return false;
    }
    length += propertiesData.length;
  }
  stream.write(constants_default.ACKS[type][qos][dup][0]);
  writeVarByteInt(stream, length);
  writeNumber(stream, id);
  if (propertiesData !== null) {
    propertiesData.write();
  }
  if (version === 5) {
    stream.write(Buffer.from(granted));
  }
  return true;
}
function emptyPacket(packet, stream, opts) {
  return stream.write(constants_default.EMPTY[packet.cmd]);
}
function disconnect(packet, stream, opts) {
  const version = opts ? opts.protocolVersion : 4;
  const settings = packet || {};
  const reasonCode = settings.reasonCode;
  const properties = settings.properties;
  let length = version === 5 ? 1 : 0;
  let propertiesData = null;
  if (version === 5) {
    propertiesData = getPropertiesByMaximumPacketSize(stream, properties, opts, length);
    if (!propertiesData) {
      return false;
    }
    length += propertiesData.length;
  }
  stream.write(Buffer.from([constants_default.codes.disconnect << 4]));
  writeVarByteInt(stream, length);
  if (version === 5) {
    stream.write(Buffer.from([reasonCode]));
  }
  if (propertiesData !== null) {
    propertiesData.write();
  }
  return true;
}
function auth(packet, stream, opts) {
  const version = opts ? opts.protocolVersion : 4;
  const settings = packet || {};
  const reasonCode = settings.reasonCode;
  const properties = settings.properties;
  let length = version === 5 ? 1 : 0;
  if (version !== 5) stream.destroy(new Error("Invalid mqtt version for auth packet"));
  const propertiesData = getPropertiesByMaximumPacketSize(stream, properties, opts, length);
  if (!propertiesData) {
    return false;
  }
  length += propertiesData.length;
  stream.write(Buffer.from([constants_default.codes.auth << 4]));
  writeVarByteInt(stream, length);
  stream.write(Buffer.from([reasonCode]));
  if (propertiesData !== null) {
    propertiesData.write();
  }
  return true;
}
function writeVarByteInt(stream, num) {
  if (num > constants_default.VARBYTEINT_MAX) {
    stream.destroy(new Error(`Invalid variable byte integer: ${num}`));
    return false;
  }
  const buffer = genBufVariableByteInt2(num);
  return stream.write(buffer);
}
function writeString(stream, string) {
  const strlen = Buffer.byteLength(string);
  writeNumber(stream, strlen);
  return stream.write(string, "utf8");
}
function writeStringPair(stream, name, value) {
  writeString(stream, name);
  writeString(stream, value);
}
function writeNumberGenerated(stream, number) {
  const generatedNumber = generateNumber(number);
  return stream.write(generatedNumber);
}
function write4ByteNumber(stream, number) {
  const generated4ByteBuffer = generate4ByteBuffer2(number);
  return stream.write(generated4ByteBuffer);
}
function writeStringOrBuffer(stream, toWrite) {
  if (typeof toWrite === "string") {
    writeString(stream, toWrite);
  } else if (toWrite) {
    writeNumber(stream, toWrite.length);
    stream.write(toWrite);
  } else writeNumber(stream, 0);
}
function getProperties(stream, properties) {
  if (typeof properties !== "object" || properties.length != null) {
    return {
      length: 1,
      write() {
        writeProperties(stream, {}, 0);
      }
    };
  }
  let propertiesLength = 0;
  function getLengthProperty(name, value) {
    const type = constants_default.propertiesTypes[name];
    let length = 0;
    switch (type) {
      case "byte": {
        if (typeof value !== "boolean") {
          stream.destroy(new Error(`Invalid ${name}: ${value}`));
          return false;
        }
        length += 1 + 1;
        break;
      }
      case "int8": {
        if (typeof value !== "number" || value < 0 || value > 255) {
          stream.destroy(new Error(`Invalid ${name}: ${value}`));
          return false;
        }
        length += 1 + 1;
        break;
      }
      case "binary": {
        if (value && value === null) {
          stream.destroy(new Error(`Invalid ${name}: ${value}`));
          return false;
        }
        length += 1 + Buffer.byteLength(value) + 2;
        break;
      }
      case "int16": {
        if (typeof value !== "number" || value < 0 || value > 65535) {
          stream.destroy(new Error(`Invalid ${name}: ${value}`));
          return false;
        }
        length += 1 + 2;
        break;
      }
      case "int32": {
        if (typeof value !== "number" || value < 0 || value > 4294967295) {
          stream.destroy(new Error(`Invalid ${name}: ${value}`));
          return false;
        }
        length += 1 + 4;
        break;
      }
      case "var": {
        if (typeof value !== "number" || value < 0 || value > 268435455) {
          stream.destroy(new Error(`Invalid ${name}: ${value}`));
          return false;
        }
        length += 1 + Buffer.byteLength(genBufVariableByteInt2(value));
        break;
      }
      case "string": {
        if (typeof value !== "string") {
          stream.destroy(new Error(`Invalid ${name}: ${value}`));
          return false;
        }
        length += 1 + 2 + Buffer.byteLength(value.toString());
        break;
      }
      case "pair": {
        if (typeof value !== "object") {
          stream.destroy(new Error(`Invalid ${name}: ${value}`));
          return false;
        }
        length += Object.getOwnPropertyNames(value).reduce((result, name2) => {
          const currentValue = value[name2];
          if (Array.isArray(currentValue)) {
            result += currentValue.reduce((currentLength, value2) => {
              currentLength += 1 + 2 + Buffer.byteLength(name2.toString()) + 2 + Buffer.byteLength(value2.toString());
              return currentLength;
            }, 0);
          } else {
            result += 1 + 2 + Buffer.byteLength(name2.toString()) + 2 + Buffer.byteLength(value[name2].toString());
          }
          return result;
        }, 0);
        break;
      }
      default: {
        stream.destroy(new Error(`Invalid property ${name}: ${value}`));
        return false;
      }
    }
    return length;
  }
  if (properties) {
    for (const propName in properties) {
      let propLength = 0;
      let propValueLength = 0;
      const propValue = properties[propName];
      if (propValue === void 0) {
        continue;
      } else if (Array.isArray(propValue)) {
        for (let valueIndex = 0; valueIndex < propValue.length; valueIndex++) {
          propValueLength = getLengthProperty(propName, propValue[valueIndex]);
          if (!propValueLength) {
            return false;
          }
          propLength += propValueLength;
        }
      } else {
        propValueLength = getLengthProperty(propName, propValue);
        if (!propValueLength) {
          return false;
        }
        propLength = propValueLength;
      }
      if (!propLength) return false;
      propertiesLength += propLength;
    }
  }
  const propertiesLengthLength = Buffer.byteLength(genBufVariableByteInt2(propertiesLength));
  return {
    length: propertiesLengthLength + propertiesLength,
    write() {
      writeProperties(stream, properties, propertiesLength);
    }
  };
}
function getPropertiesByMaximumPacketSize(stream, properties, opts, length) {
  const mayEmptyProps = ["reasonString", "userProperties"];
  const maximumPacketSize = opts && opts.properties && opts.properties.maximumPacketSize ? opts.properties.maximumPacketSize : 0;
  let propertiesData = getProperties(stream, properties);
  if (maximumPacketSize) {
    while (length + propertiesData.length > maximumPacketSize) {
      const currentMayEmptyProp = mayEmptyProps.shift();
      if (currentMayEmptyProp && properties[currentMayEmptyProp]) {
        delete properties[currentMayEmptyProp];
        propertiesData = getProperties(stream, properties);
      } else {
        return false;
      }
    }
  }
  return propertiesData;
}
function writeProperty(stream, propName, value) {
  const type = constants_default.propertiesTypes[propName];
  switch (type) {
    case "byte": {
      stream.write(Buffer.from([constants_default.properties[propName]]));
      stream.write(Buffer.from([+value]));
      break;
    }
    case "int8": {
      stream.write(Buffer.from([constants_default.properties[propName]]));
      stream.write(Buffer.from([value]));
      break;
    }
    case "binary": {
      stream.write(Buffer.from([constants_default.properties[propName]]));
      writeStringOrBuffer(stream, value);
      break;
    }
    case "int16": {
      stream.write(Buffer.from([constants_default.properties[propName]]));
      writeNumber(stream, value);
      break;
    }
    case "int32": {
      stream.write(Buffer.from([constants_default.properties[propName]]));
      write4ByteNumber(stream, value);
      break;
    }
    case "var": {
      stream.write(Buffer.from([constants_default.properties[propName]]));
      writeVarByteInt(stream, value);
      break;
    }
    case "string": {
      stream.write(Buffer.from([constants_default.properties[propName]]));
      writeString(stream, value);
      break;
    }
    case "pair": {
      Object.getOwnPropertyNames(value).forEach((name) => {
        const currentValue = value[name];
        if (Array.isArray(currentValue)) {
          currentValue.forEach((value2) => {
            stream.write(Buffer.from([constants_default.properties[propName]]));
            writeStringPair(stream, name.toString(), value2.toString());
          });
        } else {
          stream.write(Buffer.from([constants_default.properties[propName]]));
          writeStringPair(stream, name.toString(), currentValue.toString());
        }
      });
      break;
    }
    default: {
      stream.destroy(new Error(`Invalid property ${propName} value: ${value}`));
      return false;
    }
  }
}
function writeProperties(stream, properties, propertiesLength) {
  writeVarByteInt(stream, propertiesLength);
  for (const propName in properties) {
    if (Object.prototype.hasOwnProperty.call(properties, propName) && properties[propName] != null) {
      const value = properties[propName];
      if (Array.isArray(value)) {
        for (let valueIndex = 0; valueIndex < value.length; valueIndex++) {
          writeProperty(stream, propName, value[valueIndex]);
        }
      } else {
        writeProperty(stream, propName, value);
      }
    }
  }
}
function byteLength(bufOrString) {
  if (!bufOrString) return 0;
  else if (bufOrString instanceof Buffer) return bufOrString.length;
  else return Buffer.byteLength(bufOrString);
}
function isStringOrBuffer(field) {
  return typeof field === "string" || field instanceof Buffer;
}
const writeToStream_default = generate;
function generate2(packet, opts) {
  const stream = new Accumulator();
  writeToStream_default(packet, stream, opts);
  return stream.concat();
}
const Accumulator = class extends EventEmitter {
  constructor() {
    super();
    this._array = new Array(20);
    this._i = 0;
  }
  write(chunk) {
    this._array[this._i++] = chunk;
    return true;
  }
  concat() {
    let length = 0;
    const lengths = new Array(this._array.length);
    const list = this._array;
    let pos = 0;
    let i;
    for (i = 0; i < list.length && list[i] !== void 0; i++) {
      if (typeof list[i] !== "string") lengths[i] = list[i].length;
      else lengths[i] = Buffer.byteLength(list[i]);
      length += lengths[i];
    }
    const result = Buffer.allocUnsafe(length);
    for (i = 0; i < list.length && list[i] !== void 0; i++) {
      if (typeof list[i] !== "string") {
        list[i].copy(result, pos);
        pos += lengths[i];
      } else {
        result.write(list[i], pos);
        pos += lengths[i];
      }
    }
    return result;
  }
  destroy(err) {
    if (err) this.emit("error", err);
  }
};
const generate_default = generate2;
const parser = parser_default.parser;
export {
  generate_default as generate,
  parser
};
