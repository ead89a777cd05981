/**
 * Where the two engines differ by rule. Each rule rewrites a case into the peer's reading of it; a difference is
 * explained when our engine decides that case as the peer did. Why we keep our result:
 * docs/decisions/0004-oracle-differences.md.
 */
import type { Case, Document } from './cases.ts'

export interface Rule {
  readonly name: string
  /** The case as the peer reads it; the case itself where the rule does not bear on it. */
  readonly rewrite: (one: Case) => Case
}

type Statement = Readonly<Record<string, unknown>>

/** Changes statements everywhere in a case; what becomes undefined goes. */
function everywhere(one: Case, change: (statement: Statement) => Statement | undefined): Case {
  const inside = ({ Statement: all, ...rest }: Document): Document => ({
    ...rest,
    Statement: all.map((each) => change(each as Statement)).filter((each) => each !== undefined),
  })
  const perhaps = (document: Document | undefined) => document && inside(document)
  return {
    ...one,
    identity: one.identity.map(inside),
    boundary: perhaps(one.boundary),
    session: perhaps(one.session),
    resourcePolicy: perhaps(one.resourcePolicy),
    scps: one.scps.map(inside),
    rcps: one.rcps.map(inside),
    ...(one.rootIsLimited && { rootIsLimited: inside(one.rootIsLimited) }),
  }
}

const listOf = (value: unknown): readonly string[] => (Array.isArray(value) ? value : [value]) as readonly string[]

export const RULES: readonly Rule[] = [
  {
    name: 'the root user needs no identity policy',
    rewrite: (one) => {
      if (!one.principal.endsWith(':root')) return one
      // What narrows root is its boundary's place: the same statements, as a limit instead of a gift.
      const Statement = one.identity.flatMap(({ Statement: all }) => all)
      return { ...one, rootIsLimited: { Version: '2012-10-17', Statement } }
    },
  },
  {
    name: 'a variable without a value in the NotResource of an Allow grants nothing',
    rewrite: (one) =>
      everywhere(one, (statement) => {
        const { Effect, NotResource, ...rest } = statement
        if (Effect !== 'Allow' || NotResource === undefined || 'aws:username' in one.context) return statement
        const kept = listOf(NotResource).filter((text) => !text.includes('${aws:username}'))
        return kept.length > 0 ? { Effect, NotResource: kept, ...rest } : { Effect, Resource: '*', ...rest }
      }),
  },
  {
    name: 'a variable without a value in the NotResource of a Deny spares nothing',
    rewrite: (one) =>
      everywhere(one, (statement) => {
        const { Effect, NotResource } = statement
        if (Effect !== 'Deny' || NotResource === undefined || 'aws:username' in one.context) return statement
        return listOf(NotResource).some((text) => text.includes('${aws:username}')) ? undefined : statement
      }),
  },
  {
    name: 'a Deny whose condition has a variable without a value denies',
    rewrite: (one) =>
      everywhere(one, (statement) => {
        const asks = JSON.stringify(statement['Condition'] ?? {}).includes('${aws:username}')
        return statement['Effect'] === 'Deny' && asks && !('aws:username' in one.context) ? undefined : statement
      }),
  },
  {
    name: 'an IPv6 address is outside every IPv4 range',
    rewrite: (one) => {
      if (!`${one.context['aws:SourceIp'] ?? ''}`.includes(':')) return one
      return everywhere(one, (statement) => {
        const condition = statement['Condition'] as Readonly<Record<string, Record<string, unknown>>> | undefined
        const fails = Object.entries(condition ?? {}).some(
          ([operator, keys]) =>
            operator.startsWith('NotIpAddress') && listOf(keys['aws:SourceIp']).some((range) => !range.includes(':')),
        )
        return fails ? undefined : statement
      })
    },
  },
]
