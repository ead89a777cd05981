/** What the console shows of the proof of the log, and to which users. */
import { CreateLoginProfileCommand } from '@aws-sdk/client-iam'
import { expect, test } from 'vitest'
import { ACCOUNT, allowing, cloud } from '../../../test/cloud.ts'
import { keepVerification } from '../../kernel/log-integrity/verification.ts'
import { Browser, iamOf, setRoot } from './browser.fixture.ts'

const PASSWORD = 'Correct-Horse-7'

test('chains, the newest checkpoint and the last verification, for users that may read the log', async () => {
  const opened = await cloud()
  await setRoot(opened, ACCOUNT, 'root@corp.test', PASSWORD)
  const lookup = allowing({ Action: 'cloudtrail:LookupEvents', Resource: '*' })
  for (const [name, policy] of [
    ['ada', undefined],
    ['bob', lookup],
  ] as const) {
    await opened.user(name, policy)
    await iamOf(opened).send(new CreateLoginProfileCommand({ UserName: name, Password: PASSWORD }))
  }
  const [stranger, root, ada, bob] = [1, 2, 3, 4].map(() => new Browser(opened)) as [Browser, Browser, Browser, Browser]
  await root.asRoot('root@corp.test', PASSWORD)
  await ada.asUser(ACCOUNT, 'ada', PASSWORD)
  await bob.asUser(ACCOUNT, 'bob', PASSWORD)
  const proofOf = async (browser: Browser) => JSON.parse((await browser.open('/console/proof')).text)

  const before = await proofOf(root)
  expect(before).toMatchObject({ chains: 1, verification: null })
  expect(before.records).toBeGreaterThan(5)
  await opened.evidence.checkpoint(true)
  const at = opened.clock.now()
  await opened.store.run(async (unit) => keepVerification(unit, { at, records: 9, findings: 0 }))

  expect(await proofOf(bob)).toMatchObject({
    checkpoint: { number: expect.any(Number), time: expect.any(String) },
    verification: { time: new Date(at).toISOString(), findings: 0 },
  })
  expect((await ada.open('/console/proof')).status).toBe(403)
  expect((await stranger.open('/console/proof')).status).toBe(401)
})
