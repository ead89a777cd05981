/** Values that are encrypted, and bound to the document they are stored in. */

/** Where a sealed value is stored. All of it is authenticated, length-prefixed, so a ciphertext cannot be moved. */
export interface SealContext {
  readonly table: string
  readonly key: string
  readonly column: string
  readonly account: string
  /** The document's own version of the value, e.g. an access key's id or a rotation counter. */
  readonly version?: string
}

/** Ciphertext as text (`mv1.…`), safe to store and to log. */
export type Sealed = string & { readonly __sealed: unique symbol }
