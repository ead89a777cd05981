/** Reads the files, runs the detector over their events, and writes its findings. */
import { aggregate } from '../../engines/detect/aggregate.ts'
import { createDetector } from '../../engines/detect/detector.ts'
import type { DetectedFinding, Detector, NormalizedEvent } from '../../engines/detect/types.ts'
import { exposureOf } from '../../policy/index.ts'
import { endWithClosedPipe } from '../closed-pipe.ts'
import { plain } from '../plain.ts'
import { InputError } from '../policy/files.ts'
import { readInstances, readList, readRules, readThreatList } from './inputs.ts'
import { bucketFiles, isBucket, type LogFile } from './log-buckets.ts'
import { LATENESS_MS, listLogFiles, readEvents } from './log-files.ts'

export interface DetectionOptions {
  readonly files: readonly string[]
  readonly baseline: readonly string[]
  readonly learningDays: number
  readonly instances: string | undefined
  readonly threatLists: readonly string[]
  readonly trustedLists: readonly string[]
  readonly rules: readonly string[]
  readonly disable: readonly string[]
  readonly severityMin: number
  readonly failOn: number | undefined
  readonly json: boolean
}

const DAY_MS = 86_400_000
/** Findings that may still grow; the one that changed longest ago is written first. */
const OPEN_FINDINGS_MAX = 10_000
const EVENT_IDS_MAX = 1_000

interface Counts {
  events: number
  files: number
  skipped: number
  broken: number
  readonly unknown: string[]
}

/** Returns the exit status: 2 if a file cannot be read, 1 for a finding of the severity of `failOn`. */
export async function runDetection(options: DetectionOptions): Promise<number> {
  const detector = createDetector({
    publicAccess: exposureOf,
    learningMs: options.learningDays * DAY_MS,
    latenessMs: LATENESS_MS,
    tracksChanges: false,
    threatLists: options.threatLists.map(readThreatList),
    trustedLists: options.trustedLists.map(readList),
    operatorRules: options.rules.flatMap(readRules),
    disabledRules: options.disable,
    ...(options.instances !== undefined && { instances: readInstances(options.instances) }),
  })
  const learned = await readAll(options.baseline, (event) => detector.learn(event))
  if (options.baseline.length > 0 && learned.events === 0)
    throw new InputError(`${options.baseline.join(', ')}: there are no events to learn from.`)

  endWithClosedPipe()
  const report = new Report(options)
  const counts = await readAll(options.files, (event) => report.add(detector.ingest(event)))
  report.add(advanceToEnd(detector))
  report.end()
  summarize(counts, report.written)
  if (counts.broken > 0) return 2
  return report.isFailure ? 1 : 0
}

const advanceToEnd = (detector: Detector): readonly DetectedFinding[] => detector.advance(Number.POSITIVE_INFINITY)

async function readAll(roots: readonly string[], take: (event: NormalizedEvent) => void): Promise<Counts> {
  const counts: Counts = { events: 0, files: 0, skipped: 0, broken: 0, unknown: [] }
  for await (const { name, fetched } of filesOf(roots)) {
    const before = counts.events
    counts.files += 1
    try {
      for await (const events of readEvents(await fetched(), () => (counts.skipped += 1))) {
        for (const event of events) take(event)
        counts.events += events.length
      }
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      // One broken file of thousands hides nothing in the others.
      process.stderr.write(`merlon: ${plain(error.message)}\n`)
      counts.broken += 1
      continue
    }
    if (counts.events === before && counts.unknown.length < 5) counts.unknown.push(name)
  }
  return counts
}

async function* filesOf(roots: readonly string[]): AsyncGenerator<LogFile> {
  for (const root of roots)
    if (isBucket(root)) yield* bucketFiles(root)
    else for (const path of listLogFiles(root)) yield { name: path, fetched: async () => path }
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`

/** On standard error: standard output has findings alone. */
function summarize({ events, files, skipped, unknown }: Counts, findings: number): void {
  const read = `${counted(events, 'event')} in ${counted(files, 'file')}`
  process.stderr.write(`merlon: ${read}, ${counted(findings, 'finding')}.\n`)
  if (skipped > 0) process.stderr.write(`merlon: ${counted(skipped, 'record')} of no known kind.\n`)
  for (const file of unknown) process.stderr.write(`merlon: ${plain(file)}: no events were recognized.\n`)
}

class Report {
  readonly #open = new Map<string, DetectedFinding>()
  readonly #options: DetectionOptions
  written = 0
  isFailure = false

  constructor(options: DetectionOptions) {
    this.#options = options
  }

  add(findings: readonly DetectedFinding[]): void {
    for (const finding of findings) {
      if (finding.severity < this.#options.severityMin) continue
      const before = this.#open.get(finding.id)
      this.#open.delete(finding.id)
      this.#open.set(finding.id, aggregate(before, finding, EVENT_IDS_MAX))
      if (this.#open.size > OPEN_FINDINGS_MAX) this.#write(this.#open.keys().next().value!)
    }
  }

  end(): void {
    for (const [id] of [...this.#open].sort(byTime)) this.#write(id)
  }

  #write(id: string): void {
    const finding = this.#open.get(id)!
    this.#open.delete(id)
    this.written += 1
    const { failOn, json } = this.#options
    this.isFailure ||= failOn !== undefined && finding.severity >= failOn
    process.stdout.write(json ? `${JSON.stringify(shown(finding))}\n` : text(finding))
  }
}

type Entry = readonly [id: string, finding: DetectedFinding]

const byTime = ([idA, a]: Entry, [idB, b]: Entry): number => a.firstSeen - b.firstSeen || (idA < idB ? -1 : 1)

const time = (ms: number): string => new Date(ms).toISOString()

const shown = ({ type, severity, firstSeen, lastSeen, ...rest }: DetectedFinding) => ({
  type,
  severity,
  firstSeen: time(firstSeen),
  lastSeen: time(lastSeen),
  ...rest,
})

const LABELS = [
  [9, 'CRITICAL'],
  [7, 'HIGH'],
  [4, 'MEDIUM'],
  [0, 'LOW'],
] as const

function text(finding: DetectedFinding): string {
  const label = LABELS.find(([least]) => finding.severity >= least)![1]
  const ids = finding.eventIds.length
  return [
    `${label.padEnd(8)} ${plain(finding.type)}  ${time(finding.firstSeen)}  ×${finding.count}`,
    `         ${plain(finding.title)}`,
    `         ${plain(finding.description)}`,
    `         Account ${plain(finding.account)}, ${plain(finding.region)}; ${ids} event${ids === 1 ? '' : 's'}: ${plain(finding.eventIds.slice(0, 3).join(', '))}${ids > 3 ? ', …' : ''}`,
    '',
    '',
  ].join('\n')
}
