/** mqtt-packet defers the uncorking of Node's streams by this. No stream here corks, so there is nothing to put off. */
export function nextTick(callback, ...values) {
  callback(...values);
}
