/** A new key: its policy, and its first material unless that is to be imported. */
import type { Call } from '../../kernel/gate/call.ts'
import { defaultPolicy, governed } from './governance.ts'
import { makeMaterial, noteOwner } from './key-materials.ts'
import type { KeyRow } from './rows.ts'

type NewKey = Pick<
  KeyRow,
  | 'id'
  | 'account'
  | 'region'
  | 'createdAt'
  | 'description'
  | 'spec'
  | 'usage'
  | 'origin'
  | 'manager'
  | 'tags'
  | 'multiRegion'
> & { readonly policy: string | undefined; readonly bypassLockoutCheck?: boolean | undefined }

/** The row, for the caller to save. */
export async function newKey(call: Call, { policy, bypassLockoutCheck, ...wanted }: NewKey): Promise<KeyRow> {
  const governance =
    policy === undefined
      ? { policy: defaultPolicy(wanted.account), pins: {} }
      : await governed(call, policy, wanted, bypassLockoutCheck)
  const empty: KeyRow = {
    ...wanted,
    ...governance,
    state: 'PendingImport',
    aliases: [],
    materials: [],
    rotationsOnDemand: 0,
  }
  if (wanted.origin === 'EXTERNAL') return empty

  const { id, sealed, publicKey } = await makeMaterial(call.vault.materials, empty)
  noteOwner(call.unit, empty, id)
  return {
    ...empty,
    state: 'Enabled',
    materials: [{ id, sealed, madeAt: call.now }],
    current: id,
    ...(publicKey && { publicKey: publicKey.toString('base64') }),
  }
}
