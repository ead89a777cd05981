/** The index from a role to the instance profiles that carry it. */
import type { Call } from '../../../kernel/gate/call.ts'
import { type Key, key, under } from '../../../store/store.ts'

export const carriedKey = (call: Call, roleName: string, profile: string): Key =>
  key('iam', 'in-profile', call.account, roleName.toLowerCase(), profile.toLowerCase())

/** Names of the instance profiles that carry a role. */
export async function profilesOf(call: Call, roleName: string): Promise<readonly string[]> {
  const at = under('iam', 'in-profile', call.account, roleName.toLowerCase())
  const entries = await call.unit.range<{ name: string }>(at)
  return entries.map(({ document }) => document.name)
}
