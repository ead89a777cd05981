/** The index from a managed policy to the identities it is attached to, or bounds. */
import type { Call } from '../../../kernel/gate/call.ts'
import { key, under } from '../../../store/store.ts'

export type HolderKind = 'user' | 'group' | 'role'
export type Use = HolderKind | 'user-boundary' | 'role-boundary'

interface Attachment {
  readonly name: string
}

type Place = Pick<Call, 'account'>
type Writing = Pick<Call, 'account' | 'unit'>

const attachmentKey = (call: Place, policyArn: string, use: Use, name: string) =>
  key('iam', 'attached', call.account, policyArn, use, name.toLowerCase())

export function indexAttachment(call: Writing, policyArn: string, use: Use, name: string): void {
  call.unit.put(attachmentKey(call, policyArn, use, name), { name } satisfies Attachment)
}

export function dropAttachment(call: Writing, policyArn: string, use: Use, name: string): void {
  call.unit.delete(attachmentKey(call, policyArn, use, name))
}

/** Names of the users, groups or roles that use a policy so. */
export async function usersOf(call: Call, policyArn: string, use: Use): Promise<readonly string[]> {
  const entries = await call.unit.range<Attachment>(under('iam', 'attached', call.account, policyArn, use))
  return entries.map(({ document }) => document.name)
}
