/** fake-chip.c, which starts and disturbs the fakes of ESP-IDF. */
export class FakeChip {
  /** `slot`: 0 or 1; `reason`: esp_reset_reason_t. */
  static start(flash: string, nvs: string, slot: number, reason: number): void {
    native("xs_fake_chip_start").call(this, flash, nvs, slot, reason);
  }

  /** "erase", "write" or "read". */
  static failNext(operation: string): void {
    native("xs_fake_chip_failNext").call(this, operation);
  }
}
