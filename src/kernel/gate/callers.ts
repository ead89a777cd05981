/** Calls that code makes instead of a client: as a service principal, or as a signed-in person. */
import { randomUUID } from 'node:crypto'
import { Fault } from '../../wire/fault.ts'
import { newDraft } from '../events/event.ts'
import type { ResourceFacts } from '../resource/facts.ts'
import type { Clock } from '../state/clock.ts'
import { type Authenticator, anonymousCaller, serviceCaller } from './authenticate.ts'
import type { DecisionMaker } from './decision-maker.ts'
import { draftOf, type RequestInfo } from './invocation.ts'
import type { Recorder } from './recorder.ts'
import type { Registry } from './registry.ts'
import type { Runner } from './runner.ts'
import type { ActAs, AuthorizeAs, CallAs, CallAsRoot, ServiceCaller } from './service-caller.ts'
import type { Session, Subject } from './session.ts'
import { type Attempt, newAttempt } from './transaction.ts'

interface Stages {
  readonly clock: Clock
  readonly registry: Registry
  readonly decisions: DecisionMaker
  readonly recorder: Recorder
  readonly runner: Runner
  readonly authenticator: Authenticator
}

/** What the audit log shows of a call that came over no network. */
const OPERATOR: RequestInfo['request'] = {
  remoteAddress: 'merlon.local',
  secure: true,
  rawHeaders: ['User-Agent', 'merlon.local'],
}

/** `api` and `name` are typed by the signatures of `Act` and `CallAs`; the registry is not. */
export function callers({ clock, registry, decisions, recorder, runner, authenticator }: Stages): {
  readonly actAs: ActAs
  readonly callAs: CallAs
  readonly callAsRoot: CallAsRoot
  readonly authorizeAs: AuthorizeAs
} {
  return {
    actAs: async (acting, api, name, input) => {
      const invocation = await registry.invocation(api, name, input as object, [])
      const now = clock.now()
      const arrival: RequestInfo = {
        ...(invocation.operation.unsigned && acting.client
          ? {
              request: requestOf(acting.client),
              authenticated: { ...anonymousCaller({ body: Buffer.alloc(0) }), region: acting.region },
            }
          : {
              request: { remoteAddress: acting.service, secure: true, rawHeaders: ['User-Agent', acting.service] },
              authenticated: acting.role
                ? await authenticator.resume(sessionOf(acting, acting.role, now), '', acting.region, now)
                : serviceCaller(acting),
            }),
        requestId: randomUUID(),
        now,
        done: [],
      }
      // biome-ignore lint/suspicious/noExplicitAny: see above.
      return (await runner.transact(arrival, invocation)) as any
    },
    callAs: async (from, api, name, input) => {
      const { session, accessKeyId, region, request, now, unit, effects, done } = from
      const authenticated = await authenticator.resume(session, accessKeyId, region, now)
      const arrival: RequestInfo = { request, authenticated, requestId: randomUUID(), now, done }
      const attempt: Attempt = { ...newAttempt(draftOf(arrival)), effects }
      const invocation = await registry.invocation(api, name, input as object, [])
      try {
        // biome-ignore lint/suspicious/noExplicitAny: see above.
        return (await runner.perform(unit, arrival, invocation, attempt)) as any
      } catch (error) {
        if (error instanceof Fault) recorder.record(unit, arrival, invocation, attempt.draft, undefined, error)
        throw error
      } finally {
        for (const record of attempt.refused) record(unit)
      }
    },
    callAsRoot: async ({ account, region, chosenId }, api, name, input) => {
      const invocation = await registry.invocation(api, name, input as object, [])
      const arrival: RequestInfo = {
        request: OPERATOR,
        authenticated: await authenticator.root(account, region),
        requestId: randomUUID(),
        now: clock.now(),
        done: [],
        chosenId,
      }
      // biome-ignore lint/suspicious/noExplicitAny: see above.
      return (await runner.transact(arrival, invocation)) as any
    },
    authorizeAs: async ({ session, accessKeyId, region, request, now }, action, arn) => {
      const authenticated = await authenticator.resume(session, accessKeyId, region, now)
      const arrival: RequestInfo = { request, authenticated, requestId: randomUUID(), now, done: [] }
      const acted: ResourceFacts = { arn, type: '', account: session.account }
      await decisions.authorize(arrival, { via: [] }, newDraft(now), {
        action,
        acted,
        input: undefined,
        conditions: {},
      })
    },
  }
}

/** Of one call: it is never issued as credentials. */
const sessionOf = ({ account }: ServiceCaller, subject: Subject, now: number): Session => ({
  account,
  subject,
  issuedAt: now,
  expiresAt: now + 60_000,
})

/** The request of a client, as far as a service that forwards it passes it on. */
function requestOf({
  remoteAddress,
  userAgent,
  isSecure,
}: NonNullable<ServiceCaller['client']>): RequestInfo['request'] {
  return { remoteAddress, secure: isSecure, rawHeaders: ['User-Agent', userAgent] }
}
