import { Type } from "typebox";
import { FAULTS, firmwareSource, type Fault } from "../../../board/firmware/bundle";
import { buildImage } from "../../../../hal/model-chip/build-image";
import type { Package } from "../../core/packages";
import { PACKAGE_MAX } from "../../core/package-intake";
import { isOver } from "../../core/rollouts/rollout";
import { limited } from "../body";
import type { Desk } from "../desk";
import { ApiError, found, route, type Route } from "../route";
import { PackageView, SampleRequest, UploadQuery } from "../schemas";
import { packageView } from "../views";

/** Uploads at a time. */
const UPLOADS_MAX = 4;

export function packageRoutes({ cloud, events }: Desk): Route[] {
  let uploads = 0;
  const added = (file: Package): ReturnType<typeof packageView> => {
    events.changed("packages", file.id);
    return packageView(cloud, file);
  };
  return [
    route({
      method: "GET",
      path: "/packages",
      summary: "All packages, newest first",
      status: 200,
      result: Type.Object({ items: Type.Array(PackageView) }, { additionalProperties: false }),
      handle: () => ({
        items: cloud.packages
          .list()
          .reverse()
          .map((file) => packageView(cloud, file)),
      }),
    }),
    route({
      method: "POST",
      path: "/packages",
      summary: "Adds a firmware file: its bytes are the body",
      query: UploadQuery,
      body: "bytes",
      status: 201,
      result: PackageView,
      errors: [413, 422],
      handle: async ({ query, request }) => {
        if (!/^application\/octet-stream$/i.test(request.headers["content-type"] ?? ""))
          throw new ApiError(415, "the body is to be application/octet-stream");
        if (uploads >= UPLOADS_MAX) throw new ApiError(503, `${UPLOADS_MAX} uploads are under way`);
        uploads++;
        const intake = await cloud.packages.receive();
        try {
          for await (const part of limited(request, PACKAGE_MAX)) await intake.write(part);
          return added(await cloud.packages.keep(intake, query));
        } catch (error) {
          await intake.abort();
          throw error;
        } finally {
          uploads--;
        }
      },
    }),
    route({
      method: "POST",
      path: "/packages/samples",
      summary: "Makes an image for simulated boards, good or with a fault",
      body: SampleRequest,
      status: 201,
      result: PackageView,
      errors: [422],
      handle: async ({ body: { version, size, fault } }) => added(await addSample(cloud, version, fault, size)),
    }),
    route({
      method: "GET",
      path: "/packages/{id}",
      summary: "One package",
      status: 200,
      result: PackageView,
      errors: [404],
      handle: ({ params }) => packageView(cloud, found(cloud.packages.get(params["id"]!), "package")),
    }),
    route({
      method: "DELETE",
      path: "/packages/{id}",
      summary: "Removes a package that no rollout needs any more",
      status: 204,
      errors: [404, 422],
      handle: async ({ params }) => {
        const { id } = found(cloud.packages.get(params["id"]!), "package");
        const user = cloud.rollouts.list().find((rollout) => rollout.package === id && !isOver(rollout));
        if (user) throw new ApiError(422, `the rollout "${user.name}" needs it`);
        await cloud.packages.remove(id);
        events.changed("packages", id);
      },
    }),
  ];
}

/** Throws one line, for a size that is too small for one. */
export async function addSample(cloud: Desk["cloud"], version: string, fault?: Fault, size?: number): Promise<Package> {
  if (fault !== undefined && !FAULTS.includes(fault)) throw new Error(`no fault ${fault}`);
  const payload = Buffer.from(await firmwareSource(version, fault));
  const image = buildImage({ version, payload, ...(size === undefined ? {} : { size }) });
  return cloud.packages.add(image, {
    name: fault === undefined || version.endsWith(fault) ? `sample-${version}.bin` : `sample-${version}-${fault}.bin`,
  });
}
