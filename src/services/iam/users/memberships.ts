/** Which users are in which group: named on the user, and indexed by group. */
import type { Call } from '../../../kernel/gate/call.ts'
import { type Key, key, under } from '../../../store/store.ts'

interface Membership {
  readonly user: string
}

const membershipKey = (call: Call, group: string, user: string): Key =>
  key('iam', 'member', call.account, group.toLowerCase(), user.toLowerCase())

export function joinGroup(call: Call, group: string, user: string): void {
  call.unit.put(membershipKey(call, group, user), { user } satisfies Membership)
}

export function leaveGroup(call: Call, group: string, user: string): void {
  call.unit.delete(membershipKey(call, group, user))
}

/** Names of a group's users, in order. */
export async function membersOf(call: Call, group: string, limit?: number): Promise<readonly string[]> {
  const entries = await call.unit.range<Membership>(under('iam', 'member', call.account, group.toLowerCase()), {
    limit,
  })
  return entries.map(({ document }) => document.user)
}
