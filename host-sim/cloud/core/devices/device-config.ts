/** What the device.json of a device says of the cloud. */

/** What of the cloud a device has to know. */
export interface Whereabouts {
  readonly brokerHost: string;
  /** 0 where there is no such listener. */
  readonly mqttPort: number;
  readonly mqttsPort: number;
  /** PEM that devices must trust, where there is TLS. */
  readonly root: string | undefined;
  /** Scheme, host and port of the proxy in front, if there is one. */
  readonly publicUrl: string | undefined;
  readonly tls: { readonly authority?: object } | undefined;
}

/**
 * The device.json of a device with that identity on its platform. `rootFile` names the file with the root, and asks for
 * TLS.
 */
export function deviceConfig(
  cloud: Whereabouts,
  brokerIsElsewhere: boolean,
  own: Readonly<Record<string, unknown>> = {},
  rootFile?: string,
): Record<string, unknown> {
  const { platform, ...identity } = own;
  const { brokerHost: host, mqttPort: plain, mqttsPort: secure } = cloud;
  const mqtt = mqttAddress({ host, plain, secure }, rootFile, brokerIsElsewhere);
  // A proxy in front has a certificate of its own, which our own authority did not issue.
  const proxied = cloud.publicUrl !== undefined && cloud.tls?.authority !== undefined;
  const https = cloud.root === undefined || rootFile === undefined || proxied ? {} : { https: { ca: rootFile } };
  return { platform, mqtt, ...https, ...identity };
}

/**
 * `mqtt` of a device.json. A broker elsewhere has one port; our own is asked for TLS by naming the file of its root.
 */
function mqttAddress(
  broker: { readonly host: string; readonly plain: number; readonly secure: number },
  rootFile: string | undefined,
  isElsewhere: boolean,
): Record<string, unknown> {
  const { host, plain, secure } = broker;
  const tls = isElsewhere ? secure > 0 : rootFile !== undefined;
  const ca = rootFile === undefined ? {} : { ca: rootFile };
  return tls ? { host, port: secure, tls, ...ca } : { host, port: plain, tls };
}
