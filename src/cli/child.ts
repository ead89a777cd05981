/** A program run with more in its environment: signals pass on, and its exit status is ours. */
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { UsageError } from './command.ts'

/** Splits `options -- program arguments`; the program is undefined where there is no `--`. */
export function programOf(
  words: readonly string[],
): readonly [own: readonly string[], program: readonly string[] | undefined] {
  const at = words.indexOf('--')
  if (at < 0) return [words, undefined]
  if (at === words.length - 1) throw new UsageError('No command follows the --.')
  return [words.slice(0, at), words.slice(at + 1)]
}

export function runProgram(
  [program, ...words]: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const child = spawn(program!, words, { stdio: 'inherit', env: environment })
  const pass = (signal: NodeJS.Signals) => void child.kill(signal)
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, pass)
  return new Promise((resolve, reject) => {
    child.on('error', (error) => reject(new UsageError(`${program} cannot be run: ${error.message}`)))
    // As shells do: 128 and the number of the signal.
    child.on('exit', (status, signal) => resolve(status ?? 128 + (signal ? constants.signals[signal] : 0)))
  })
}
