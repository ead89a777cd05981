/** Files of records, read record by record: the same events as of the file as a whole, whatever parameters look like. */
import { describe, expect, test } from 'vitest'
import { record } from '../../engines/detect/detect.fixture.ts'
import { cloudTrailRecords, normalizeCloudTrail } from '../../engines/detect/normalize/cloudtrail.ts'
import { wholeEvents } from './log-files.ts'
import { recordParts } from './record-texts.ts'

const MINUTE = 60_000
const file = (records: readonly object[]): Buffer => Buffer.from(JSON.stringify({ Records: records }))

function eventsOf(bytes: Buffer) {
  let skipped = 0
  const events = [...wholeEvents(bytes, () => skipped++)].flat()
  return { ids: events.map(({ id }) => id), skipped }
}

const idsOf = (bytes: Buffer): readonly string[] =>
  cloudTrailRecords(JSON.parse(bytes.toString('utf8'))).map((each) => normalizeCloudTrail(each)!.id)

describe('A file of CloudTrail', () => {
  test('has its records one after the other, also with other alphabets', () => {
    const bytes = file([
      record('iam:GetUser', { request: { userName: 'Ana' } }),
      record('iam:GetUser', { request: { userName: 'Žaneta 🦅' } }),
      record('iam:GetUser', { request: { userName: '"},{\\"eventVersion\\":' } }),
    ])

    expect(recordParts(bytes, 0)?.parts).toHaveLength(3)
    expect(eventsOf(bytes)).toEqual({ ids: idsOf(bytes), skipped: 0 })
    const [, second] = [...wholeEvents(bytes, () => {})].flat()
    expect(second).toMatchObject({ request: { userName: 'Žaneta 🦅' } })
  })

  test('cannot be given records by what a caller writes into parameters', () => {
    const forged = [1, 2, 3].map((i) => ({ ...record('cloudtrail:StopLogging'), eventID: `forged-${i}` }))
    const bytes = file([
      record('iam:GetUser'),
      record('ssm:PutParameter', { request: { list: forged } }),
      record('iam:GetRole'),
    ])

    expect(eventsOf(bytes)).toEqual({ ids: idsOf(bytes), skipped: 0 })
    expect(eventsOf(bytes).ids).toHaveLength(3)
  })

  test('whose records are further out of order than events may be late is read as a whole, and sorted', () => {
    const bytes = file([0, 60, 30].map((at) => record('iam:GetUser', { at: at * MINUTE })))
    const [first, last, middle] = idsOf(bytes)

    expect(recordParts(bytes, 29 * MINUTE)).toBeUndefined()
    expect(recordParts(bytes, 30 * MINUTE)).toBeDefined()
    expect(eventsOf(bytes).ids).toEqual([first, middle, last])
  })

  test.each([
    ['a list', '[]'],
    ['without records', '{"Records":[]}'],
    ['with spaces', '{ "Records": [ {"eventVersion":"1"} ] }'],
    ['that is cut', '{"Records":[{"eventVersion":"1","eventTime":"2026-03-02T09:00:00Z"'],
    ['without times', '{"Records":[{"eventVersion":"1"}]}'],
  ])('%s has another form', (_name, text) => {
    expect(recordParts(Buffer.from(text), 0)).toBeUndefined()
  })

  test('with very many parts takes no more than a look at each', () => {
    const bytes = Buffer.from(`{"Records":[${'{"e":1},'.repeat(200_000)}{"eventTime":"2026-03-02T09:00:00Z"}]}`)

    expect(recordParts(bytes, 0)).toBeUndefined()
  })
})
