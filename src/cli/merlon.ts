#!/usr/bin/env node
/** The command line: `merlon COMMAND [options]`. */
import { audit } from './audit.ts'
import { backup } from './backup.ts'
import { type Command, UsageError, usage } from './command.ts'
import { credentials } from './credentials.ts'
import { demo } from './demo.ts'
import { errorText } from './error-text.ts'
import { init } from './init.ts'
import { policy } from './policy.ts'
import { rekey } from './rekey.ts'
import { restore } from './restore.ts'
import { rotateRoot } from './rotate-root.ts'
import { seal } from './seal.ts'
import { sealer } from './sealer.ts'
import { secret } from './secret.ts'
import { start } from './start.ts'
import { status } from './status.ts'
import { store } from './store.ts'
import { trust } from './trust.ts'
import { unseal } from './unseal.ts'
import { version } from './version.ts'

const commands: readonly Command[] = [
  start,
  init,
  status,
  unseal,
  seal,
  sealer,
  rekey,
  rotateRoot,
  trust,
  backup,
  restore,
  store,
  policy,
  audit,
  credentials,
  secret,
  demo,
]

async function main(words: readonly string[]): Promise<number> {
  const [name, ...rest] = words
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    process.stdout.write(usage(commands))
    return name === undefined ? 2 : 0
  }
  if (name === 'version' || name === '--version') {
    process.stdout.write(`merlon ${version}\n`)
    return 0
  }
  const command = commands.find((candidate) => candidate.name === name)
  if (!command) throw new UsageError(`There is no command '${name}'. Run 'merlon help' for those there are.`)
  if (rest.includes('--help') || rest.includes('-h')) {
    process.stdout.write(command.help?.(rest) ?? usage([command]))
    return 0
  }
  return command.run(rest)
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`merlon: ${errorText(error)}\n`)
  process.exitCode = error instanceof UsageError ? 2 : 1
}
