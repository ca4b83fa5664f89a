/** What the project takes for granted about the Moddable SDK. */
import type { Assumption } from "./assumption";
import { bodyOf, inOrder, plain } from "./c-source";

const ABORT = "xs/platforms/esp/xsPlatform.c";
const FAULTS = "hal/moddable/fault-record.ts";

export const MODDABLE_ASSUMPTIONS: readonly Assumption[] = [
  {
    sentence: "fxAbort calls the global abort(why, exception), and goes back to the program where that returns false",
    reliedOnBy: FAULTS,
    file: ABORT,
    holds: (source) =>
      inOrder(
        bodyOf(source, "fxAbort"),
        'fxFindName(the, "abort")',
        "fxCallID(the, abortID)",
        "mxPushStringC((char *)msg); mxPushSlot(exception);",
        "ignore = (XS_BOOLEAN_KIND == the->stack->kind) && !the->stack->value.boolean;",
        "if (ignore) return;",
      ),
    breaking: ["if (ignore)", "if (0)"],
  },
  {
    sentence:
      "fxAbort sets the exception to undefined, and reads its message after the hook: a hook that returns is called again",
    reliedOnBy: FAULTS,
    file: ABORT,
    holds: (source) =>
      inOrder(bodyOf(source, "fxAbort"), "mxException = xsUndefined;", "mxPush(mxException); mxGetID(mxID(_message));"),
    breaking: ["mxException = xsUndefined;", ""],
  },
  {
    sentence: "fxAbort calls no hook where a stack has overflowed: such a run ends without a text",
    reliedOnBy: FAULTS,
    file: ABORT,
    holds: (source) =>
      inOrder(
        bodyOf(source, "fxAbort"),
        "if ((XS_JAVASCRIPT_STACK_OVERFLOW_EXIT != status) && (XS_NATIVE_STACK_OVERFLOW_EXIT != status)",
        'fxFindName(the, "abort")',
      ),
    breaking: ["(XS_JAVASCRIPT_STACK_OVERFLOW_EXIT != status) &&", ""],
  },
  {
    sentence: 'the hook hears of a rejected promise as "unhandled rejection", of an exception as "unhandled exception"',
    reliedOnBy: FAULTS,
    file: "xs/sources/xsError.c",
    holds: (source) => inOrder(plain(source), '"unhandled exception"', '"unhandled rejection"'),
    breaking: ["unhandled rejection", "rejection"],
  },
  {
    sentence: "preference.set erases the old value before it writes the new one: a power cut loses both",
    reliedOnBy: "hal/esp32/store.c",
    file: "modules/files/preference/esp32/modPreference.c",
    holds: (source) => {
      const body = bodyOf(source, "xs_preference_set");
      const writes = body.match(/nvs_set_\w+\(/g) ?? [];
      const erased = body.match(/ERASE_KEY\(handle, key\); err = nvs_set_\w+\(/g) ?? [];
      return writes.length > 0 && erased.length === writes.length;
    },
    breaking: ["ERASE_KEY(handle, key);", ""],
  },
  {
    sentence: "the SDK's TCP appends to its list in lwIP's task and takes from it in XS's, without a lock",
    reliedOnBy: "hal/esp32/tcp/tcp_connection.c",
    file: "modules/io/socket/lwip/tcp.c",
    holds: (source) => {
      const [append, take] = [bodyOf(source, "tcpReceive"), bodyOf(source, "xs_tcp_read")];
      return (
        inOrder(append, "walker = walker->next") &&
        inOrder(take, "tcp->buffers = buffer->next;", "c_free(buffer);") &&
        ![append, take].some((body) => body.includes("builtinCriticalSection"))
      );
    },
    breaking: [
      "tcp->buffers = buffer->next;\n\t\t\t\ttcp_recved_safe",
      "builtinCriticalSectionBegin(); tcp->buffers = buffer->next;\n\t\t\t\ttcp_recved_safe",
    ],
  },
  {
    sentence: "app_main starts NVS before the task that runs JavaScript",
    reliedOnBy: "hal/esp32/store.c",
    file: "build/devices/esp32/lib/main/main.c",
    holds: (source) => inOrder(bodyOf(source, "app_main"), "nvs_flash_init()", "xTaskCreate(loop_task"),
    breaking: ["ESP_ERROR_CHECK(nvs_flash_init());", ""],
  },
  {
    sentence: "the task that runs JavaScript is under the task watchdog before any module of the app runs",
    reliedOnBy: "hal/esp32/sdkconfig/esp32/sdkconfig.defaults",
    file: "build/devices/esp32/lib/main/main.c",
    holds: (source) =>
      inOrder(
        bodyOf(source, "loop_task"),
        "#if CONFIG_ESP_TASK_WDT_EN esp_task_wdt_add(NULL); #endif",
        "modRunMachineSetup(gThe)",
      ),
    breaking: ["esp_task_wdt_add(NULL);", ""],
  },
  {
    sentence: "the run loop feeds the watchdog whenever it waits for messages, so an idle app lives",
    reliedOnBy: "hal/esp32/sdkconfig/esp32/sdkconfig.defaults",
    file: "xs/platforms/esp/xsHost.c",
    holds: (source) => (plain(source).match(/modWatchDogReset\(\)/g) ?? []).length >= 3,
    breaking: [/modWatchDogReset/g, "nothing"],
  },
  ...["esp32", "esp32c3", "esp32c6", "esp32s3"].map((chip): Assumption => ({
    sentence: `every app for ${chip} is built as the ESP-IDF project xs_esp32, so the app description names no product`,
    reliedOnBy: "src/image/firmware-block.ts",
    file: `build/devices/esp32/xsProj-${chip}/CMakeLists.txt`,
    holds: (source) => /^project\(xs_esp32\)$/m.test(source) && !/PROJECT_VER/.test(source),
    breaking: ["project(xs_esp32)", "project($ENV{APP_NAME})"],
  })),
  {
    sentence: "the SDK's settings for the classic ESP32 let the bootloader start a damaged image",
    reliedOnBy: "hal/esp32/sdkconfig/esp32/sdkconfig.defaults",
    file: "build/devices/esp32/xsProj-esp32/sdkconfig.defaults",
    holds: (source) => /^CONFIG_BOOTLOADER_SKIP_VALIDATE_ALWAYS=y$/m.test(source),
    breaking: ["CONFIG_BOOTLOADER_SKIP_VALIDATE_ALWAYS=y", ""],
  },
  {
    sentence: "mcconfig reads the build of a manifest before those of what it includes",
    reliedOnBy: "docs/ESP32.md",
    file: "tools/mcmanifest.js",
    holds: (source) =>
      inOrder(
        plain(source),
        "parseManifest(path, manifest) {",
        "this.parseBuild(manifest);",
        "this.includeManifest(include)",
      ),
    breaking: ["this.parseBuild(manifest);", ""],
  },
  {
    sentence: "mcconfig takes the partition table that PARTITIONS_FILE names, and looks for none beside the sdkconfig",
    reliedOnBy: "docs/ESP32.md",
    file: "tools/mcmanifest.js",
    holds: (source) =>
      inOrder(
        plain(source),
        "let PARTITIONS_FILE = tool.environment.PARTITIONS_FILE ?? tool.environment.PARTITIONS_FILE_FOR_TARGET;",
        "PARTITIONS_FILE = `${PROJ_DIR_TEMPLATE}/partitions.csv`",
        "tool.readFileString(PARTITIONS_FILE)",
      ),
    breaking: ["tool.environment.PARTITIONS_FILE ??", ""],
  },
];
