import { expect, test } from 'vitest'
import { effectOf, type Rule, statementText, switched } from './rule-text.ts'
import { blockEffect, type Sample } from './samples.ts'

const sample = (ClientIP: string, URI: string, ResponseCodeSent?: number): Sample =>
  ({ Request: { ClientIP, URI, Method: 'GET' }, Weight: 2, ResponseCodeSent }) as unknown as Sample

test('only requests that passed would be blocked, scaled from the samples to all requests', () => {
  const samples = [sample('192.0.2.1', '/a?x=1'), sample('192.0.2.1', '/a'), sample('192.0.2.2', '/b', 403)]
  expect(blockEffect({ population: 30, samples })).toMatchObject({
    matched: 30,
    blocked: 20,
    clients: 1,
    paths: [['/a', 20]],
  })
  expect(blockEffect({ population: 0, samples: [] })).toMatchObject({ matched: 0, blocked: 0, clients: 0 })
})

test('a rule is switched between counting and blocking; a group keeps the actions of its rules', () => {
  const own = { Name: 'own', Action: { Count: {} } } as unknown as Rule
  const group = { Name: 'group', OverrideAction: { Count: {} } } as unknown as Rule
  expect(effectOf(switched(own))).toBe('Block')
  expect(effectOf(switched(switched(own)))).toBe('Count')
  expect(switched(group)).toMatchObject({ OverrideAction: { None: {} } })
  expect(effectOf({ Name: 'allow', Action: { Allow: {} } } as unknown as Rule)).toBe('Allow')
})

test('statements are sentences', () => {
  const path = { FieldToMatch: { UriPath: {} } }
  expect(
    statementText({
      AndStatement: {
        Statements: [
          {
            ByteMatchStatement: {
              ...path,
              PositionalConstraint: 'STARTS_WITH',
              SearchString: new TextEncoder().encode('/admin'),
              TextTransformations: undefined,
            },
          },
          { NotStatement: { Statement: { GeoMatchStatement: { CountryCodes: ['DE', 'AT'] } } } },
        ],
      },
    }),
  ).toBe('(the URI path begins with "/admin") and (not (the country is DE or AT))')
  expect(statementText({ RateBasedStatement: { Limit: 100n as never, AggregateKeyType: 'IP' } })).toBe(
    'more than 100 requests in 5 min by IP',
  )
})
