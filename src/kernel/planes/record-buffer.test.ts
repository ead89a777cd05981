import { mkdtemp, readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openStore } from '../../store/sqlite.ts'
import { type PlaneRow, planeKey } from './enrollment.ts'
import { RecordBuffer } from './record-buffer.ts'
import { parseBatch, type RecordBatch, type RecordSink, takeBatch } from './records.ts'

const status = () => ({ health: 'open' as const, snapshot: 7 })
const away: RecordSink = { put: () => Promise.reject(new Error('away')) }
const shownOf = ({ records }: Pick<RecordBatch, 'records'>) => records.map((record) => (record as { n: number }).n)

test('records wait on disk while the control plane is away, over a restart, and go up in order, once', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'records-'))
  const first = new RecordBuffer({ sink: away, directory, status, everyMs: 60_000 })
  await first.start()
  first.add({ n: 1 })
  await first.flush()
  first.add({ n: 2 })
  await first.stop()

  const taken: RecordBatch[] = []
  const again = new RecordBuffer({
    sink: { put: async (batch) => void taken.push(batch) },
    directory,
    status,
    everyMs: 60_000,
  })
  await again.start()
  again.add({ n: 3 })
  await again.stop()
  expect(taken.flatMap(shownOf)).toEqual([1, 2, 3])
  expect(taken.map(({ sequence }) => sequence)).toEqual([1, 2, 3])
  expect(await readdir(directory)).toEqual(['3.sent'])

  const last = new RecordBuffer({ sink: { put: async (batch) => void taken.push(batch) }, directory, status })
  await last.start()
  await last.stop()
  expect(taken.at(-1)!.sequence).toBe(4)
})

test('beyond its room the oldest batches are dropped and counted', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'records-'))
  const buffer = new RecordBuffer({ sink: away, directory, status, everyMs: 60_000, bytesMax: 300 })
  await buffer.start()
  for (let n = 0; n < 10; n++) {
    buffer.add({ n })
    await buffer.flush()
  }
  expect((await readdir(directory)).length).toBeLessThan(5)

  const taken: RecordBatch[] = []
  const again = new RecordBuffer({ sink: { put: async (batch) => void taken.push(batch) }, directory, status })
  await again.start()
  await again.stop()
  expect(taken.at(-2)!.status.dropped).toBeGreaterThan(4)
  await buffer.stop()
})

test('a batch that comes twice is taken once, and one of a plane that is not enrolled not at all', async () => {
  const store = await openStore({ file: ':memory:' })
  const claims = { id: '1', plane: 'resolver', node: 'edge' }
  await store.run((unit) => unit.put(planeKey('resolver', 'edge'), { ...claims, enrolledAt: 0 } satisfies PlaneRow))
  const seen: number[] = []
  const take = (sequence: number, node = 'edge') =>
    store.run((unit) =>
      takeBatch(
        unit,
        { ...claims, node },
        { sequence, status: { ...status(), dropped: 0 }, records: [{ n: sequence }] },
        [(_unit, batch) => void seen.push(...shownOf(batch))],
        5,
      ),
    )
  await take(1)
  await take(1)
  await take(2)
  await take(3, 'stranger')

  expect(seen).toEqual([1, 2])
  expect(await store.reader.get(planeKey('resolver', 'edge'))).toMatchObject({ sequence: 2, seenAt: 5 })
  await store.close()
})

test.each([null, 1, [], {}, { sequence: 1 }, { sequence: 1, status: {}, records: [] }, { sequence: 1.5 }])(
  '%j is not a batch',
  (value) => {
    expect(parseBatch(value)).toBeUndefined()
    expect(parseBatch({ sequence: 1, status: { ...status(), dropped: 0 }, records: [null] })).toBeUndefined()
  },
)
