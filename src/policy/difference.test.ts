/** Differences of policies: never silent about one that a request could feel, never sure of one that none could. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Context } from './context.ts'
import { decide } from './decide.ts'
import { type Change, Difference } from './difference.ts'
import type { CompiledPolicy } from './index.ts'
import { ACCOUNT, actions, compiled, contexts, holds, policy, resources, statements, USER } from './reach.fixture.ts'

const RUNS = { numRuns: 3_000 }

const changesOn = (changes: readonly Change[], resource: string) =>
  changes.filter(({ resources }) => resources.some((extent) => holds(extent, resource))).map(({ kind }) => kind)

const allowed = (identity: CompiledPolicy, action: string, resource: string, context: Context) =>
  decide(
    { principal: USER, action, resource, resourceAccount: ACCOUNT, context },
    { identity: [identity], resourceMode: 'optional' },
  ).allowed

test('A request that is decided otherwise is in a difference of that direction', () => {
  fc.assert(
    fc.property(
      policy('identity'),
      policy('identity'),
      actions,
      resources,
      contexts,
      (before, after, action, resource, values) => {
        fc.pre(action !== 'sts:GetCallerIdentity')
        const was = allowed(before, action, resource, new Context(values))
        const is = allowed(after, action, resource, new Context(values))
        const kinds = changesOn(new Difference(before, after).of(action), resource)

        if (is && !was) expect(kinds.some((kind) => /added|changed/.test(kind))).toBe(true)
        if (was && !is) expect(kinds.some((kind) => /removed|changed/.test(kind))).toBe(true)
      },
    ),
    RUNS,
  )
})

test('There is none between a policy and itself in another order', () => {
  fc.assert(
    fc.property(statements('identity'), actions, (each, action) => {
      const difference = new Difference(compiled('identity', each), compiled('identity', [...each].reverse()))

      expect(difference.of(action)).toEqual([])
    }),
    { numRuns: 500 },
  )
})

test('Whatever grows for sure shrinks for sure the other way round', () => {
  const turned = (kind: string) => kind.replace('added', '·').replace('removed', 'added').replace('·', 'removed')
  fc.assert(
    fc.property(policy('identity'), policy('identity'), actions, (before, after, action) => {
      const there = new Difference(before, after).of(action).map(({ kind }) => turned(kind))
      const back = new Difference(after, before).of(action).map(({ kind }) => kind as string)

      expect(back.sort()).toEqual(there.sort())
    }),
    { numRuns: 500 },
  )
})
