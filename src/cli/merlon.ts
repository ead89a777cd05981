#!/usr/bin/env node
/** The command line: `merlon COMMAND [options]`. */
import { UsageError } from './command.ts'
import { commandNamed, helpOf } from './commands.ts'
import { overview } from './help.ts'
import { version } from './version.ts'

async function main(words: readonly string[]): Promise<number> {
  const [name, ...rest] = words
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    process.stdout.write(rest.length > 0 && rest[0] !== 'help' ? await helpOf(rest) : overview())
    return name === undefined ? 2 : 0
  }
  if (name === 'version' || name === '--version' || name === '-v') {
    process.stdout.write(`merlon ${version}\n`)
    return 0
  }
  const found = await commandNamed(name)
  const own = rest.includes('--') ? rest.slice(0, rest.indexOf('--')) : rest
  if (own.includes('--help') || own.includes('-h')) {
    process.stdout.write(await helpOf(words))
    return 0
  }
  return found.run(rest)
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  const { errorText } = await import('./error-text.ts')
  process.stderr.write(`merlon: ${errorText(error)}\n`)
  process.exitCode = error instanceof UsageError ? 2 : 1
}
