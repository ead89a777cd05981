/**
 * Keys and certificates that sign SAML messages of ours. The key stays in the vault.
 *
 * @example
 * const row = await newSamlKey(vault, { table: 'sso/application', key: id, column: 'saml', account, name: id }, { now })
 * const xml = await issueResponse(request, samlSigner(vault, row))
 */
import type { SamlSigner } from '../../engines/saml/issue.ts'
import { buildCertificate, type Sign } from '../../engines/x509/certificate-builder.ts'
import { basicConstraints, keyUsage, subjectKeyId } from '../../engines/x509/extensions.ts'
import { attributeOids, distinguishedName } from '../../engines/x509/names.ts'
import type { MaterialContext, StoredMaterial } from '../../vault/material/materials.ts'
import type { Vault } from '../../vault/vault.ts'
import { newIdentityCenterIds } from '../identity-center.ts'

const SPEC = 'RSA_2048'
const YEAR_MS = 365 * 24 * 3600 * 1000
/** For receivers whose clock is behind. */
const BACKDATED_MS = 3600 * 1000

export interface SamlKey {
  /** Self-signed: DER, base64. */
  readonly certificate: string
  readonly held: StoredMaterial
  /** Epoch milliseconds. */
  readonly createdAt: number
  readonly expiresAt: number
}

const signWith =
  (vault: Pick<Vault, 'materials'>, held: StoredMaterial): Sign =>
  (message) =>
    vault.materials.use(held, { do: 'sign', algorithm: 'RSASSA_PKCS1_V1_5_SHA_256', type: 'RAW', message })

/** The name in the certificate is that of the home. Takes long: outside of a transaction, or by `call.once`. */
export async function newSamlKey(
  vault: Pick<Vault, 'materials'>,
  home: MaterialContext,
  { now, years = 5 }: { readonly now: number; readonly years?: number },
): Promise<SamlKey> {
  const made = await vault.materials.generate(home, SPEC)
  const held: StoredMaterial = { home, spec: SPEC, id: made.id, sealed: made.sealed }
  const name = distinguishedName([{ oid: attributeOids.CommonName, value: home.name }])
  const expiresAt = now + years * YEAR_MS
  const der = await buildCertificate(
    {
      serial: newIdentityCenterIds.serial(),
      issuer: name,
      subject: name,
      publicKey: made.publicKey!,
      notBefore: new Date(now - BACKDATED_MS),
      notAfter: new Date(expiresAt),
      algorithm: 'SHA256WITHRSA',
      extensions: [basicConstraints(false), keyUsage('digitalSignature'), subjectKeyId(made.publicKey!)],
    },
    signWith(vault, held),
  )
  return { certificate: der.toString('base64'), held, createdAt: now, expiresAt }
}

export const samlSigner = (vault: Pick<Vault, 'materials'>, { certificate, held }: SamlKey): SamlSigner => ({
  certificate,
  sign: (message) => signWith(vault, held)(Buffer.from(message)),
})
