/** Flow records and DNS queries of log files of AWS, brought to the threat detection of an account. */
import * as gd from '@aws-sdk/client-guardduty'
import { expect, test, vi } from 'vitest'
import { ACCOUNT, OTHER_ACCOUNT } from '../../../test/cloud.ts'
import { DEFAULT_FLOW_COLUMNS, normalizeFlow } from '../../engines/detect/normalize/flow.ts'
import { withDetector } from '../../services/guardduty/guardduty.fixture.ts'
import { importNetworkEvents } from './network-events.ts'

const UNKNOWN = { account: '', region: 'us-east-1' }
const START = 1_790_000_000

/** Probes of 60 ports, as lines of version 2. */
const scan = (account: string) =>
  Array.from({ length: 60 }, (_, port) => {
    const line = `2 ${account} eni-0a1b2c3d 10.0.0.5 203.0.113.9 ${40_000 + port} ${port + 1} 6 1 40 ${START} ${START + 1} ACCEPT OK`
    return normalizeFlow(line, DEFAULT_FLOW_COLUMNS, UNKNOWN)!
  })

test('A scan in flow records is found where a detector is enabled, and nothing is queued elsewhere', async () => {
  const it = await withDetector()
  it.start()

  const results = await importNetworkEvents(it, [...scan(ACCOUNT), ...scan(OTHER_ACCOUNT)])

  expect(results).toEqual([
    { account: ACCOUNT, region: 'us-east-1', events: 60, queued: 60 },
    { account: OTHER_ACCOUNT, region: 'us-east-1', events: 60, queued: undefined },
  ])
  await vi.waitFor(
    async () => {
      const { DetectorId, guardduty } = it
      const { FindingIds } = await guardduty.send(new gd.ListFindingsCommand({ DetectorId }))
      const { Findings } = await guardduty.send(new gd.GetFindingsCommand({ DetectorId, FindingIds }))
      expect(Findings!.map(({ Type }) => Type)).toContain('Recon:EC2/Portscan')
    },
    { timeout: 15_000, interval: 100 },
  )
})

test.each([
  ['no list', {}],
  ['an API call', [{ ...scan(ACCOUNT)[0], source: 'cloudtrail' }]],
  ['a flow without ports', [{ ...scan(ACCOUNT)[0], sourcePort: undefined }]],
  ['a text that is too long', [{ ...scan(ACCOUNT)[0], id: 'x'.repeat(513) }]],
  ['more events than one request has', Array(1_001).fill(scan(ACCOUNT)[0])],
])('%s is refused', async (_name, events) => {
  const it = await withDetector()

  await expect(importNetworkEvents(it, events)).rejects.toThrow('These are no events of flows or DNS queries.')
})

test('What waits is bounded, and the number that was queued says so', async () => {
  const it = await withDetector()
  const flows = scan(ACCOUNT)
  const many = Array.from({ length: 1_000 }, (_, index) => flows[index % 60]!)
  let queued = 0
  for (let turn = 0; turn < 101; turn++) queued += (await importNetworkEvents(it, many))[0]!.queued!

  expect(queued).toBe(100_000)
})
