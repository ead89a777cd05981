/** Log files of real AWS in directories: CloudTrail, VPC flow logs and Route 53 Resolver query logs, recognized by content. */
import { closeSync, createReadStream, openSync, readFileSync, readSync } from 'node:fs'
import { basename } from 'node:path'
import type { Readable } from 'node:stream'
import { createGunzip, gunzipSync } from 'node:zlib'
import { cloudTrailRecords, normalizeCloudTrail } from '../../engines/detect/normalize/cloudtrail.ts'
import { normalizeDns } from '../../engines/detect/normalize/dns.ts'
import {
  DEFAULT_FLOW_COLUMNS,
  type FlowColumns,
  flowHeader,
  normalizeFlow,
} from '../../engines/detect/normalize/flow.ts'
import type { NormalizedEvent } from '../../engines/detect/types.ts'
import { InputError } from '../policy/files.ts'
import { JsonObjects } from './json-objects.ts'
import { listFiles, statOf } from './list-files.ts'
import { recordParts } from './record-texts.ts'

/** As late as CloudTrail delivers. */
export const LATENESS_MS = 15 * 60_000

const NAME = /\.(?:json|jsonl|ndjson|log|txt|csv)(?:\.gz)?$|\.gz$/i
/** Files up to this size are read at once, which is faster, and sorted. */
const WHOLE_BYTES_MAX = 32 * 1024 * 1024
/** Digests lie beside the log files that they sign, and have no events. */
const DIGEST = /[/\\]CloudTrail-Digest[/\\]/
/** `…_20230710T1145Z_…`, as CloudTrail and VPC name their files. */
const TIME_IN_NAME = /_(\d{8}T\d{4}Z)_/

/** All log files below a directory. */
export const listLogFiles = (root: string): readonly string[] => logFilesInOrder(listFiles(root, NAME))

/** In the order of the times in their names, so that Regions and accounts are read side by side; without digests. */
export function logFilesInOrder(paths: readonly string[]): readonly string[] {
  const key = (path: string): string => `${TIME_IN_NAME.exec(basename(path))?.[1] ?? ''} ${path}`
  return paths
    .filter((path) => NAME.test(path) && !DIGEST.test(`/${path}`))
    .map((path) => [key(path), path] as const)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, path]) => path)
}

/** Batches of events, those of a small file at most `LATENESS_MS` out of order. `skipped` counts records of no known kind. */
export async function* readEvents(file: string, skipped: () => void): AsyncGenerator<readonly NormalizedEvent[]> {
  try {
    const whole = wholeFile(file)
    if (whole !== undefined) {
      yield* wholeEvents(whole, skipped)
      return
    }
    const parser = new LogParser(skipped)
    for await (const piece of textStream(file)) yield parser.push(piece as string)
    yield parser.end()
  } catch (error) {
    if (error instanceof InputError) throw error
    const isPacked = (error as NodeJS.ErrnoException).code?.startsWith('Z_') ?? false
    throw new InputError(`${file}: cannot be ${isPacked ? 'unpacked' : 'read'}: ${(error as Error).message}`)
  }
}

const isGzip = (bytes: Buffer): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b

/** Undefined for a file that is too long for memory, also by what it unpacks to. */
function wholeFile(file: string): Buffer | undefined {
  if (statOf(file).size > WHOLE_BYTES_MAX) return undefined
  const bytes = readFileSync(file)
  if (!isGzip(bytes)) return bytes
  try {
    return gunzipSync(bytes, { maxOutputLength: WHOLE_BYTES_MAX })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') return undefined
    throw error
  }
}

function textStream(file: string): Readable {
  const bytes = createReadStream(file)
  const isPacked = isGzip(readStart(file))
  const stream: Readable = isPacked ? bytes.on('error', (error) => stream.destroy(error)).pipe(createGunzip()) : bytes
  return stream.setEncoding('utf8')
}

const readStart = (file: string): Buffer => {
  const start = Buffer.alloc(2)
  const descriptor = openSync(file, 'r')
  try {
    readSync(descriptor, start, 0, 2, 0)
  } finally {
    closeSync(descriptor)
  }
  return start
}

