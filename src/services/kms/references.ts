/** How a request names a key: by its ID, its ARN, an alias, or the ARN of an alias. */
import type { Scope } from '../../kernel/gate/call.ts'
import { parseArn } from '../../kernel/resource/arn.ts'
import type { Reference, UnresolvedReference } from '../../kernel/resource/resource-type.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import type { Fault } from '../../wire/fault.ts'
import {
  ALIAS_PREFIX,
  alias,
  aliasArn,
  aliasNotFound,
  invalidKeyId,
  type KeyId,
  key,
  keyNotFound,
} from './resources.ts'
import type { KeyRow } from './rows.ts'
import { kms } from './words.ts'

export type KeyReference = Reference<KeyId> | UnresolvedReference

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const MULTI_REGION = /^mrk-[0-9a-f]{32}$/
const ACCOUNT = /^\d{12}$/

export function isKeyId(text: string): boolean {
  return UUID.test(text) || MULTI_REGION.test(text)
}

/** The alias that a reference is made by; undefined for IDs and key ARNs. */
export function aliasIn(text: string): string | undefined {
  const named = text.startsWith('arn:') ? (parseArn(text)?.resource ?? '') : text
  return named.startsWith(ALIAS_PREFIX) ? named : undefined
}

/** Every fault follows the permission: what names no key is authorized as it is written. */
export async function readReference(
  call: { readonly unit: Reader } & Scope,
  text: string,
  { aliases }: { readonly aliases: boolean },
): Promise<KeyReference> {
  const { partition } = call
  const arn = text.startsWith('arn:') ? parseArn(text) : undefined
  if (text.startsWith('arn:') && (arn?.service !== 'kms' || !/^(key|alias)\//.test(arn.resource))) {
    return unresolved(call, text, () => kms.fail('InvalidArnException', `Invalid arn ${text}`))
  }
  const scope = { partition, account: arn?.account ?? call.account, region: arn?.region ?? call.region }
  if (scope.region !== call.region) {
    return unresolved(scope, text, () => kms.fail('NotFoundException', `Invalid arn ${scope.region}`))
  }
  const named = arn?.resource ?? text
  if (named.startsWith(ALIAS_PREFIX)) {
    return aliases ? readAlias(call.unit, scope, named) : unresolved(scope, text, () => invalidKeyId(text))
  }
  const id = arn ? named.slice('key/'.length) : named
  if (!isKeyId(id)) return unresolved(scope, text, () => invalidKeyId(text))
  if (!ACCOUNT.test(scope.account)) return unresolved(scope, text, () => keyNotFound(text))
  return { scope, id: { KeyId: id } }
}

async function readAlias(reader: Reader, scope: Scope, name: string): Promise<KeyReference> {
  const arn = aliasArn(scope, name)
  const row = await alias.get(reader, scope, { name })
  if (!row) return { scope, arn, absent: () => aliasNotFound(arn) }
  // A denial names the alias: the ID of its key would show that the alias exists.
  return { scope, id: { KeyId: row.keyId }, requested: arn }
}

function unresolved(scope: Scope, text: string, absent: () => Fault): UnresolvedReference {
  const arn = text.startsWith('arn:') ? text : key.form.printPattern(scope, { KeyId: text })
  return { scope, arn, absent }
}

/** The key that a text leads to, if there is one; nothing is authorized. */
export async function keyNamed(
  call: { readonly unit: Reader } & Scope,
  text: string,
  accepts: { readonly aliases: boolean },
): Promise<KeyRow | undefined> {
  const at = await readReference(call, text, accepts)
  return 'arn' in at ? undefined : key.get(call.unit, at.scope, at.id)
}
