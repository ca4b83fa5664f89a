/**
 * In place of signature/trust.ts, by manifest_without_signatures.json. A device that was given keys must not take
 * unsigned files, so it gets no agent.
 */
export const signatureCheck = (signingKeys: readonly string[]): undefined => {
  if (signingKeys.length > 0)
    throw new Error(
      "signingKeys: this firmware was built without signatures: give no keys, or leave out manifest_without_signatures.json",
    );
};
