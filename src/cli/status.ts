/** `merlon status`: does a server answer? */
import type { StreamStatus } from '../planes/streams/stream.ts'
import { callServer } from '../server/admin/admin-socket.ts'
import { shownSealer } from '../server/admin/shown-sealer.ts'
import { isInstalled, keyringOf } from '../server/compose/installation.ts'
import { type Health, isReady } from '../server/listen/health.ts'
import { readKeyring } from '../vault/keyring-file.ts'
import { type Command, portOf, readOptions } from './command.ts'

const options = {
  data: { type: 'string', value: 'DIR', about: 'show a data directory instead: its state and its sealers' },
  host: { type: 'string', value: 'HOST', about: 'where it listens (default 127.0.0.1)' },
  port: { type: 'string', value: 'PORT', about: 'and on which port (default 4566)' },
  json: { type: 'boolean', about: 'for programs' },
} as const

const TIMEOUT_MS = 3_000
const SHOWN: Readonly<Record<Health['status'], string>> = {
  ok: 'answers',
  fenced: 'answers, fenced until it is activated,',
  starting: 'starts',
  leaving: 'is stopping',
  sealed: 'is sealed',
  unavailable: 'is not ready',
}

type Answer = Health & { readonly version: string }

export const status: Command = {
  name: 'status',
  about: 'Shows the health of a running server. Exit status 0 when it is ready, 1 when it is not: the same as /health.',
  options,
  async run(words) {
    const given = readOptions(options, words)
    if (given.data !== undefined) return ofFolder(given.data, given.json ?? false)
    const url = `http://${given.host ?? '127.0.0.1'}:${portOf(given.port, 4566)}`
    const health = await fetchStatus(url)
    if (given.json) process.stdout.write(`${JSON.stringify({ url, ...(health ?? { status: 'down' }) })}\n`)
    else if (health) process.stdout.write(`Merlon ${health.version} ${SHOWN[health.status]} on ${url}${why(health)}\n`)
    else process.stdout.write(`Nothing answers on ${url}. Start one with: merlon start\n`)
    return health && isReady(health) ? 0 : 1
  },
}

/** The state of a data directory, whether or not a server runs on it. */
async function ofFolder(data: string, json: boolean): Promise<number> {
  const response = await callServer(data, { route: 'GET /status', input: {} })
  const state: State = response ? { running: true, ...response } : { running: false, ...atRest(data) }
  process.stdout.write(json ? `${JSON.stringify(state)}\n` : shownState(data, state))
  return response && (!state.health || isReady(state.health)) ? 0 : 1
}

function atRest(data: string): Omit<State, 'running'> {
  if (!isInstalled(data)) return { state: 'uninitialised' }
  const keyring = readKeyring(keyringOf(data))
  if (!keyring) return { state: 'without a keyring' }
  return { state: 'sealed', sealers: keyring.body.sealers.map(shownSealer) }
}

interface State {
  /** Of a server that runs. */
  readonly health?: Health
  readonly running: boolean
  readonly state?: string
  readonly sealers?: readonly { readonly id: string; readonly kind: string; readonly testedAt?: string }[]
  readonly streams?: readonly StreamStatus[]
  readonly entries?: readonly { readonly sealer: string; readonly given: number; readonly expiresAt: number }[]
}

const why = ({ message }: Health): string => (message === undefined ? '' : `: ${message}`)

function shownState(data: string, { running, state, health, sealers = [], entries = [], streams = [] }: State): string {
  return [
    `${data}: ${state}${running ? '' : ', and no server runs on it'}`,
    ...(health && !isReady(health) && health.status !== 'sealed' ? [`  ${SHOWN[health.status]}${why(health)}`] : []),
    ...sealers.map(({ id, kind, testedAt }) => `  ${id}  ${kind.padEnd(10)}  last tested ${testedAt ?? 'never'}`),
    ...entries.map(
      ({ sealer, given, expiresAt }) =>
        `  ${given} shares entered for ${sealer}, until ${new Date(expiresAt).toISOString()}`,
    ),
    ...streams.map((stream) => `  ${stream.kind} to ${stream.target}: ${howItGoes(stream)}`),
    '',
  ].join('\n')
}

function howItGoes({ sent, through, error, elsewhere }: StreamStatus): string {
  if (error !== undefined) return `WAITS, ${error}`
  if (elsewhere !== undefined) return `${elsewhere} sends`
  return `${sent} sent${through === undefined ? '' : `, through ${through}`}`
}

/** A server that is not ready answers with status 503. */
async function fetchStatus(url: string): Promise<Answer | undefined> {
  try {
    const answer = await fetch(`${url}/health`, { signal: AbortSignal.timeout(TIMEOUT_MS) })
    return answer.ok || answer.status === 503 ? ((await answer.json()) as Answer) : undefined
  } catch {
    return undefined
  }
}
