/**
 * Passkeys of users and of root: public keys that authenticators made, registered and used on the sign-in pages alone.
 * To the API they are MFA devices with serial numbers of their own form.
 */
import { randomBytes } from 'node:crypto'
import type { Passkey, SignInPerson } from '../../../kernel/ports/sign-in-identities.ts'
import type { Reader } from '../../../kernel/state/reader.ts'
import { type Unit, under } from '../../../store/store.ts'
import { type SubordinateKind, subordinateKey } from './subordinates.ts'

type PasskeyRow = Omit<Passkey, 'serialNumber'> & { readonly id: string }

const KIND = 'passkey' satisfies SubordinateKind
const SERIAL = /^arn:aws:iam::(\d{12}):u2f\/(.+)$/

const serialOf = (account: string, id: string): string => `arn:aws:iam::${account}:u2f/${id}`

interface Owner {
  readonly account: string
  readonly id: string
}

export async function passkeysOf(reader: Pick<Reader, 'range'>, { account, id }: Owner): Promise<readonly Passkey[]> {
  const rows = await reader.range<PasskeyRow>(under('iam', 'hangs', account, id, KIND))
  return rows.map(({ document: { id, ...passkey } }) => ({ ...passkey, serialNumber: serialOf(account, id) }))
}

/** Returns the serial number. */
export function addPasskey(
  unit: Unit,
  owner: Pick<SignInPerson, 'account' | 'id' | 'kind' | 'name'>,
  passkey: Omit<Passkey, 'serialNumber'>,
): string {
  const { account, kind, name } = owner
  const suffix = randomBytes(13).toString('hex').toUpperCase()
  const id = `${kind === 'root' ? 'root-account' : `user/${name}`}/${passkey.name}-${suffix}`
  unit.put(subordinateKey(account, owner.id, KIND, id), { ...passkey, id } satisfies PasskeyRow)
  return serialOf(account, id)
}

export function recordPasskeyUse(unit: Unit, { account, id }: Owner, passkey: Passkey, counter: number): void {
  const { serialNumber, ...row } = passkey
  const own = idOf(account, serialNumber)
  if (own !== undefined)
    unit.put(subordinateKey(account, id, KIND, own), { ...row, id: own, counter } satisfies PasskeyRow)
}

/** Whether the owner had it. */
export async function removePasskey(unit: Unit, { account, id }: Owner, serialNumber: string): Promise<boolean> {
  const own = idOf(account, serialNumber)
  if (own === undefined) return false
  const at = subordinateKey(account, id, KIND, own)
  if (!(await unit.get(at))) return false
  unit.delete(at)
  return true
}

function idOf(account: string, serialNumber: string): string | undefined {
  const [, owner, id] = SERIAL.exec(serialNumber) ?? []
  return owner === account ? id : undefined
}
