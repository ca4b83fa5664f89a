/** The firmware of a simulated board whose list of platforms is the two of this repository and the third cloud. */
import { runFirmware } from "../../../host-sim/board/firmware/run";
import { PLATFORMS } from "../../../src/platforms/index";
import { third } from "./dialect";

runFirmware([...PLATFORMS, third]);
