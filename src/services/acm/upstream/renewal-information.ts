/** When another authority wants its certificates to be renewed (RFC 9773). */
import { randomInt } from 'node:crypto'
import { certificateParts, derOf } from '../../../engines/x509/certificate-builder.ts'
import { elements, only } from '../../../engines/x509/der-read.ts'
import { extensionOids } from '../../../engines/x509/extensions.ts'
import { acmeAuthority } from '../../../kernel/ports/acme-authority.ts'
import type { JobContext } from '../../../kernel/service/service.ts'
import type { Material } from '../resources.ts'
import { readUpstreamAccount } from './account.ts'
import { AcmeClient } from './client.ts'
import type { UpstreamIssuer } from './state.ts'

const HOUR_MS = 60 * 60 * 1000
const CHECK_MS = 6 * HOUR_MS
const KEY_ID = 0x80
const DRAW_MAX = 2 ** 47

/** RFC 9773 §4.1; undefined for a certificate that does not name its authority's key. */
export function renewalIdOf({ pem }: Pick<Material, 'pem'>): string | undefined {
  const { serial, extensions } = certificateParts(derOf(pem))
  const value = extensions.get(extensionOids.authorityKeyId)?.value
  const keyId = value && elements(only(value, 0x30).content, 3).find(({ tag }) => tag === KEY_ID)
  return keyId && `${keyId.content.toString('base64url')}.${serial.toString('base64url')}`
}

interface RenewalInfo {
  readonly suggestedWindow?: { readonly start?: string; readonly end?: string }
}

/** What changed; undefined when it is not the time to look, or there is nothing to see. Never throws. */
export async function checkedRenewal(
  work: JobContext,
  account: string,
  material: Material,
): Promise<UpstreamIssuer | undefined> {
  const { now, reader, vault, use } = work
  const { upstream } = material
  const settings = use(acmeAuthority).settings(account)
  if (!upstream || settings?.directory !== upstream.directory || now < (upstream.nextCheckAt ?? 0)) return undefined
  const later: UpstreamIssuer = { ...upstream, nextCheckAt: now + CHECK_MS }
  try {
    const row = await readUpstreamAccount(reader, settings.directory)
    const id = renewalIdOf(material)
    if (!row || id === undefined) return later
    const client = new AcmeClient({ port: use(acmeAuthority), settings, vault, account: row, now })
    const { renewalInfo } = await client.directory()
    if (renewalInfo === undefined) return later
    const { suggestedWindow } = ((await client.get(`${renewalInfo}/${id}`)) ?? {}) as RenewalInfo
    const renewAt = timeWithin(suggestedWindow, upstream.renewAt)
    return renewAt === undefined ? later : { ...later, renewAt }
  } catch {
    return later
  }
}

/** A time within the window, at random, so that certificates are not all renewed at once; the one chosen before while it is within. */
function timeWithin(window: RenewalInfo['suggestedWindow'], chosen: number | undefined): number | undefined {
  const [start, end] = [Date.parse(window?.start ?? ''), Date.parse(window?.end ?? '')]
  if (!(start < end)) return undefined
  if (chosen !== undefined && chosen >= start && chosen <= end) return chosen
  return start + randomInt(Math.min(DRAW_MAX, Math.ceil(end - start)))
}
