import type { IncomingMessage } from "node:http";
import type { Static } from "typebox";
import { FAULTS, type Fault } from "../../../board/firmware/bundle";
import { sampleImage } from "../../../board/firmware/sample-image";
import type { Cloud } from "../../core/cloud";
import type { Package } from "../../core/files/packages";
import { PACKAGE_MAX } from "../../core/files/package-writer";
import { isOver } from "../../core/rollouts/rollout";
import { limited } from "../body";
import type { ApiContext } from "../context";
import { ApiError, found } from "../errors";
import type { ApiRoutes } from "../typed-routes";
import { Done, IdParams } from "../schemas/common";
import {
  ContainerMade,
  ContainerRequest,
  PackageList,
  PackageView,
  SampleRequest,
  UploadQuery,
} from "../schemas/packages";
import { packageView } from "../views";

/** Uploads at a time. */
const UPLOADS_MAX = 4;

export function packageRoutes(api: ApiRoutes, context: ApiContext): void {
  const { cloud, events } = context;
  let uploads = 0;
  const added = (file: Package): ReturnType<typeof packageView> => {
    events.changed("packages", file.id);
    makeContainer(context, file);
    return packageView(cloud, file);
  };
  api.route({
    method: "GET",
    url: "/packages",
    schema: {
      summary: "All packages, newest first",
      response: { 200: PackageList },
    },
    handler: () => ({
      items: cloud.packages
        .list()
        .reverse()
        .map((file) => packageView(cloud, file)),
    }),
  });
  api.route({
    method: "POST",
    url: "/packages",
    config: { upload: "application/octet-stream", errors: [413, 422, 507] },
    schema: {
      summary: "Adds a firmware file: its bytes are the body",
      querystring: UploadQuery,
      response: { 201: PackageView },
    },
    handler: async ({ query, raw }) => {
      if (uploads >= UPLOADS_MAX) throw new ApiError(503, `${UPLOADS_MAX} uploads are under way`);
      uploads++;
      try {
        return added(await receive(cloud, raw, query));
      } finally {
        uploads--;
      }
    },
  });
  api.route({
    method: "POST",
    url: "/packages/samples",
    config: { errors: [422, 507] },
    schema: {
      summary: "Makes an image for simulated boards, good or with a fault",
      body: SampleRequest,
      response: { 201: PackageView },
    },
    handler: async ({ body: { version, size, fault } }) => added(await addSample(cloud, version, fault, size)),
  });
}

/** In the background, where there are older packages of the product. */
function makeContainer({ cloud, containers, deltas, events, journal, now }: ApiContext, file: Package): void {
  const known = cloud.packages.list().some(({ container }) => container?.sha256 === file.sha256);
  if (deltas === 0 || file.container !== undefined || known || containers.olderThan(file).length === 0) return;
  containers.make(file, deltas).then(
    (made) => events.changed("packages", made.file.id),
    (error: Error) =>
      journal.add({ at: now(), who: "cloud", what: `no container of ${file.version}: ${error.message}` }),
  );
}

/** One package. */
export function onePackageRoutes(api: ApiRoutes, { cloud, containers, events }: ApiContext): void {
  api.route({
    method: "GET",
    url: "/packages/:id",
    config: { errors: [404] },
    schema: {
      summary: "One package",
      params: IdParams,
      response: { 200: PackageView },
    },
    handler: ({ params }) => packageView(cloud, found(cloud.packages.get(params.id), "package")),
  });
  api.route({
    method: "POST",
    url: "/packages/:id/container",
    config: { errors: [404, 422, 507] },
    schema: {
      summary: "Makes a container of an image: patches from older packages of its product, and the image compressed",
      params: IdParams,
      body: ContainerRequest,
      response: { 201: ContainerMade },
    },
    handler: async ({ params, body: { older } }) => {
      const { file, left } = await containers.make(found(cloud.packages.get(params.id), "package"), older);
      events.changed("packages", file.id);
      return { package: packageView(cloud, file), left: [...left] };
    },
  });
  api.route({
    method: "DELETE",
    url: "/packages/:id",
    config: { errors: [404, 422] },
    schema: {
      summary: "Removes a package that no rollout needs any more",
      params: IdParams,
      response: { 204: Done },
    },
    handler: async ({ params }) => {
      const { id } = found(cloud.packages.get(params.id), "package");
      const user = cloud.rollouts.list().find((rollout) => rollout.package === id && !isOver(rollout));
      if (user) throw new ApiError(422, `the rollout "${user.name}" needs it`);
      await cloud.packages.remove(id);
      events.changed("packages", id);
    },
  });
}

/** Streams a firmware file into the store. Rejects with one line; nothing of the file stays then. */
async function receive(cloud: Cloud, request: IncomingMessage, query: Static<typeof UploadQuery>): Promise<Package> {
  const writer = await cloud.packages.receive();
  try {
    for await (const part of limited(request, PACKAGE_MAX)) await writer.write(part);
    return await cloud.packages.keep(writer, query);
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

/** Throws one line, for a size that is too small for one. */
export async function addSample(cloud: Cloud, version: string, fault?: Fault, size?: number): Promise<Package> {
  if (fault !== undefined && !FAULTS.includes(fault)) throw new Error(`no fault ${fault}`);
  const image = await sampleImage(version, fault, size);
  return cloud.packages.add(image, {
    name: fault === undefined || version.endsWith(fault) ? `sample-${version}.bin` : `sample-${version}-${fault}.bin`,
  });
}
