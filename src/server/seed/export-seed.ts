/** Writes what a server has as a seed, without secrets: read as the root user of each account, and recorded. */
import type { Cloud } from '../compose/cloud.ts'
import { exportIdentityCenter } from './identity-center.ts'
import { exportOrganization, managementOf } from './organization.ts'
import { accountOf } from './part.ts'
import { parts } from './parts.ts'
import type { Seed, SeedAccount } from './seed-format.ts'

export interface ExportedSeed {
  readonly seed: Seed
  /** What a seed cannot say, or must not: sentences without an end. */
  readonly leftOut: readonly string[]
}

const REGION_DEFAULT = 'us-east-1'

/** `region`: of what is regional. */
export async function exportSeed(cloud: Cloud, region: string = REGION_DEFAULT): Promise<ExportedSeed> {
  const leftOut: string[] = []
  const leaveOut = (sentence: string) => void leftOut.push(sentence)
  const open = (await cloud.accounts()).filter(({ closedAt }) => closedAt === undefined)
  const accounts: SeedAccount[] = []
  let rest: Omit<Seed, 'accounts'> = {}
  for (const { id, name } of open) {
    const at = { id, ...(name !== id && { name }), ...(region !== REGION_DEFAULT && { region }) }
    const account = accountOf(cloud, at)
    const found: [string, readonly object[]][] = []
    for (const { kind, export: read } of parts) found.push([kind, await read(account, leaveOut)])
    accounts.push({ ...at, ...Object.fromEntries(found.filter(([, items]) => items.length > 0)) })
    const management = await managementOf(account)
    if (management === id) rest = { ...rest, organization: await exportOrganization(account, leaveOut) }
    const identityCenter = await exportIdentityCenter(account, leaveOut)
    if (!identityCenter) continue
    if (rest.identityCenter) leaveOut(`the identity center of account ${id}: a seed has one`)
    else rest = { ...rest, identityCenter }
  }
  return { seed: { accounts, ...rest }, leftOut }
}
