/** Permission checks of a call: the facts are gathered, one decision is made, and it becomes part of the event. */
import { header } from '../../wire/http.ts'
import type { EventDraft } from '../events/event.ts'
import type { OrganizationPort } from '../ports/organizations.ts'
import { type AuthorizationRequest, type AuthorizeFacts, authorize } from './authorize.ts'
import { Denial } from './denial.ts'
import { accountOf, type OperationCall, type RequestInfo } from './invocation.ts'

export interface DecisionOptions {
  readonly organizations: () => OrganizationPort
  readonly exemptFromRcps: ReadonlySet<string>
  /** Called when policies could not be evaluated and the request was denied for that reason. */
  readonly onDecisionError?: ((error: unknown, requestId: string) => void) | undefined
}

export class DecisionMaker {
  readonly #options: DecisionOptions

  constructor(options: DecisionOptions) {
    this.#options = options
  }

  /** Throws the denial. */
  async authorize(
    arrival: RequestInfo,
    invocation: Pick<OperationCall, 'via'>,
    draft: Pick<EventDraft, 'decided'>,
    check: AuthorizationRequest,
  ): Promise<void> {
    try {
      draft.decided.push(authorize(check, await this.facts(arrival, invocation, check)))
    } catch (error) {
      if (error instanceof Denial) {
        draft.decided.push(error.decided)
        const cause = error.decided.decision.error
        if (cause !== undefined) this.#options.onDecisionError?.(cause, arrival.requestId)
      }
      throw error
    }
  }

  async facts(
    arrival: RequestInfo,
    invocation: Pick<OperationCall, 'via'>,
    check: AuthorizationRequest,
  ): Promise<AuthorizeFacts> {
    const { authenticated, request, now } = arrival
    const { standing, acting } = authenticated
    const organizations = this.#options.organizations()
    const owner = check.acted?.account ?? accountOf(authenticated)
    // A service has no account, so no organization: neither that of the account it acts for nor, there, an exemption
    // from the owner's RCPs.
    const isCallers = acting === undefined && owner === accountOf(authenticated)
    const ownerStanding = isCallers ? standing : await organizations.standing(owner)
    const sourceStanding = acting && (await organizations.standing(acting.account))
    return {
      caller: authenticated.caller,
      identity: authenticated.identity,
      sessionPolicies: authenticated.sessionPolicies,
      region: authenticated.region,
      standing,
      ownerStanding,
      sourceStanding,
      now,
      sourceAddress: request.remoteAddress,
      secure: request.secure,
      userAgent: header(request, 'user-agent'),
      referer: header(request, 'referer'),
      via: invocation.via,
      acting,
      exemptFromRcps: this.#options.exemptFromRcps,
    }
  }
}
