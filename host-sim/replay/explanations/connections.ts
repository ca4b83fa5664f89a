/** Connections to brokers, certificates, TLS and sockets. The texts are those of Node and of the chip. */
import type { Row } from "./row";

/** Connections to the broker. The hint is in the text, so the reason behind it does not matter. */
export const BROKER: readonly Row[] = [
  [
    "connack-1",
    /refused the connection, code 1/,
    "the broker does not speak MQTT 3.1.1: turn that on, or correct host and port",
  ],
  [
    "connack-2",
    /refused the connection, code 2/,
    "the broker refuses the client id: correct it in the device's settings, it may be too long",
  ],
  [
    "connack-3",
    /refused the connection, code 3/,
    "the broker is up but not in service: look at it, the device tries again by itself",
  ],
  [
    "connack-4",
    /refused the connection, code 4/,
    "the broker refuses user name or password: correct the device's secret, and look at the clock if credentials expire",
  ],
  [
    "connack-5",
    /refused the connection, code 5/,
    "the broker does not let this device in: enable it in the cloud, and let it connect",
  ],
  [
    "connack",
    /refused the connection, code \d+/,
    "the broker refuses the connection with a code that MQTT does not know: look into its log",
  ],
  [
    "subscription",
    /refused (the|every) subscription|SUBACK refused/,
    "the broker refuses the subscription, so no offer can arrive: permit the topic to the device",
  ],
  [
    "publish-refused",
    /closed the connection \d+ times at the publish/,
    "the broker closes the connection at that publish: permit its topic to the device, or look into the broker's log",
  ],
  [
    "before-connack",
    /closed before CONNACK/,
    "the broker closes before it accepts: correct client id and secret, and look into the broker's log",
  ],
  [
    "before-suback",
    /closed before SUBACK/,
    "the broker closes at the subscription: permit the topic to the device, and look into the broker's log",
  ],
  [
    "no-connack",
    /no CONNACK within/,
    "the broker takes connections and does not answer: look whether the port is MQTT's, and at its load",
  ],
  [
    "no-suback",
    /no SUBACK within/,
    "the broker does not answer the subscription: permit the topic to the device, and look at the broker's load",
  ],
  ["no-puback", /no PUBACK/, "the broker does not acknowledge: look at its permissions for publishing and at its load"],
  [
    "no-ping",
    /no answer to a ping/,
    "the line to the broker went silent: look at the device's signal, and at routers that forget connections",
  ],
  [
    "protocol",
    /malformed packet|protocol error/,
    "what answers at the broker's port breaks MQTT: look whether it is a broker, and at proxies between",
  ],
  ["not-json", /message ignored: not JSON/, "somebody publishes to the device's topic what is no JSON: look who does"],
  [
    "deep",
    /message ignored: nested deeper/,
    "somebody publishes JSON of too many levels to the device's topic: look who does",
  ],
  [
    "other-topic",
    /message ignored: another topic/,
    "the broker delivers messages of topics that were not asked for: look at its rules and bridges",
  ],
  [
    "ignored",
    /message ignored: /,
    "a message from the cloud was ignored, for the reason in the text: correct what the cloud sends",
  ],
  ["too-large", /message of \d+ bytes was skipped/, "a message to the device is too large: keep offers under 8 KiB"],
  [
    "taken-over",
    /connection lost soon after it was made/,
    "connections to the broker are lost soon: give each device a client id of its own, else look at signal and broker",
  ],
  ["lost", /connection lost: /, "the connection to the broker was lost: look at the device's signal if that goes on"],
];

/** Certificates, TLS and sockets, of broker and file server. */
export const TRANSPORT: readonly Row[] = [
  [
    "expired",
    /certificate has expired|certificate expired/,
    "the server's certificate has expired: renew it, or set the device's clock if that is wrong",
  ],
  [
    "early",
    /certificate is not yet valid/,
    "the server's certificate is not valid yet: set the clock of the device or of who issued it",
  ],
  [
    "host-name",
    /altnames|certificate is not for (?!a TLS)/,
    "the server's certificate is for another name: issue one for the name in the URL or setting, or correct that",
  ],
  [
    "untrusted",
    /self-signed certificate in certificate chain|unable to (get|verify)|no trusted|unknown issuer|not trusted|does not lead to/,
    "the server's certificate is of an authority that the device does not trust: give the device that root, or the server its whole chain",
  ],
  [
    "self-signed",
    /self-signed certificate/,
    "the server vouches for itself: give it a certificate of an authority that the device trusts",
  ],
  ["pinned", /pinned/, "the server's key is none of the pinned ones: pin its key, or find out who stands between"],
  ["certificate", /certificate/, "the server's certificate cannot be trusted, for the reason in the text: replace it"],
  [
    "tls-version",
    /alert protocol version|unsupported protocol|TLS 1\.2 refused/,
    "the server speaks no TLS that is safe: turn on TLS 1.2 or 1.3 there",
  ],
  [
    "plain",
    /wrong version number|not a TLS record/,
    "the server answers in plain text at a port for TLS: correct the port, or turn TLS on there",
  ],
  [
    "clock",
    /clock is not set/,
    "the device's clock is not set, so TLS cannot verify anything: look at its time server",
  ],
  ["tls", /\bTLS\b/, "no TLS session comes about, for the reason in the text: look at the server's TLS settings"],
  [
    "dns",
    /no such name|not found$|ENOTFOUND|EAI_AGAIN|not a host name|no DNS server/,
    "DNS does not know the server's name: correct the name, or the device's DNS",
  ],
  ["refused", /refused$|ECONNREFUSED/, "nobody listens at that port: start the server, or correct host and port"],
  [
    "reset",
    /reset|ECONNRESET|EPIPE|closed by the server|no connection$/,
    "connections break in the middle: look at the device's signal, and at the server and proxies between",
  ],
];
