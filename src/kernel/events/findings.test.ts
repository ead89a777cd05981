/** Findings: one row for each product, type and resource. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openStore } from '../../store/sqlite.ts'
import type { Store } from '../../store/store.ts'
import { findingId, findings, putFinding, type Sighting } from './findings.ts'

const ACCOUNT = '111122223333'
const SECOND_MS = 1_000

let store: Store
beforeEach(async () => {
  store = await openStore({ file: ':memory:' })
})
afterEach(() => store.close())

const sighting: Sighting = {
  account: ACCOUNT,
  region: 'eu-west-1',
  product: 'guardduty',
  type: 'UnauthorizedAccess:IAMUser/TorIPCaller',
  resourceId: ['arn:aws:iam::111122223333:user/ann'],
  resource: { resourceType: 'AccessKey' },
  severity: 5,
  title: 'A call from a Tor exit node.',
  description: 'The user ann called from a Tor exit node.',
  firstMs: 0,
  lastMs: SECOND_MS,
  count: 2,
}
const put = (changes: Partial<Sighting> = {}) => store.run((unit) => putFinding(unit, { ...sighting, ...changes }))

test('The same product, type and resource is one finding, counted', async () => {
  const first = await put()
  await put({ firstMs: 9 * SECOND_MS, lastMs: 9 * SECOND_MS, count: 1 })

  expect(await findings(store.reader, ACCOUNT)).toEqual([
    {
      ...first,
      service: {
        serviceName: 'guardduty',
        count: 3,
        eventFirstSeen: '1970-01-01T00:00:00.000Z',
        eventLastSeen: '1970-01-01T00:00:09.000Z',
        archived: false,
      },
      createdAt: '1970-01-01T00:00:00.000Z',
      updatedAt: '1970-01-01T00:00:09.000Z',
    },
  ])
})

test.each<[string, Partial<Sighting>]>([
  ['product', { product: 'inspector' }],
  ['type', { type: 'Recon:IAMUser/TorIPCaller' }],
  ['resource', { resourceId: ['arn:aws:iam::111122223333:user/ben'] }],
  ['account', { account: '444455556666' }],
])('Another %s is another finding', async (_what, changes) => {
  await put()
  await put(changes)

  expect(await findings(store.reader)).toHaveLength(2)
})

test('Two sightings at once are both counted', async () => {
  await Promise.all([put(), put(), put()])

  expect((await findings(store.reader)).map(({ service }) => service.count)).toEqual([6])
})

test('Parts of a resource are not joined: the boundary between two parts counts', () => {
  const of = (...resourceId: string[]) => findingId({ product: 'inspector', type: 't', resourceId })

  expect(of('a', 'bc')).not.toBe(of('ab', 'c'))
})

test('The ID of a tamper finding is the one of released versions', () => {
  const resourceId = ['iam/access-key', 'AKIDEXAMPLE', 'secret', ACCOUNT, '']

  expect(findingId({ product: 'merlon', type: 'Impact:MerlonStore/SealedValueTampered', resourceId })).toBe(
    '657adf96398a8b39ee5d0caf45ba3fe7',
  )
})
