/** The real programs that `npm run test:servers` looks for: how each is configured, started and asked for its version. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** What a program is given. */
export interface Setting {
  /** A folder of its own, for configuration and logs. */
  readonly home: string;
  /** Folder with the files to serve. */
  readonly files: string;
  readonly port: number;
  /** PEM files: the certificate with its issuer, and its key; of servers that speak TLS. */
  readonly certificate: string;
  readonly key: string;
}

export interface Program {
  readonly name: string;
  /** Commands that must be in PATH; the first one is run. */
  readonly commands: readonly string[];
  readonly version: readonly string[];
  /** Further files that must be there. */
  readonly needs?: readonly string[];
  /** Speaks TLS. */
  readonly tls?: true;
  /** Writes the configuration; returns the arguments. */
  readonly prepare: (setting: Setting) => readonly string[];
}

const write = (home: string, name: string, lines: readonly string[]): string => {
  const path = join(home, name);
  writeFileSync(path, `${lines.join("\n")}\n`);
  return path;
};

/* ---- nginx ---- */

const nginx = (setting: Setting, server: readonly string[], http: readonly string[] = []): readonly string[] => {
  const { home, files, port, certificate, key } = setting;
  const tls = server.includes("ssl") ? [`ssl_certificate ${certificate};`, `ssl_certificate_key ${key};`] : [];
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (kind) => `${kind}_temp_path ${home}/${kind};`,
  );
  const config = write(home, "nginx.conf", [
    "daemon off;",
    "master_process off;",
    `pid ${home}/pid;`,
    "error_log stderr crit;",
    "events {}",
    "http {",
    "access_log off;",
    ...temporary,
    ...http,
    "server {",
    `listen 127.0.0.1:${port}${tls.length > 0 ? " ssl" : ""};`,
    `root ${files};`,
    ...tls,
    ...server.filter((line) => line !== "ssl"),
    "}",
    "}",
  ]);
  return ["-p", home, "-e", "stderr", "-c", config];
};

const NGINX = { commands: ["nginx"], version: ["-v"] } as const;

/** nginx's limit_req without a burst; it answers 503 by itself. */
const limited = (rate: string, status: number): Program => ({
  ...NGINX,
  name: `nginx limit_req ${rate}, ${status}`,
  prepare: (setting) =>
    nginx(
      setting,
      ["limit_req zone=one;", `limit_req_status ${status};`],
      [`limit_req_zone $binary_remote_addr zone=one:1m rate=${rate};`],
    ),
});

/* ---- Apache ---- */

const MODULES = "/usr/lib/apache2/modules";
const apache = ({ home, files, port }: Setting, more: readonly string[]): readonly string[] => {
  const load = (name: string): string => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`;
  const config = write(home, "httpd.conf", [
    `ServerRoot ${home}`,
    "ServerName localhost",
    `PidFile ${home}/pid`,
    `ErrorLog ${home}/error.log`,
    `Listen 127.0.0.1:${port}`,
    // One process: mod_evasive counts in each on its own.
    ...["mpm_event", "authz_core"].map(load),
    "StartServers 1",
    "ServerLimit 1",
    "ThreadsPerChild 16",
    "MaxRequestWorkers 16",
    `DocumentRoot ${files}`,
    ...more,
  ]);
  return ["-D", "FOREGROUND", "-f", config];
};
const APACHE = { commands: ["apache2"], version: ["-v"], needs: [`${MODULES}/mod_mpm_event.so`] } as const;

/* ---- the lists ---- */

export const FILE_SERVERS: readonly Program[] = [
  { ...NGINX, name: "nginx", prepare: (setting) => nginx(setting, []) },
  { ...NGINX, name: "nginx, no ranges", prepare: (setting) => nginx(setting, ["max_ranges 0;"]) },
  { ...NGINX, name: "nginx, TLS", tls: true, prepare: (setting) => nginx(setting, ["ssl"]) },
  { ...APACHE, name: "Apache", prepare: (setting) => apache(setting, []) },
  {
    ...APACHE,
    name: "Apache, TLS",
    tls: true,
    prepare: (setting) =>
      apache(setting, [
        `LoadModule ssl_module ${MODULES}/mod_ssl.so`,
        "SSLEngine on",
        `SSLCertificateFile ${setting.certificate}`,
        `SSLCertificateKeyFile ${setting.key}`,
      ]),
  },
  {
    name: "lighttpd",
    commands: ["lighttpd"],
    version: ["-v"],
    prepare: ({ home, files, port }) => [
      "-D",
      "-f",
      write(home, "lighttpd.conf", [
        `server.document-root = "${files}"`,
        'server.bind = "127.0.0.1"',
        `server.port = ${port}`,
      ]),
    ],
  },
  {
    name: "Caddy",
    commands: ["caddy"],
    version: ["version"],
    prepare: ({ files, port }) => ["file-server", "--root", files, "--listen", `127.0.0.1:${port}`],
  },
  {
    name: "Caddy, TLS",
    commands: ["caddy"],
    version: ["version"],
    tls: true,
    prepare: ({ home, files, port, certificate, key }) => [
      "run",
      "--adapter",
      "caddyfile",
      "--config",
      write(home, "Caddyfile", [
        "{",
        "admin off",
        "auto_https off",
        "}",
        `https://localhost:${port} {`,
        "bind 127.0.0.1",
        `tls ${certificate} ${key}`,
        `root * ${files}`,
        "file_server",
        "}",
      ]),
    ],
  },
  {
    name: "Python http.server",
    commands: ["python3"],
    version: ["--version"],
    prepare: ({ files, port }) => ["-m", "http.server", "--bind", "127.0.0.1", "--directory", files, String(port)],
  },
  {
    name: "BusyBox httpd",
    commands: ["busybox"],
    version: ["--help"],
    prepare: ({ files, port }) => ["httpd", "-f", "-p", `127.0.0.1:${port}`, "-h", files],
  },
  {
    name: "webfsd",
    commands: ["webfsd"],
    version: ["-h"],
    prepare: ({ files, port }) => ["-F", "-4", "-i", "127.0.0.1", "-p", String(port), "-r", files],
  },
  {
    name: "openssl s_server, TLS",
    commands: ["openssl"],
    version: ["version"],
    tls: true,
    prepare: ({ port, certificate, key }) => [
      "s_server",
      "-accept",
      `127.0.0.1:${port}`,
      "-cert",
      certificate,
      "-cert_chain",
      certificate,
      "-key",
      key,
      "-WWW",
      "-quiet",
    ],
  },
];

export const LIMITERS: readonly Program[] = [
  limited("1r/s", 503),
  limited("1r/s", 429),
  limited("1r/s", 403),
  {
    ...APACHE,
    name: "Apache mod_evasive, 403",
    needs: [...APACHE.needs, `${MODULES}/mod_evasive20.so`],
    prepare: (setting) =>
      apache(setting, [
        `LoadModule evasive20_module ${MODULES}/mod_evasive20.so`,
        "DOSPageCount 2",
        "DOSPageInterval 1",
        "DOSSiteCount 50",
        "DOSSiteInterval 1",
        "DOSBlockingPeriod 10",
        `DOSLogDir ${setting.home}`,
      ]),
  },
];

export const BROKERS: readonly Program[] = [
  {
    name: "Mosquitto",
    commands: ["mosquitto"],
    version: ["-h"],
    prepare: ({ home, port }) => [
      "-c",
      write(home, "mosquitto.conf", [`listener ${port} 127.0.0.1`, "allow_anonymous true"]),
    ],
  },
];
