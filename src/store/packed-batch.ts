/**
 * A batch on its way to the writer thread: all its texts as one, with what takes it apart as numbers. A message is copied
 * member by member, which for thousands of small objects costs more than all the rest of handing them over.
 */
import type { Batch } from './backend.ts'

export interface PackedBatch {
  /** Of each document its key and its JSON, of each record its id, account, Region, attributes and body. */
  readonly text: string
  /**
   * after, revision, how many documents; of each document the lengths of its texts (−1: it is deleted) and its revision;
   * of each record the lengths of its texts and its time. Lengths are UTF-16 units.
   */
  readonly numbers: Float64Array
}

const HEADER_NUMBERS = 3
const DOCUMENT_NUMBERS = 3
const RECORD_NUMBERS = 6
const DELETED = -1

export function packBatch({ after, revision, documents, records }: Batch): PackedBatch {
  const numbers = new Float64Array(
    HEADER_NUMBERS + DOCUMENT_NUMBERS * documents.length + RECORD_NUMBERS * records.length,
  )
  let [text, at] = ['', 0]
  const number = (value: number) => {
    numbers[at++] = value
  }
  const part = (value: string) => {
    text += value
    numbers[at++] = value.length
  }
  number(after)
  number(revision)
  number(documents.length)
  for (const [key, json, revision] of documents) {
    part(key)
    if (json === null) number(DELETED)
    else part(json)
    number(revision)
  }
  for (const { id, account, region, attributes, body, timeMs } of records) {
    part(id)
    part(account)
    part(region)
    part(attributes)
    part(body)
    number(timeMs)
  }
  return { text, numbers }
}

export function unpackBatch({ text, numbers }: PackedBatch): Batch {
  let [at, end] = [0, 0]
  const number = () => numbers[at++]!
  const part = (length = number()) => text.slice(end, (end += length))
  const [after, revision, count] = [number(), number(), number()]
  const documents: Batch['documents'][number][] = []
  for (let n = 0; n < count; n++) {
    const key = part()
    const length = number()
    documents.push([key, length === DELETED ? null : part(length), number()])
  }
  const records: Batch['records'][number][] = []
  while (at < numbers.length) {
    const [id, account, region, attributes, body] = [part(), part(), part(), part(), part()]
    records.push({ id, account, region, timeMs: number(), attributes, body })
  }
  return { after, revision, documents, records }
}
