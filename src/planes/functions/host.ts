/** Where functions run: each kind of code has its executor, and the slots of this node. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Transport } from '../../kernel/client/client.ts'
import type { FunctionCode, FunctionOutcome, FunctionRun, FunctionsPort } from '../../kernel/ports/functions.ts'
import type { Handler } from '../../wire/node-http.ts'
import { runBuiltin } from './builtin-executor.ts'
import { builtins } from './builtins.ts'
import { Egress, type EgressList } from './egress.ts'
import { runHttp } from './http-executor.ts'
import { Packages } from './packages.ts'
import { runProcess, targetsOf } from './process-executor.ts'
import { runtimeOf } from './runtimes.ts'
import { sandboxRefusal } from './sandbox.ts'
import { Slots } from './slots.ts'
import { sweepTemporary, temporaryFolder } from './temporary.ts'
import { checkZip, ZipError } from './zip.ts'

export interface FunctionsOptions {
  /** The signed API, for functions that call it. */
  readonly handler: Handler
  readonly now: () => number
  readonly egress: EgressList
  /** Whether packages of customers run here: `merlon start --functions process`. */
  readonly process: boolean
  /** For functions behind HTTPS: certificates to trust instead of the usual ones, in PEM. */
  readonly ca?: string | undefined
}

export interface FunctionHost extends FunctionsPort {
  close(): Promise<void>
}

const LIMITS = { running: 256, waiting: 1024, waitMs: 30_000 }
/** A sandbox costs processes and memory. */
const SANDBOX_LIMITS = { running: 8, waiting: 64, waitMs: 30_000 }
const OFF =
  'Deployment packages do not run here: start Merlon with --functions process, or name a built-in function with PackageType Image and ImageUri merlon/NAME.'

export function functionHost({ handler, now, egress: list, process, ca }: FunctionsOptions): FunctionHost {
  const egress = new Egress(list)
  const slots = new Slots(LIMITS)
  const sandboxes = new Slots(SANDBOX_LIMITS)
  const transport: Transport = { host: 'localhost', send: handler }
  let packages: Packages | undefined
  if (process) sweepTemporary()

  async function execute(run: FunctionRun): Promise<FunctionOutcome> {
    const { code } = run
    switch (code.kind) {
      case 'builtin':
        return slots.during(async () => runBuiltin(await builtins[code.name]!(), run, { egress, transport, now }))
      case 'http':
        return slots.during(() => runHttp(code.url, run, { egress, now, ca }))
      case 'process':
        return sandboxes.during(() => {
          packages ??= new Packages(temporaryFolder('functions'))
          return runProcess({ ...run, code }, { egress, api: handler, packages, scripts: scriptsFolder() })
        })
    }
  }

  return {
    refusal: (code, environment) => refusalOf(code, environment, process),
    faultIn: async (zip) => {
      try {
        await checkZip(zip)
        return undefined
      } catch (error) {
        if (error instanceof ZipError) return error.message
        throw error
      }
    },
    run: execute,
    close: async () => packages?.close(),
  }
}

function refusalOf(
  code: FunctionCode,
  environment: Readonly<Record<string, string>>,
  process: boolean,
): string | undefined {
  switch (code.kind) {
    case 'builtin':
      return Object.hasOwn(builtins, code.name)
        ? undefined
        : `There is no built-in function ${code.name}. There are: ${Object.keys(builtins).join(', ')}.`
    case 'http':
      return URL.canParse(code.url) && new URL(code.url).protocol === 'https:'
        ? undefined
        : 'ImageUri must be merlon/NAME, of a built-in function, or an https address that takes events.'
    case 'process':
      return process ? packageRefusal(code.runtime, environment) : OFF
  }
}

function packageRefusal(runtime: string, environment: Readonly<Record<string, string>>): string | undefined {
  const found = runtimeOf(runtime)
  if (typeof found === 'string') return found
  try {
    targetsOf(environment)
  } catch (error) {
    return (error as Error).message
  }
  return sandboxRefusal()
}

/** Beside the bundle, beside its chunks, or in the source tree. */
function scriptsFolder(): string {
  const places = ['./sandbox', '../sandbox'].map((place) => fileURLToPath(new URL(place, import.meta.url)))
  const found = places.find((place) => existsSync(join(place, 'relay.mjs')))
  if (!found) throw new Error('the scripts of the function sandbox are missing from this installation')
  return found
}
