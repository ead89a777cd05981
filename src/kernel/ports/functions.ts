/**
 * The functions port: code that runs for customers; provided by the functions plane and used by Lambda. Bytes and facts, no
 * AWS shapes.
 */
import { port } from './port.ts'

/** Of the function's execution role. */
export interface FunctionCredential {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
}

export type FunctionCode =
  /** A function that is part of Merlon, by its name. */
  | { readonly kind: 'builtin'; readonly name: string }
  /** `zip` is fetched only when this node has not unpacked `sha256` (hex) yet. */
  | {
      readonly kind: 'process'
      readonly runtime: string
      readonly handler: string
      readonly sha256: string
      readonly zip: () => Promise<Buffer>
    }
  /** A signed POST of the event. */
  | { readonly kind: 'http'; readonly url: string }

export interface FunctionRun {
  readonly account: string
  readonly region: string
  /** Unqualified. */
  readonly arn: string
  /** `$LATEST`, or the number of a published version. */
  readonly version: string
  readonly requestId: string
  readonly code: FunctionCode
  /** JSON payload of `Invoke`. */
  readonly payload: Buffer
  readonly environment: Readonly<Record<string, string>>
  readonly credential: FunctionCredential
  readonly timeoutMs: number
  readonly memoryMb: number
  /** Of its own `/tmp`. */
  readonly storageMb: number
}

export interface FunctionOutcome {
  /** JSON: the answer, or `{errorMessage, errorType, stackTrace?}`. */
  readonly payload: Buffer
  /**
   * Absent on success. `Unhandled`: the code threw in a runtime of Merlon's, as AWS's runtimes report it, its process
   * died, or it timed out. `Handled`: a built-in function, or one behind HTTP, reported the error itself.
   */
  readonly error?: 'Handled' | 'Unhandled'
  /** What it wrote, the last 4 KiB. */
  readonly log: Buffer
}

/** As many functions run and wait as this node bears: the caller should try later. */
export class FunctionsBusy extends Error {
  override readonly name = 'FunctionsBusy'
}

export interface FunctionsPort {
  /** Why this code cannot run here, and what to do, before a function depends on it; undefined when it can. */
  refusal(code: FunctionCode, environment: Readonly<Record<string, string>>): string | undefined
  /** What is wrong with a deployment package, as AWS words it; undefined when it can be unpacked. */
  faultIn(zip: Buffer): Promise<string | undefined>
  /** Throws {@link FunctionsBusy}; what the function does wrong is an outcome. */
  run(run: FunctionRun): Promise<FunctionOutcome>
}

export const functions = port<FunctionsPort>('functions')