/** Of one batch, so that its records are gone before the next. */
const BATCH = 100

export function* wholeEvents(bytes: Buffer, skipped: () => void): Generator<readonly NormalizedEvent[]> {
  const records = recordParts(bytes, LATENESS_MS)
  if (!records) {
    const events = parsedEvents(bytes.toString('utf8'), skipped)
    yield events.sort((a, b) => a.time - b.time || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
    return
  }
  let events: NormalizedEvent[] = []
  for (const part of records.parts) {
    const text = records.textOf(part)
    const record = parsed(text)
    if (record === undefined) {
      yield events
      // What divided the parts was within a record.
      const parser = new LogParser(skipped)
      yield parser.push(bytes.toString('utf8', part.from))
      yield parser.end()
      return
    }
    add(events, record, skipped, text.length)
    if (events.length < BATCH) continue
    yield events
    events = []
  }
  yield events
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function parsedEvents(text: string, skipped: () => void): NormalizedEvent[] {
  const document = isJson(text) ? parsed(text.replace(/^\ufeff/, '')) : undefined
  if (document !== undefined) return eventsOf(document, skipped)
  // Lines: of a flow log, or of one object each.
  const parser = new LogParser(skipped)
  return [...parser.push(text), ...parser.end()]
}

const isJson = (text: string): boolean => /^\ufeff?\s*[[{]/.test(text.slice(0, 1_000))

/** Of a document or an object: CloudTrail, an EventBridge envelope, or a resolver query. */
function eventsOf(document: unknown, skipped: () => void, length?: number): NormalizedEvent[] {
  const events: NormalizedEvent[] = []
  for (const record of cloudTrailRecords(document)) add(events, record, skipped, length)
  return events
}

function add(events: NormalizedEvent[], record: unknown, skipped: () => void, length?: number): void {
  const event =
    normalizeCloudTrail(record, length) ?? normalizeDns(record) ?? normalizeCloudTrail(detailOf(record), length)
  if (event) events.push(event)
  else skipped()
}

const detailOf = (record: unknown): unknown =>
  typeof record === 'object' && record !== null ? (record as { readonly detail?: unknown }).detail : undefined

/** Lines of a flow log may have this many characters. */
const LINE_LENGTH_MAX = 8_192
const UNKNOWN = { account: '', region: 'us-east-1' }

/** Of a text in pieces: JSON, or lines of a flow log. */
class LogParser {
  readonly #objects = new JsonObjects()
  readonly #skipped: () => void
  #kind: 'json' | 'lines' | undefined
  #line = ''
  #columns: FlowColumns = DEFAULT_FLOW_COLUMNS

  constructor(skipped: () => void) {
    this.#skipped = skipped
  }

  push(piece: string): readonly NormalizedEvent[] {
    if (piece.trim() === '') return []
    this.#kind ??= isJson(piece) ? 'json' : 'lines'
    if (this.#kind === 'json') return this.#objects.push(piece).flatMap((text) => this.#parse(text))
    const lines = (this.#line + piece).split('\n')
    this.#line = lines.pop()!.slice(0, LINE_LENGTH_MAX)
    return lines.flatMap((line) => this.#flow(line))
  }

  end(): readonly NormalizedEvent[] {
    if (this.#kind !== 'json') return this.#line === '' ? [] : this.#flow(this.#line)
    const { objects, isComplete } = this.#objects.end()
    if (!isComplete) this.#skipped()
    return objects.flatMap((text) => this.#parse(text))
  }

  #parse(text: string): readonly NormalizedEvent[] {
    try {
      return eventsOf(JSON.parse(text), this.#skipped, text.length)
    } catch {
      this.#skipped()
      return []
    }
  }

  #flow(line: string): readonly NormalizedEvent[] {
    if (line.trim() === '') return []
    const header = flowHeader(line)
    if (header) {
      this.#columns = header
      return []
    }
    const event = normalizeFlow(line, this.#columns, UNKNOWN)
    if (event) return [event]
    // NODATA and SKIPDATA records are no flows, and nothing is wrong with them.
    if (!/\b(?:NODATA|SKIPDATA)\s*$/.test(line)) this.#skipped()
    return []
  }
}
