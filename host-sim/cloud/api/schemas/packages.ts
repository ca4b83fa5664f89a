import { Type } from "typebox";
import { Served, strict, Text, Time } from "./common";

export const PackageView = Type.Object(
  {
    id: Type.String({ pattern: "^[0-9a-f]{16}$" }),
    name: Type.String(),
    version: Type.String({ description: "what devices are told" }),
    imageVersion: Type.Optional(Type.String({ description: "what the image says of itself" })),
    project: Type.Optional(
      Type.String({ description: "product from the firmware block, else the project name of the app description" }),
    ),
    chip: Type.Optional(Type.Integer({ description: "esp_chip_id_t: 0 ESP32, 5 C3, 9 S3, 13 C6" })),
    problem: Type.Optional(
      Type.String({
        description: "why a bootloader would not start it, or what it is in place of an application image",
      }),
    ),
    container: Type.Optional(
      Type.Object(
        {
          image: Type.Integer({ description: "bytes of the file that it makes" }),
          package: Type.Optional(Type.String({ description: "the package with that file" })),
          parts: Type.Array(
            Type.Object(
              {
                from: Type.Optional(Type.String({ description: "version of the older image; absent: it needs none" })),
                size: Type.Integer({ description: "bytes" }),
              },
              strict,
            ),
          ),
        },
        { ...strict, description: "deltas from older images, and the whole of the new one compressed" },
      ),
    ),
    signature: Type.Enum(["none", "signed", "broken"], {
      description: "as far as the file tells; whether its key is trusted, each device decides",
    }),
    signer: Type.Optional(Type.String({ description: "first bytes of the key's SHA-256, in hex" })),
    size: Type.Integer(),
    md5: Type.String(),
    sha256: Type.String(),
    addedAt: Time("when it was added"),
    served: Served,
  },
  strict,
);

export const PackageList = Type.Object({ items: Type.Array(PackageView) }, strict);

export const UploadQuery = Type.Object(
  {
    name: Type.Optional(Text(128, "of the file; for people")),
    version: Type.Optional(Text(36, "default: what the image says of itself")),
  },
  strict,
);

export const ContainerRequest = Type.Object(
  {
    older: Type.Integer({ minimum: 1, maximum: 31, description: "packages to make patches from, the newest ones" }),
  },
  strict,
);

export const ContainerMade = Type.Object(
  {
    package: PackageView,
    left: Type.Array(Type.String(), { description: "older packages without a patch, each with the reason" }),
  },
  strict,
);

export const SampleRequest = Type.Object(
  {
    version: Type.String({ pattern: "^[0-9A-Za-z][0-9A-Za-z.+_-]{0,30}$" }),
    size: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 16 * 1024 * 1024, description: "exact length of the file in bytes" }),
    ),
    fault: Type.Optional(Type.Enum(["throw", "hang", "offline"])),
  },
  { ...strict, description: "an image that simulated boards boot" },
);
