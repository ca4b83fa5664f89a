/** The three dialects that a stock broker carries, as an operator pushes and reads them. */

/** Version that is pushed. */
export const NEW = "0.2.0";

/** What is the platform's own: the device's configuration, the push, and its reports. */
export interface Dialect {
  readonly name: string;
  readonly device: (port: number) => Record<string, unknown>;
  /** Topic at which an operator pushes, and what. */
  readonly push: (
    image: Image,
    url: string,
  ) => { readonly topic: string; readonly message: unknown; readonly qos: 0 | 1 };
  /** Where reports go. */
  readonly reports: string;
  /** What one report means. */
  readonly read: (message: Record<string, unknown>) => string;
  readonly last: string;
  readonly subscriptions: number;
}

export interface Image {
  readonly file: string;
  readonly size: number;
  readonly md5: string;
  readonly sha256: string;
}

const step = (message: Record<string, unknown>): string =>
  typeof message["step"] === "string"
    ? message["step"]
    : `version ${(message["params"] as { version?: string } | undefined)?.version}`;

export const DIALECTS: readonly Dialect[] = [
  {
    name: "ThingsPanel v0",
    device: (port) => ({
      platform: "thingspanel",
      profile: "v0",
      mqtt: { host: "127.0.0.1", port, tls: false },
      username: "token-123",
      password: "",
      clientId: "dev-1",
      deviceNumber: "dev-1",
      module: "MCU",
    }),
    push: ({ size, sha256 }, url) => ({
      topic: "ota/device/inform/token-123",
      qos: 0,
      message: {
        id: "147258369",
        code: 200,
        params: {
          version: NEW,
          size,
          url,
          signMethod: "Md5",
          sign: sha256,
          module: "MCU",
          extData: { key1: "value1" },
        },
      },
    }),
    reports: "ota/device/#",
    read: step,
    last: "100",
    subscriptions: 1,
  },
  {
    name: "ThingsPanel v1",
    device: (port) => ({
      platform: "thingspanel",
      profile: "v1",
      mqtt: { host: "127.0.0.1", port, tls: false },
      username: "user-7",
      password: "s3cr3t7",
      clientId: "dev-2",
      deviceNumber: "number-2",
    }),
    push: ({ size, md5 }, url) => ({
      topic: "ota/devices/infrom/number-2",
      qos: 1,
      message: {
        code: "200",
        id: "583920174",
        params: { extData: {}, module: null, sign: md5, signMethod: "MD5", size: String(size), url, version: NEW },
      },
    }),
    reports: "ota/devices/progress",
    read: step,
    last: "100",
    subscriptions: 2,
  },
  {
    name: "Tencent",
    device: (port) => ({
      platform: "tencent",
      mqtt: { host: "127.0.0.1", port, tls: false },
      auth_mode: "KEY",
      productId: "A1B2C3D4E5",
      deviceName: "ota-bench-01",
      key_deviceinfo: { deviceSecret: "3ZxkQmVyVGVzdFZlY3Rvcg==" },
    }),
    push: ({ size, md5 }, url) => ({
      topic: "$ota/update/A1B2C3D4E5/ota-bench-01",
      qos: 0,
      message: { file_size: size, md5sum: md5, type: "update_firmware", url, version: NEW },
    }),
    reports: "$ota/report/#",
    read: ({ type, report }) => {
      const { progress, version } = report as { progress?: { state: string; percent?: string }; version: string };
      return type === "report_version" ? `version ${version}` : (progress!.percent ?? progress!.state);
    },
    last: "done",
    subscriptions: 1,
  },
];
