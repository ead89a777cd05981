/** Ways in which a process can expose its memory. In production none of them may be open. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { TrustError } from '../../vault/vault.ts'

export interface ProcessFacts {
  readonly execArgv: readonly string[]
  readonly environment: Readonly<Record<string, string | undefined>>
  /** `/proc/self/limits`, where there is one. */
  readonly limits: string | undefined
}

/** Flags that debug, dump, load or report. */
const UNSAFE_FLAG =
  /^--(inspect|debug|heapsnapshot|heap-prof|cpu-prof|prof\b|report|diagnostic|trace|require|import|loader|experimental-loader|abort-on-uncaught-exception|expose|allow-natives)/

export function factsOfThisProcess(): ProcessFacts {
  return { execArgv: process.execArgv, environment: process.env, limits: limitsOfThisProcess() }
}

/** The ways that are open, each as a sentence; empty when there are none. */
export function unsafeIn({ execArgv, environment, limits }: ProcessFacts): readonly string[] {
  const flags = execArgv.filter((flag) => UNSAFE_FLAG.test(flag) || flag === '-r')
  const variables = ['NODE_OPTIONS', 'NODE_V8_COVERAGE', 'NODE_DEBUG'].filter((name) => environment[name])
  const core = /^Max core file size\s+(\S+)/m.exec(limits ?? '')?.[1]
  return [
    ...flags.map((flag) => `node runs with ${flag.split('=')[0]}`),
    ...variables.map((name) => `${name} is set`),
    ...(core === undefined || core === '0'
      ? []
      : [`a crash would write memory to disk (core file size ${core}): use 'ulimit -c 0', or LimitCORE=0`]),
  ]
}

/** Takes the right to dump core from this process, where the system has a tool for that; Node has no call for it. */
export function forbidCoreDumps(): void {
  try {
    execFileSync('prlimit', ['--pid', String(process.pid), '--core=0:0'], { stdio: 'ignore' })
  } catch {
    // What could not be taken is found, and refused, below.
  }
}

/** Throws `MERLON_UNSAFE_PROCESS`. */
export function refuseUnsafe(facts: ProcessFacts): void {
  const found = unsafeIn(facts)
  if (found.length > 0) throw new TrustError('MERLON_UNSAFE_PROCESS', `${found.join('; ')}.`)
}

/** Node opens its debugger on SIGUSR1 unless the signal has another handler. */
export function ignoreDebuggerSignal(): void {
  process.on('SIGUSR1', () => undefined)
}

function limitsOfThisProcess(): string | undefined {
  try {
    return readFileSync('/proc/self/limits', 'utf8')
  } catch {
    return undefined
  }
}
