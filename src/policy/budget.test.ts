/** Analyses of hostile policies end when their budget is spent; ordinary ones stay far below it. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { actionNames } from '../kernel/resource/policy-reference.ts'
import { type Analysis, analyze, Budget, BudgetError } from './index.ts'

const known = await actionNames()
const LETTERS = 'abcdefghijklmnopqrstuvwxyz'

const of = (Statement: readonly object[]) => JSON.stringify({ Version: '2012-10-17', Statement })
const entangled = (count: number, shift: number) =>
  of(
    Array.from({ length: count }, (_, i) => ({
      Effect: 'Allow',
      Action: `*:*${LETTERS[(i + shift) % 26]}*`,
      Resource: `arn:aws:s3:::*${LETTERS[i % 26]}*${LETTERS[(i + 3 + shift) % 26]}*`,
    })),
  )

/** Counts what an analysis would like to spend. */
class Meter extends Budget {
  spent = 0
  override spend(steps: number): void {
    this.spent += steps
    super.spend(steps)
  }
}

describe('An analysis', () => {
  test.each<[string, Analysis]>([
    [
      'new access between two small policies of overlapping wildcards',
      { question: 'new-access', kind: 'identity', existing: entangled(14, 0), changed: entangled(8, 5) },
    ],
    [
      'access within many resources',
      {
        question: 'access-granted',
        kind: 'identity',
        policy: entangled(20, 0),
        access: [{ resources: Array.from({ length: 100 }, (_, i) => `arn:aws:s3:::*${i}*${LETTERS[i % 26]}*`) }],
      },
    ],
    [
      'long lists of action patterns',
      {
        question: 'new-access',
        kind: 'identity',
        existing: of([{ Effect: 'Allow', Action: '*', Resource: '*' }]),
        changed: of([
          { Effect: 'Allow', NotAction: Array.from({ length: 9_000 }, (_, i) => `*:*${i}`), Resource: '*' },
        ]),
      },
    ],
  ])('of %s ends within its budget, and says so', (_, analysis) => {
    expect(analyze(analysis, known, new Budget(300_000))).toEqual({ tooComplex: true })
  })

  test('never spends more than one step of its innermost loop beyond the budget', () => {
    const letters = fc.stringMatching(/^[ab*?]{1,6}$/)
    const statements = fc.array(
      fc.record({
        Effect: fc.constantFrom('Allow', 'Deny'),
        Action: fc.array(
          fc.tuple(fc.constantFrom('s3', 'iam', '*'), letters).map((parts) => parts.join(':')),
          { minLength: 1, maxLength: 3 },
        ),
        Resource: fc.array(
          letters.map((text) => `arn:aws:s3:::${text}`),
          { minLength: 1, maxLength: 4 },
        ),
      }),
      { minLength: 1, maxLength: 6 },
    )
    const actions = known.filter((action) => /^(s3|iam):/.test(action))
    fc.assert(
      fc.property(statements, statements, (existing, changed) => {
        const meter = new Meter(2_000)
        const analysis = {
          question: 'new-access',
          kind: 'identity',
          existing: of(existing),
          changed: of(changed),
        } as const
        const result = analyze(analysis, actions, meter)
        expect('tooComplex' in result).toBe(meter.spent > 2_000)
        expect(meter.spent).toBeLessThan(4_000)
      }),
      { numRuns: 50 },
    )
  })

  test('of ordinary policies needs little', () => {
    const meter = new Meter(Number.POSITIVE_INFINITY)
    const existing = of([
      { Effect: 'Allow', Action: ['s3:Get*', 's3:List*'], Resource: ['arn:aws:s3:::b', 'arn:aws:s3:::b/*'] },
    ])
    const changed = of([
      { Effect: 'Allow', Action: ['s3:Get*', 's3:List*', 's3:PutObject'], Resource: 'arn:aws:s3:::b/*' },
      { Effect: 'Deny', Action: '*', Resource: 'arn:aws:s3:::b/secret/*' },
    ])
    analyze({ question: 'new-access', kind: 'identity', existing, changed }, known, meter)
    expect(meter.spent).toBeLessThan(400_000)
  })
})

test('a budget throws once everything is spent', () => {
  const budget = new Budget(10)
  budget.spend(10)
  expect(() => budget.spend(1)).toThrow(BudgetError)
})
