/** What can hang on a user, all kept under the user's id, so that a new name changes nothing. */
import type { Call } from '../../../kernel/gate/call.ts'
import { type Entry, key, under } from '../../../store/store.ts'

/** Kind → the text of AWS's DeleteConflict. */
const kinds = {
  'access-key': 'delete access keys',
  'login-profile': 'delete login profile',
  'mfa-device': 'delete MFA device',
  passkey: 'delete MFA device',
  'signing-certificate': 'delete signing certificates',
  'ssh-public-key': 'delete SSH public keys',
  'service-credential': 'remove referenced objects',
} as const

export type SubordinateKind = keyof typeof kinds

export const subordinateKey = (account: string, userId: string, kind: SubordinateKind, id: string) =>
  key('iam', 'hangs', account, userId, kind, id)

export function hangingOf<T extends object>(
  call: Pick<Call, 'unit' | 'account'>,
  userId: string,
  kind: SubordinateKind,
): Promise<readonly Entry<T>[]> {
  return call.unit.range<T>(under('iam', 'hangs', call.account, userId, kind))
}

/** The subordinate entities that the user still has, as text; undefined when there are none. */
export async function hangsOnUser(call: Call, userId: string): Promise<string | undefined> {
  for (const kind of Object.keys(kinds) as SubordinateKind[]) {
    const [first] = await call.unit.range(under('iam', 'hangs', call.account, userId, kind), { limit: 1 })
    if (first) return kinds[kind]
  }
  return undefined
}
