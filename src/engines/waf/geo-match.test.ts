/** Statements on where an address is: matches, labels, and addresses of headers. */
import type { Statement } from '@aws-sdk/client-wafv2'
import { expect, test } from 'vitest'
import { type AddressFacts, NO_ADDRESS_FACTS } from './address-facts.ts'
import { RateLimiter } from './rate-limiter.ts'
import type { InspectedRequest } from './request.ts'
import { compileWebAcl } from './web-acl.ts'

const PLACES: Readonly<Record<string, { country: string; region?: string; asn?: number }>> = {
  '192.0.2.1': { country: 'DE', region: 'BE', asn: 64_496 },
  '198.51.100.1': { country: 'FR' },
}
const addresses: AddressFacts = { ...NO_ADDRESS_FACTS, placeOf: (address) => PLACES[address] }

function verdictOf(Statement: Statement, varied: Partial<InspectedRequest>) {
  const acl = compileWebAcl(
    {
      arn: 'arn',
      name: 'a',
      labelNamespace: 'awswaf:111122223333:webacl:a:',
      defaultAction: { Allow: {} },
      rules: [{ Name: 'place', Priority: 0, Statement, Action: { Block: {} }, VisibilityConfig: undefined }],
    },
    {
      ipSet: () => undefined,
      regexPatternSet: () => undefined,
      ruleGroup: () => undefined,
      managedRuleGroup: () => undefined,
    },
  )
  const request: InspectedRequest = {
    method: 'GET',
    path: '/',
    query: '',
    httpVersion: '1.1',
    headers: [],
    body: '',
    isBodyTruncated: false,
    clientIp: '192.0.2.1',
    ...varied,
  }
  const { action, labels } = acl.evaluate(request, { rates: new RateLimiter(), now: 0, token: {}, addresses })
  return [action, ...labels]
}

const geo = (CountryCodes: string[], FallbackBehavior?: 'MATCH' | 'NO_MATCH'): Statement =>
  ({
    GeoMatchStatement: {
      CountryCodes,
      ...(FallbackBehavior && { ForwardedIPConfig: { HeaderName: 'X-Forwarded-For', FallbackBehavior } }),
    },
  }) as Statement
const forwarded = (value: string) => ({ headers: [['X-Forwarded-For', value] as const] })

test('A country matches, and each request is labelled with its country and region', () => {
  const from = { country: 'DE', region: 'BE' }
  const labels = ['awswaf:clientip:geo:country:DE', 'awswaf:clientip:geo:region:DE-BE']
  expect(verdictOf(geo(['DE']), from)).toEqual(['BLOCK', ...labels])
  expect(verdictOf(geo(['FR']), from)).toEqual(['ALLOW', ...labels])
  expect(verdictOf(geo(['DE']), {})).toEqual([
    'ALLOW',
    'awswaf:clientip:geo:country:XX',
    'awswaf:clientip:geo:region:XX-XX',
  ])
})

test('The address can be that of a header; without the header nothing applies, without an address the fallback does', () => {
  const labels = ['awswaf:forwardedip:geo:country:FR', 'awswaf:forwardedip:geo:region:FR-XX']
  expect(verdictOf(geo(['FR'], 'NO_MATCH'), forwarded('198.51.100.1, 192.0.2.1'))).toEqual(['BLOCK', ...labels])
  expect(verdictOf(geo(['FR'], 'MATCH'), {})).toEqual(['ALLOW'])
  expect(verdictOf(geo(['FR'], 'MATCH'), forwarded('unknown'))).toEqual(['BLOCK'])
  expect(verdictOf(geo(['FR'], 'NO_MATCH'), forwarded('unknown'))).toEqual(['ALLOW'])
})

test('An autonomous system matches by its number; 0 is one that is not known', () => {
  const asn = (...AsnList: number[]): Statement => ({ AsnMatchStatement: { AsnList } }) as Statement
  expect(verdictOf(asn(64_496), { asn: 64_496 })).toEqual(['BLOCK'])
  expect(verdictOf(asn(64_497), { asn: 64_496 })).toEqual(['ALLOW'])
  expect(verdictOf(asn(0), {})).toEqual(['BLOCK'])
  const header = { ForwardedIPConfig: { HeaderName: 'X-Forwarded-For', FallbackBehavior: 'NO_MATCH' } }
  const byHeader = { AsnMatchStatement: { AsnList: [64_496], ...header } } as Statement
  expect(verdictOf(byHeader, forwarded('192.0.2.1'))).toEqual(['BLOCK'])
  expect(verdictOf(byHeader, { asn: 64_496 })).toEqual(['ALLOW'])
})
