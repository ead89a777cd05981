/** Event data stores, queries, channels, dashboards, insights: what is not built is refused by name, and recorded. */
import { expect, test } from 'vitest'
import { cloud } from '../../../test/cloud.ts'
import { Client } from '../../kernel/client/client.ts'
import { serviceById } from '../../wire/services.ts'
import { loadService } from '../../wire/wire.ts'
import { cloudtrail } from './index.ts'

test('every operation of CloudTrail is built, or refused by its name and recorded', async () => {
  const { gate, root, store } = await cloud()
  const client = new Client({
    credential: { accessKeyId: root.accessKeyId, secret: root.secretAccessKey },
    transport: { host: 'localhost', send: (request) => gate.handle(request) },
  })
  const built = new Set(cloudtrail.operations.map(({ name }) => name))
  const all = [...(await loadService(serviceById.get('cloudtrail')!)).operations.keys()]
  const unbuilt = all.filter((name) => !built.has(name))
  expect(all.length).toBeGreaterThanOrEqual(60)
  expect(unbuilt).toEqual(expect.arrayContaining(['CreateEventDataStore', 'StartQuery', 'CreateChannel']))

  for (const name of unbuilt)
    await expect(
      client.json('cloudtrail', `com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.${name}`),
    ).rejects.toMatchObject({ code: 'NotImplemented', message: expect.stringContaining(name) })

  const events = (await store.evidence(0, 1_000)).map(({ body }) => JSON.parse(body))
  const recorded = events.filter(({ errorCode }) => errorCode === 'NotImplemented').map(({ eventName }) => eventName)
  expect(recorded).toEqual(unbuilt)
})
