/** Runs functions that are part of Merlon: with their role's credential and the way out, and nothing else. */
import { Client, element, type Transport } from '../../kernel/client/client.ts'
import type { FunctionOutcome, FunctionRun } from '../../kernel/ports/functions.ts'
import type { SigningCredential } from '../../wire/sigv4/index.ts'
import type { Builtin, BuiltinWorld } from './builtin.ts'
import type { Egress } from './egress.ts'
import { LogTail } from './log-tail.ts'
import { failed, succeeded, timedOut } from './outcome.ts'

export interface BuiltinHost {
  readonly egress: Egress
  /** The signed API, through the same request pipeline as every client. */
  readonly transport: Transport
  readonly now: () => number
}

export async function runBuiltin(builtin: Builtin, run: FunctionRun, host: BuiltinHost): Promise<FunctionOutcome> {
  const log = new LogTail()
  const ending = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<typeof LATE>((resolve) => {
    timer = setTimeout(() => resolve(LATE), run.timeoutMs)
  })
  try {
    const working = builtin(JSON.parse(run.payload.toString('utf8')), worldOf(run, host, log, ending.signal))
    const answer = await Promise.race([working, late])
    if (answer === LATE) {
      working.catch(() => undefined)
      return timedOut(run.requestId, run.timeoutMs, host.now(), log.bytes())
    }
    return succeeded(Buffer.from(JSON.stringify(answer) ?? 'null'), log.bytes())
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error))
    return failed({ errorMessage: message, errorType: name }, log.bytes(), 'Handled')
  } finally {
    clearTimeout(timer)
    // Whatever it has opened ends with it.
    ending.abort()
  }
}

const LATE = Symbol('late')

function worldOf(run: FunctionRun, host: BuiltinHost, log: LogTail, signal: AbortSignal): BuiltinWorld {
  const { accessKeyId, secretAccessKey: secret, sessionToken } = run.credential
  const clientOf = (credential: SigningCredential) =>
    new Client({ credential, region: run.region, now: host.now, transport: host.transport })
  const client = clientOf({ accessKeyId, secret, sessionToken })
  return {
    secretsmanager: (operation, input) => {
      signal.throwIfAborted()
      return client.json('secretsmanager', `secretsmanager.${operation}`, input)
    },
    iam: (action, parameters) => {
      signal.throwIfAborted()
      return client.query('iam', action, parameters)
    },
    callerOf: async (key) => {
      signal.throwIfAborted()
      return element(await clientOf(key).query('sts', 'GetCallerIdentity'), 'Arn') ?? ''
    },
    dial: (to, port) => host.egress.dial(to, port, signal),
    environment: run.environment,
    log: (line) => log.line(line),
    now: host.now,
    signal,
  }
}
