/** The simulated chip touches no file by itself: it is handed one. */
function absent() {
  throw new Error("no file system here");
}

export {
  absent as closeSync,
  absent as fstatSync,
  absent as openSync,
  absent as readFileSync,
  absent as readSync,
  absent as writeSync,
};
