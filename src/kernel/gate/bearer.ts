/** The caller, as its token proves it. */
export interface Bearer<C> {
  /** Of the token: the call acts and is recorded there. */
  readonly account: string
  readonly region: string
  /** For the audit log, in CloudTrail's form of a user. */
  readonly identity: Readonly<Record<string, unknown>> & { readonly principalId: string; readonly userName?: string }
  /**
   * What was issued. Whether it is still valid (sign-out, deleted user) the handler reads from rows, in its unit.
   */
  readonly claims: C
}
