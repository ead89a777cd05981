/** What is wrong with a policy document, with AWS's text, and where. */

export interface Position {
  /** From 1. */
  readonly line: number
  /** From 0, in UTF-16 units, as Access Analyzer and the policy simulator count. */
  readonly column: number
  /** From 0, in UTF-16 units from the start of the document. */
  readonly offset: number
}

/** The document cannot be saved: `MalformedPolicyDocument` to a customer of IAM. */
export class PolicyError extends Error {
  readonly line: number
  readonly column: number
  readonly offset: number

  constructor(message: string, at: Position) {
    super(message)
    this.name = 'PolicyError'
    this.line = at.line
    this.column = at.column
    this.offset = at.offset
  }
}
