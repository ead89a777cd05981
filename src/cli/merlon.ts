#!/usr/bin/env node
import { acm } from './acm.ts'
/** The command line: `merlon COMMAND [options]`. */
import { audit } from './audit.ts'
import { backup } from './backup.ts'
import { ca } from './ca.ts'
import { type Command, UsageError } from './command.ts'
import { completionCommand } from './completion.ts'
import { credentials } from './credentials.ts'
import { demo } from './demo.ts'
import { detect } from './detect.ts'
import { dev } from './dev.ts'
import { doctor } from './doctor.ts'
import { inspect } from './encryption/inspect.ts'
import { decrypt, encrypt } from './encryption.ts'
import { errorText } from './error-text.ts'
import { exportCommand } from './export.ts'
import { command, helpOf, overview } from './help.ts'
import { identitySource } from './identity-source.ts'
import { inbox } from './inbox.ts'
import { init } from './init.ts'
import { net } from './net.ts'
import { plane } from './plane.ts'
import { policy } from './policy.ts'
import { portalPassword } from './portal-password.ts'
import { pytestPlugin } from './pytest-plugin.ts'
import { rekey } from './rekey.ts'
import { restore } from './restore.ts'
import { rootPassword } from './root-password.ts'
import { rotateRoot } from './rotate-root.ts'
import { samlApp } from './saml-app.ts'
import { scimToken } from './scim-token.ts'
import { seal } from './seal.ts'
import { sealer } from './sealer.ts'
import { secret } from './secret.ts'
import { start } from './start.ts'
import { status } from './status.ts'
import { store } from './store.ts'
import { trust } from './trust.ts'
import { unseal } from './unseal.ts'
import { version } from './version.ts'
import { waf } from './waf.ts'

const commands: readonly Command[] = [
  start,
  init,
  status,
  doctor,
  unseal,
  seal,
  sealer,
  rekey,
  rootPassword,
  portalPassword,
  scimToken,
  samlApp,
  identitySource,
  rotateRoot,
  trust,
  ca,
  backup,
  restore,
  exportCommand,
  store,
  plane,
  policy,
  waf,
  net,
  detect,
  audit,
  credentials,
  secret,
  acm,
  encrypt,
  decrypt,
  inspect,
  inbox,
  demo,
  dev,
  pytestPlugin,
  completionCommand(() => commands),
]

async function main(words: readonly string[]): Promise<number> {
  const [name, ...rest] = words
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    process.stdout.write(rest.length > 0 && rest[0] !== 'help' ? helpOf(commands, rest) : overview())
    return name === undefined ? 2 : 0
  }
  if (name === 'version' || name === '--version' || name === '-v') {
    process.stdout.write(`merlon ${version}\n`)
    return 0
  }
  const found = command(commands, name)
  const own = rest.includes('--') ? rest.slice(0, rest.indexOf('--')) : rest
  if (own.includes('--help') || own.includes('-h')) {
    process.stdout.write(helpOf(commands, words))
    return 0
  }
  return found.run(rest)
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`merlon: ${errorText(error)}\n`)
  process.exitCode = error instanceof UsageError ? 2 : 1
}
