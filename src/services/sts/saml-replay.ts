/** Each assertion, and each answer to a request, opens one session: spent in the transaction that issues it. */
import { createHash } from 'node:crypto'
import type { SamlIdentity } from '../../engines/saml/response.ts'
import type { Call } from '../../kernel/gate/call.ts'
import { putUntil } from '../../kernel/jobs/expiring-row.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import { type Key, key } from '../../store/store.ts'
import { sts } from './words.ts'

/** In documents that wait: never change it. */
export const FORGET_ASSERTION = 'sts.forget-assertion'

/** Longer than clocks may differ. */
const FORGET_MS = 15 * 60_000

const used = () => sts.fail('InvalidIdentityTokenException', 'The assertion has been used already.')

/** Throws when the response opened a session before. */
export async function assertUnspent(reader: Pick<Reader, 'get'>, identity: SamlIdentity): Promise<void> {
  for (const at of spentKeys(identity)) if (await reader.get(at)) throw used()
}

/** The use is written with the session, and forgotten when the assertion is void anyway. */
export async function spend(call: Call, identity: SamlIdentity): Promise<void> {
  await assertUnspent(call.unit, identity)
  const expiry = { until: identity.endsAt + FORGET_MS, kind: FORGET_ASSERTION }
  for (const at of spentKeys(identity)) putUntil(call.unit, at, { until: identity.endsAt }, expiry)
}

function spentKeys({ issuer, id, inResponseTo }: SamlIdentity): readonly Key[] {
  const hashed = (parts: readonly string[]) =>
    key('sts', 'saml-assertion', createHash('sha256').update(JSON.stringify(parts)).digest('hex'))
  return [
    hashed([issuer, id]),
    ...(inResponseTo === undefined ? [] : [hashed([issuer, 'in-response-to', inResponseTo])]),
  ]
}
