/** The stages of a directory: its servers are checked when it is created, and from then on. */
import { lifecycle, type StepResult } from '../../kernel/jobs/lifecycle.ts'
import { directoryServers } from '../../kernel/ports/directory-servers.ts'
import type { JobContext } from '../../kernel/service/service.ts'
import { type DirectoryRow, type DirectoryState, passwordPlace } from './resources.ts'

const MINUTE_MS = 60_000

export async function checkedAccount({ use, vault }: Pick<JobContext, 'use' | 'vault'>, row: DirectoryRow) {
  const password = vault.open(passwordPlace(row.account, row.id), row.password)
  try {
    return await use(directoryServers).check({
      domain: row.name,
      userName: row.userName,
      password: password.toString('utf8'),
    })
  } finally {
    password.fill(0)
  }
}

const REASONS = {
  unconfigured: (name: string) =>
    `No LDAP server is configured for ${name}. Merlon connects to existing directories and runs none itself: the operator names the servers of a domain in MERLON_DIRECTORY_SERVERS.`,
  refused: (name: string) => `The servers of ${name} refuse the user name and password of the service account.`,
  unavailable: (name: string) => `No LDAP server of ${name} answers over TLS.`,
} as const

type Result = StepResult<DirectoryState, DirectoryRow>

async function created(context: JobContext, row: DirectoryRow): Promise<Result> {
  const found = await checkedAccount(context, row)
  if (found === 'accepted') return { to: 'Active', row: { stageReason: undefined } }
  const stageReason = REASONS[found](row.name)
  return found === 'unavailable' ? { row: { stageReason } } : { to: 'Failed', row: { stageReason } }
}

async function watched(context: JobContext, row: DirectoryRow): Promise<Result> {
  const found = await checkedAccount(context, row)
  if (found === 'accepted') return { to: 'Active', row: { stageReason: undefined } }
  return { to: 'Inoperable', row: { stageReason: REASONS[found](row.name) } }
}

export const stages = lifecycle<DirectoryState, DirectoryRow>('ds.stage', {
  Creating: { everyMs: 10_000, ends: { afterMs: 5 * MINUTE_MS, to: 'Failed' }, step: created },
  Active: { everyMs: 5 * MINUTE_MS, step: watched },
  Inoperable: { everyMs: MINUTE_MS, step: watched },
  Failed: 'end',
})
