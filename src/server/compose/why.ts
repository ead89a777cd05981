/** Why a recorded call was allowed or refused: what the event records, and what every layer decides today. */
import type { RecordedCall, Replayed } from '../../kernel/gate/replay.ts'
import type { MatchedStatement } from '../../policy/index.ts'
import { VaultError } from '../../vault/vault.ts'
import type { Cloud } from './cloud.ts'

export interface ExplainedStatement {
  readonly policy: string
  /** Its Sid, or its place from 1. */
  readonly statement: string
  readonly effect: 'Allow' | 'Deny'
}

export interface Why {
  readonly event: Pick<
    RecordedCall,
    'eventID' | 'eventTime' | 'eventSource' | 'eventName' | 'errorCode' | 'errorMessage'
  >
  readonly principal: string
  readonly decisions: readonly {
    readonly recorded: Replayed['recorded']
    readonly today?: {
      readonly allowed: boolean
      readonly explicit: boolean
      readonly layer: string
      readonly by?: ExplainedStatement
      /** In the order of evaluation. */
      readonly layers: readonly {
        readonly layer: string
        readonly outcome: string
        readonly statements: readonly ExplainedStatement[]
      }[]
      /** Condition keys that statements test and whose values are no longer known. */
      readonly missing: readonly string[]
    }
    readonly notes: readonly string[]
  }[]
}

/** Throws when no event has that id. */
export async function why({ store, gate }: Pick<Cloud, 'store' | 'gate'>, id: string): Promise<Why> {
  const event = await eventOf(store, id)
  if (!event) throw new VaultError(`there is no event ${id}`)
  const { eventID, eventTime, eventSource, eventName, errorCode, errorMessage, userIdentity } = event
  return {
    event: {
      eventID,
      eventTime,
      eventSource,
      eventName,
      ...(errorCode !== undefined && { errorCode }),
      ...(errorMessage !== undefined && { errorMessage }),
    },
    principal: userIdentity.arn ?? userIdentity.invokedBy ?? userIdentity.principalId ?? 'unknown',
    decisions: (await gate.replay(event)).map(({ recorded, now, notes }) => ({
      recorded,
      ...(now && {
        today: {
          allowed: now.allowed,
          explicit: now.explicit,
          layer: now.layer,
          ...(now.statement && { by: explainedStatement(now.statement) }),
          layers: now.layers.map(({ layer, outcome, statements }) => ({
            layer,
            outcome,
            statements: statements.map(explainedStatement),
          })),
          missing: now.missing,
        },
      }),
      notes,
    })),
  }
}

const explainedStatement = ({ policy, sid, index, effect }: MatchedStatement): ExplainedStatement => ({
  policy: policy.arn ?? policy.id,
  statement: sid || `#${index + 1}`,
  effect,
})

/** Ids are indexed by account and Region: each chain is one of either. */
async function eventOf(store: Cloud['store'], id: string): Promise<RecordedCall | undefined> {
  const places = new Map(
    (await store.heads()).map(({ account, region }) => [`${account} ${region}`, { account, region }]),
  )
  for (const place of places.values()) {
    const [entry] = await store.log({ ...place, attribute: ['EventId', id], limit: 1 })
    if (entry) return JSON.parse(entry.body) as RecordedCall
  }
  return undefined
}
