/**
 * How names are proved to another authority: by a TXT record (RFC 8555 §8.4) where a hosted zone of the account answers the name,
 * else by a document on the listener of pages (§8.3).
 */
import { createHash } from 'node:crypto'
import { putExpiring } from '../../../kernel/jobs/expiring-rows.ts'
import { hostedZones } from '../../../kernel/ports/hosted-zones.ts'
import type { JobContext } from '../../../kernel/service/service.ts'
import { route, type WebSite } from '../../../kernel/web/site.ts'
import { type Key, key, type Unit } from '../../../store/store.ts'
import type { CertificateRow } from '../resources.ts'
import type { Authorization } from './answers.ts'
import type { UpstreamChallenge } from './state.ts'

const CHALLENGE_MS = 2 * 60 * 60 * 1000
const TOKEN = /^[\w-]{1,256}$/

/** undefined when no challenge of the authorization can be met from here. */
export async function chosenChallenge(
  { reader, use }: Pick<JobContext, 'reader' | 'use'>,
  { account }: Pick<CertificateRow, 'account'>,
  { name, challenges }: Authorization,
  thumbprint: string,
): Promise<UpstreamChallenge | undefined> {
  const owner = await use(hostedZones).accountAnswering(reader, `_acme-challenge.${name}.`)
  const type = owner === account ? 'dns-01' : 'http-01'
  const found = challenges.find((each) => each.type === type && TOKEN.test(each.token))
  if (!found) return undefined
  const { token } = found
  return { type, url: found.url, name, token, keyAuthorization: `${token}.${thumbprint}` }
}

const recordOf = ({ name, keyAuthorization }: UpstreamChallenge) => ({
  name: `_acme-challenge.${name}.`,
  value: createHash('sha256').update(keyAuthorization).digest('base64url'),
})

const documentKey = (token: string): Key => key('acm', 'upstream-challenge', token)

interface DocumentRow {
  readonly keyAuthorization: string
  readonly expiresAt: number
}

const challengesOf = ({ upstream }: CertificateRow): readonly UpstreamChallenge[] => upstream?.order?.challenges ?? []

/** In the transaction of a turn: publishes what the order has come to need, and takes back what it no longer does. */
export function publishChallenges(
  unit: Unit,
  { use, now }: Pick<JobContext, 'use' | 'now'>,
  before: CertificateRow,
  after: CertificateRow,
): void {
  const [old, current] = [challengesOf(before), challengesOf(after)]
  const isIn = (list: readonly UpstreamChallenge[], { token }: UpstreamChallenge) =>
    list.some((each) => each.token === token)
  for (const each of old.filter((challenge) => !isIn(current, challenge))) {
    const { name, value } = recordOf(each)
    if (each.type === 'dns-01') use(hostedZones).deleteChallenge(unit, name, value)
    else unit.delete(documentKey(each.token))
  }
  const expiresAt = now + CHALLENGE_MS
  for (const each of current.filter((challenge) => !isIn(old, challenge))) {
    const { name, value } = recordOf(each)
    if (each.type === 'dns-01') use(hostedZones).putChallenge(unit, name, value, expiresAt)
    else
      putExpiring(unit, 'acm.forget', documentKey(each.token), { keyAuthorization: each.keyAuthorization, expiresAt })
  }
}

const challenge = route({
  method: 'GET',
  path: '/:token',
  event: 'GetAcmeChallenge',
  authentication: 'document',
  body: 'none',
  bodyBytesMax: 0,
  shown: [],
  run: async (call, { path }) => {
    const token = path['token']!
    const row = TOKEN.test(token) ? await call.unit.get<DocumentRow>(documentKey(token)) : undefined
    if (!row || row.expiresAt <= call.now) return { json: { error: 'NotFound' }, status: 404 }
    return { file: row.keyAuthorization, contentType: 'application/octet-stream', cacheSeconds: 0 }
  },
})

export const challengeSite: WebSite = { service: 'acm', base: '/.well-known/acme-challenge', routes: [challenge] }
