/**
 * What a sealer yields. A sealer is one way to open the root key; today there is the file beside the data
 * (`file-sealer.ts`). A passphrase, Shamir shares, PKCS#11 and another KMS will each be a file that yields the same.
 */
export interface Unsealed {
  /** 32 bytes. `openVault` wipes them once its own keys are derived. */
  readonly rootKey: Buffer
  /** Sets this installation apart from every other, also from one restored beside it. */
  readonly installId: string
  /** Whoever can read the disk can open this vault, so a server must refuse to listen beyond the machine. */
  readonly loopbackOnly: boolean
}
