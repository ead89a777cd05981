/** How a request names a key: by id, by ARN, by alias, by the alias's ARN. */
import { parseArn } from '../../kernel/arn.ts'
import type { Scope } from '../../kernel/call.ts'
import type { Reader } from '../../kernel/ports.ts'
import type { Fault } from '../../wire/fault.ts'
import { type AliasRow, aliasArn, aliasNotFound, at, type KeyRow, keyArn, keyNotFound, kms } from './resources.ts'

export interface Reference {
  readonly account: string
  /** As asked, an alias's where it names an alias that leads nowhere. */
  readonly arn: string
  readonly row: KeyRow | undefined
  /** With its `alias/`, when the key was named by one. */
  readonly alias?: string
  readonly missing: () => Fault
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const MULTI_REGION = /^mrk-[0-9a-f]{32}$/

export function isKeyId(text: string): boolean {
  return UUID.test(text) || MULTI_REGION.test(text)
}

/** The alias that a reference is made by; undefined for ids and key ARNs. */
export function aliasIn(text: string): string | undefined {
  const named = text.startsWith('arn:') ? (parseArn(text)?.resource ?? '') : text
  return named.startsWith('alias/') ? named : undefined
}

export async function resolve(
  call: { readonly unit: Reader } & Scope,
  text: string,
  aliases: boolean,
): Promise<Reference> {
  const arn = text.startsWith('arn:') ? parseArn(text) : undefined
  if (text.startsWith('arn:') && (arn?.service !== 'kms' || !/^(key|alias)\//.test(arn.resource))) {
    return nowhere(call, text, () => kms.fail('InvalidArnException', `Invalid arn ${text}`))
  }
  const place = { account: arn?.account ?? call.account, region: arn?.region ?? call.region }
  if (place.region !== call.region) {
    return nowhere(place, text, () => kms.fail('NotFoundException', `Invalid arn ${place.region}`))
  }
  const named = arn?.resource ?? text
  if (named.startsWith('alias/')) {
    if (!aliases) return nowhere(place, text, () => kms.fail('NotFoundException', `Invalid keyId '${text}'`))
    return resolveAlias(call.unit, place, named)
  }
  const id = arn ? named.slice('key/'.length) : named
  if (!isKeyId(id)) return nowhere(place, text, () => kms.fail('NotFoundException', `Invalid keyId '${text}'`))
  const of = keyArn(place, id)
  const row = await call.unit.get<KeyRow>(at.key(place, id))
  return { account: place.account, arn: of, row, missing: () => keyNotFound(of) }
}

async function resolveAlias(
  reader: Reader,
  place: Pick<Scope, 'account' | 'region'>,
  name: string,
): Promise<Reference> {
  const of = aliasArn(place, name)
  const alias = await reader.get<AliasRow>(at.alias(place, name))
  const row = alias && (await reader.get<KeyRow>(at.key(place, alias.keyId)))
  const missing = () => aliasNotFound(of)
  return { account: place.account, arn: row ? keyArn(place, row.id) : of, row, alias: name, missing }
}

function nowhere(place: Pick<Scope, 'account' | 'region'>, text: string, missing: () => Fault): Reference {
  const arn = text.startsWith('arn:') ? text : keyArn(place, text)
  return { account: place.account, arn, row: undefined, missing }
}
