import { expect, test } from 'vitest'
import { handshakeType, memberType, organizationType, partId, policyType, unitType } from './resources.ts'

const org = { id: 'o-exampleorg1', management: '111122223333' }
const anywhere = { account: '444455556666', region: 'eu-west-1' }

test.each([
  ['organization', organizationType.key(anywhere, { id: org.id }), 'organizations/organization/o-exampleorg1'],
  [
    'unit',
    unitType.key(anywhere, partId(org, 'ou-root-unit0001')),
    'organizations/unit/o-exampleorg1/ou-root-unit0001',
  ],
  ['account', memberType.key(anywhere, partId(org, '444455556666')), 'organizations/member/o-exampleorg1/444455556666'],
  ['policy', policyType.key(anywhere, partId(org, 'p-example1')), 'organizations/policy/o-exampleorg1/p-example1'],
  [
    'handshake',
    handshakeType.key(anywhere, partId(org, 'h-examplehs1')),
    'organizations/handshake/o-exampleorg1/h-examplehs1',
  ],
])('The key of %s rows is the one of released versions', (_type, key, released) => {
  expect(key.replaceAll('\0', '/')).toBe(released)
})
