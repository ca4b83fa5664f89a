/** The earliest time at which this firmware can be running. */
import { latin1 } from "../../src/http/text";

/**
 * The sources are not older than this: 30 November 2026, ms since 1970. A constant, so that the same sources give the
 * same bytes; each release moves it.
 */
export const SOURCE_TIME = 1_795_996_800_000;

/** In the image: header and segment header, 32; then the app description with `time` at 80, `date` at 96 (esp_app_desc.h). */
const BUILD_TIME = 112;
const BUILD_DATE = 128;
const MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec";
/** The compiler writes local time, without its zone. */
const ZONES = 86_400_000;
/** A machine whose clock is wrong by more than this, ms, is not believed about when it built the firmware: 5 years. */
const BUILD_MAX = 157_788_000_000;

/**
 * ms since 1970: when the running firmware was built, or SOURCE_TIME. ESP-IDF stores the compiler's date, which is
 * SOURCE_DATE_EPOCH where that is set, and none with CONFIG_APP_REPRODUCIBLE_BUILD. `read`: the running image.
 */
export const earliestTime = (read: (offset: number, into: Uint8Array) => void): number => {
  const text = (offset: number, length: number): string => {
    const bytes = new Uint8Array(16);
    read(offset, bytes);
    return latin1(bytes, 0, length);
  };
  // "Nov  5 2026", "12:34:56"
  const date = text(BUILD_DATE, 11);
  const time = text(BUILD_TIME, 8);
  const built = Date.UTC(
    Number(date.slice(7)),
    MONTHS.indexOf(date.slice(0, 3)) / 3,
    Number(date.slice(4, 6)),
    Number(time.slice(0, 2)),
    Number(time.slice(3, 5)),
  );
  return built - ZONES > SOURCE_TIME && built < SOURCE_TIME + BUILD_MAX ? built - ZONES : SOURCE_TIME;
};
