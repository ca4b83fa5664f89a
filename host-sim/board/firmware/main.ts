/** The firmware of a simulated board, bundled to one script that lies in flash. */
import { PLATFORMS } from "../../../src/platforms/index";
import { runFirmware } from "./run";

runFirmware(PLATFORMS);
