/** A batch comes out on the writer's side as it went in, whatever its texts are. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { packBatch, unpackBatch } from './packed-batch.ts'

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', '\0', 'é', '\u{1F600}', '\uD83D', '\uDE00', 'x'.repeat(70_000)),
)
const number = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })

test('a batch of any documents and records is the same after it was handed over', () => {
  const batch = fc.record({
    after: number,
    revision: number,
    documents: fc.array(fc.tuple(text, fc.option(text), number)),
    records: fc.array(
      fc.record({ id: text, account: text, region: text, timeMs: number, attributes: text, body: text }),
    ),
  })
  fc.assert(
    fc.property(batch, (batch) => {
      expect(unpackBatch(structuredClone(packBatch(batch)))).toEqual(batch)
    }),
  )
})
