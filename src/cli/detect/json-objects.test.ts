/** JSON objects out of pieces, wherever the pieces end. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { JsonObjects, OBJECT_LENGTH_MAX, ObjectTooLongError } from './json-objects.ts'

function read(text: string, sizes: readonly number[]): readonly unknown[] {
  const reader = new JsonObjects()
  const texts: string[] = []
  let at = 0
  for (let i = 0; at < text.length; i++) {
    const size = sizes[i % sizes.length]!
    texts.push(...reader.push(text.slice(at, at + size)))
    at += size
  }
  const { objects, isComplete } = reader.end()
  expect(isComplete).toBe(true)
  return [...texts, ...objects].map((each) => JSON.parse(each))
}

const object = fc
  .dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { minKeys: 1 })
  .map((each) => ({ a: each, eventID: 'x' }))
const sizes = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 5 })

test('A file of records, an array, and one object a line give the same objects', () => {
  fc.assert(
    fc.property(fc.array(object, { minLength: 1, maxLength: 6 }), sizes, (objects, pieces) => {
      const plain = JSON.parse(JSON.stringify(objects))

      expect(read(JSON.stringify({ Records: objects }), pieces)).toEqual(plain)
      expect(read(JSON.stringify(objects, undefined, 2), pieces)).toEqual(plain)
      expect(read(objects.map((each) => JSON.stringify(each)).join('\n'), pieces)).toEqual(plain)
    }),
  )
})

test('Texts with quotes, braces and backslashes are whole, however they are cut', () => {
  const value = { text: '\\"}{][\\\\', more: '"' }

  for (let size = 1; size < 20; size++) expect(read(JSON.stringify(value), [size])).toEqual([value])
})

test('An object that never ends is refused at its limit', () => {
  const reader = new JsonObjects()
  const push = () => {
    for (let i = 0; i < OBJECT_LENGTH_MAX / 100_000 + 2; i++)
      reader.push(`${i === 0 ? '{"a":"' : ''}${'x'.repeat(100_000)}`)
  }

  expect(push).toThrow(ObjectTooLongError)
})

test('A piece with many objects may be longer than one object may be', () => {
  const reader = new JsonObjects()

  expect(reader.push('{"a":1}\n'.repeat(OBJECT_LENGTH_MAX / 6)).length).toBeGreaterThan(OBJECT_LENGTH_MAX / 8)
})

test('An object that is cut off is reported', () => {
  const reader = new JsonObjects()
  reader.push('{"Records":[{"a":1},{"b":')

  expect(reader.end()).toEqual({ objects: ['{"a":1}'], isComplete: false })
})
