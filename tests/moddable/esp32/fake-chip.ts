/** `slot`: 0 or 1; `reason`: esp_reset_reason_t. */
export const start = (flash: string, nvs: string, slot: number, reason: number): void =>
  fakeStart(flash, nvs, slot, reason);
/** "erase", "write" or "read". */
export const failNext = (operation: string): void => fakeFailNext(operation);

function fakeStart(this: void, flash: string, nvs: string, slot: number, reason: number): void {
  return native("xs_fake_chip_start").call(this, flash, nvs, slot, reason) as undefined;
}
function fakeFailNext(this: void, operation: string): void {
  return native("xs_fake_chip_failNext").call(this, operation) as undefined;
}
