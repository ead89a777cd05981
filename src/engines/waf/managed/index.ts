/** The managed rule groups, by vendor and name. */
import { anonymousIp, ipReputation } from './addresses.ts'
import { botControl } from './bot-control.ts'
import { core } from './core.ts'
import { injection } from './injection.ts'
import { knownBadInputs } from './known-bad-inputs.ts'
import { adminProtection, linux, php, unix, windows, wordPress } from './platforms.ts'
import type { ManagedGroup } from './rules.ts'
import { sqlDatabase } from './sql-database.ts'

export type { ManagedGroup } from './rules.ts'

export const managedGroups: readonly ManagedGroup[] = [
  core,
  adminProtection,
  knownBadInputs,
  sqlDatabase,
  linux,
  unix,
  windows,
  php,
  wordPress,
  ipReputation,
  anonymousIp,
  botControl,
  injection,
]

export const managedGroupOf = (vendor: string, name: string): ManagedGroup | undefined =>
  managedGroups.find((group) => group.vendor === vendor && group.name === name)
