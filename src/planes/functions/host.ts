/** Where functions run: each kind of code has its executor, and all share the slots of this node. */
import type { Transport } from '../../kernel/client.ts'
import type { FunctionCode, FunctionOutcome, FunctionRun, FunctionsPort } from '../../kernel/functions.ts'
import type { Handler } from '../../wire/node-http.ts'
import { runBuiltin } from './builtin-executor.ts'
import { builtins } from './builtins.ts'
import { Egress, type EgressList } from './egress.ts'
import { runHttp } from './http-executor.ts'
import { ProcessExecutor } from './process-executor.ts'
import { Slots } from './slots.ts'
import { checkZip, ZipError } from './zip.ts'

export interface FunctionsOptions {
  /** The signed API, for functions that call it. */
  readonly handler: Handler
  readonly now: () => number
  readonly egress: EgressList
  /** Whether packages of customers run here: `merlon start --functions process`. */
  readonly process: boolean
}

export interface FunctionHost extends FunctionsPort {
  close(): Promise<void>
}

const LIMITS = { running: 32, waiting: 256, waitMs: 30_000 }
const OFF =
  'Deployment packages do not run here: start Merlon with --functions process, or name a built-in function with PackageType Image and ImageUri merlon/NAME.'

export function functionHost({ handler, now, egress: list, process }: FunctionsOptions): FunctionHost {
  const egress = new Egress(list)
  const slots = new Slots(LIMITS)
  const transport: Transport = { host: 'localhost', send: handler }
  let packages: ProcessExecutor | undefined

  async function execute(run: FunctionRun): Promise<FunctionOutcome> {
    const { code } = run
    switch (code.kind) {
      case 'builtin':
        return runBuiltin(await builtins[code.name]!(), run, { egress, transport, now })
      case 'http':
        return runHttp(code.url, run, { egress, now })
      case 'process':
        packages ??= new ProcessExecutor({ egress, handler, now })
        return packages.run(code, run)
    }
  }

  return {
    refusal: (code, environment) => refusalOf(code, environment, process),
    faultIn: (zip) => {
      try {
        checkZip(zip)
        return undefined
      } catch (error) {
        if (error instanceof ZipError) return error.message
        throw error
      }
    },
    run: (run) => slots.during(() => execute(run)),
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
      return process ? ProcessExecutor.refusal(code, environment) : OFF
  }
}
