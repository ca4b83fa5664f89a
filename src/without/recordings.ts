/** In place of agent/recordings.ts, by manifest_without_recorder.json: nothing is recorded, as with `recorder: false`. */
export const recorderFor = (): undefined => undefined;

/** Of a recorder, which there never is. */
export const Recordings = undefined;
