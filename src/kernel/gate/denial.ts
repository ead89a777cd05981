/** A refusal by policy: the fault the caller sees, and what decided, sealed for those who may read it. */
import { Fault } from '../../wire/fault.ts'
import type { DecisionRecord } from './decisions.ts'

export class Denial extends Fault {
  /** What `sts:DecodeAuthorizationMessage` gives back; never shown in clear. */
  readonly explanation: AuthorizationMessage
  readonly decided: DecisionRecord

  constructor(message: string, explanation: AuthorizationMessage, decided: DecisionRecord) {
    super('AccessDenied', message)
    this.explanation = explanation
    this.decided = decided
  }
}

/** Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html */
export interface AuthorizationMessage {
  readonly allowed: false
  readonly explicitDeny: boolean
  readonly matchedStatements: { readonly items: readonly MatchedStatement[] }
  readonly failures: { readonly items: readonly unknown[] }
  readonly context: {
    readonly principal: { readonly id: string; readonly name?: string; readonly arn: string }
    readonly action: string
    readonly resource: string
    readonly conditions: { readonly items: readonly { key: string; values: { items: readonly { value: string }[] } }[] }
  }
}

export interface MatchedStatement {
  readonly statementId: string
  readonly effect: 'DENY' | 'ALLOW'
  readonly sourcePolicyId: string
  readonly sourcePolicyType: string
}
