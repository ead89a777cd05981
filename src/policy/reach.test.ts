import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Budget } from './budget.ts'
import { globCodes, globMatches } from './glob.ts'
import { Context, decide, type Layers } from './index.ts'
import {
  ACCOUNT,
  actions,
  compiled,
  contexts,
  holds,
  pick,
  policy,
  principal,
  resources,
  USER,
} from './reach.fixture.ts'
import { type Access, Reach } from './reach.ts'
import { Known } from './reach-known.ts'
import { regionsOf } from './reach-regions.ts'

const RUNS = { numRuns: 3000 }
const accessTo = (found: readonly Access[], resource: string) =>
  found.filter(({ resources: extents }) => extents.some((extent) => holds(extent, resource)))

const reach = (statements: readonly object[], known = new Known(new Context())) =>
  new Reach({
    principal: USER,
    layers: { identity: [compiled('identity', statements)], resourceMode: 'optional' },
    known,
    resourceAccount: ACCOUNT,
  })

describe('regions', () => {
  const letters = fc.stringMatching(/^[ab:*?]{0,6}$/)

  test('agree with the matcher on every text', () => {
    fc.assert(
      fc.property(fc.array(letters, { maxLength: 4 }), fc.stringMatching(/^[abc:]{0,8}$/), (texts, text) => {
        const patterns = texts.map(globCodes)
        const regions = regionsOf(patterns, [globCodes('*')])!

        const inside = new Set(patterns.flatMap((pattern, i) => (globMatches(pattern, text) ? [i] : [])))
        expect(regions.map((region) => [...region.inside].join())).toContain([...inside].join())
        for (const region of regions) {
          expect(patterns.flatMap((p, i) => (globMatches(p, region.example) ? [i] : []))).toEqual([...region.inside])
        }
      }),
      RUNS,
    )
  })

  test('are not looked for beyond a bound', () => {
    const entangled = [...'abcdefghijklmnop'].map((letter) => globCodes(`*${letter}*`))

    const budget = new Budget(Number.POSITIVE_INFINITY)
    expect(regionsOf(entangled, [globCodes('*')], budget)).toBeUndefined()
    expect(regionsOf(entangled.slice(0, 3), [globCodes('*')])).toHaveLength(8)
  })
})

describe('what a principal can reach', () => {
  const allow = (Action: string, Resource: unknown, more: object = {}) => ({
    Effect: 'Allow',
    Action,
    Resource,
    ...more,
  })
  const deny = (Action: string, Resource: unknown, more: object = {}) => ({ Effect: 'Deny', Action, Resource, ...more })

  test('is what is allowed without what is denied', () => {
    const found = reach([allow('s3:*', 'arn:aws:s3:::b/*'), deny('s3:*', 'arn:aws:s3:::b/secret/*')])

    expect(found.of('s3:GetObject')).toEqual([
      expect.objectContaining({
        certain: true,
        resources: [{ within: ['arn:aws:s3:::b/*'], except: ['arn:aws:s3:::b/secret/*'] }],
      }),
    ])
    expect(found.of('sqs:SendMessage')).toEqual([])
  })

  test('is uncertain under a condition on what is not known, and says which', () => {
    const Condition = { Bool: { 'aws:MultiFactorAuthPresent': 'true' } }
    const document = [allow('s3:*', '*', { Condition })]

    const [access] = reach(document).of('s3:GetObject')
    const absent = reach(document, new Known(new Context(), ['aws:MultiFactorAuthPresent']))
    const present = reach(document, new Known(new Context({ 'aws:MultiFactorAuthPresent': 'true' })))

    expect(access).toMatchObject({ certain: false, doubts: [{ conditions: [{ key: 'aws:MultiFactorAuthPresent' }] }] })
    expect(absent.of('s3:GetObject')).toEqual([])
    expect(present.of('s3:GetObject')).toMatchObject([{ certain: true }])
  })

  test('follows a variable to its value, or says that it does not know it', () => {
    const document = [allow('s3:*', 'arn:aws:s3:::home/${aws:username}/*')]

    const unknown = reach(document).of('s3:GetObject')
    const ann = reach(document, new Known(new Context({ 'aws:username': 'ann' }))).of('s3:GetObject')

    expect(unknown).toMatchObject([
      { certain: false, doubts: [{ variables: ['arn:aws:s3:::home/${aws:username}/*'] }] },
    ])
    expect(ann).toMatchObject([{ certain: true, resources: [{ within: ['arn:aws:s3:::home/ann/*'], except: [] }] }])
  })

  test('within a pattern is reported for the parts of it', () => {
    const found = reach([allow('s3:*', 'arn:aws:s3:::b/public/*')]).of('s3:GetObject', 'arn:aws:s3:::b/*')

    expect(found).toMatchObject([{ certain: true, resources: [{ within: ['arn:aws:s3:::b/public/*'], except: [] }] }])
    expect(reach([allow('s3:*', 'arn:aws:s3:::c')]).of('s3:GetObject', 'arn:aws:s3:::b/*')).toEqual([])
  })

  test('is never claimed when the patterns are too entangled, and never excluded', () => {
    const [access] = reach([
      allow(
        's3:*',
        [...'abcdefghijklmnop'].map((letter) => `arn:aws:s3:::*${letter}*`),
      ),
    ]).of('s3:Any')

    expect(access).toMatchObject({ unclear: true, certain: false })
  })

  test('holds every request the engine allows, and what is certain the engine allows', () => {
    const layers: fc.Arbitrary<Layers> = fc
      .record({
        identity: fc.array(policy('identity'), { maxLength: 2 }),
        boundary: fc.option(policy('boundary'), { nil: undefined, freq: 1 }),
        resource: fc.option(policy('resource'), { nil: undefined, freq: 1 }),
        resourceMode: pick('optional', 'required'),
        scps: fc.option(fc.array(fc.array(policy('scp'), { minLength: 1, maxLength: 2 }), { maxLength: 2 }), {
          nil: undefined,
          freq: 1,
        }),
      })
      .map((all) => Object.fromEntries(Object.entries(all).filter(([, each]) => each)) as unknown as Layers)
    const question = fc.record({ principal, layers, values: contexts, told: fc.array(fc.boolean()) })

    fc.assert(
      fc.property(question, actions, resources, ({ principal, layers, values, told }, action, resource) => {
        const context = new Context(values)
        const entries = Object.entries(values).filter((_, i) => told[i])
        const keys = ['aws:username', 'aws:SourceIp', 'aws:TagKeys', 'aws:PrincipalTag/team', 'x:n']
        const absent = keys.filter((key, i) => !context.has(key) && told[i])
        const known = new Known(new Context(Object.fromEntries(entries)), absent)

        const found = new Reach({ principal, layers, known, resourceAccount: ACCOUNT }).of(action)
        const { allowed } = decide({ principal, action, resource, resourceAccount: ACCOUNT, context }, layers)

        const here = accessTo(found, resource)
        if (allowed) expect(here).not.toEqual([])
        if (here.some(({ certain }) => certain)) expect(allowed).toBe(true)
        for (const { certain, unclear, doubts } of here) if (!certain && !unclear) expect(doubts).not.toEqual([])
      }),
      RUNS,
    )
  })
})
