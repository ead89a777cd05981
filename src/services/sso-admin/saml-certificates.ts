/** Keys and certificates with which IAM Identity Center signs for a SAML application. */
import { randomUUID } from 'node:crypto'
import type { SamlSigner } from '../../engines/saml/issue.ts'
import { buildCertificate, type Sign } from '../../engines/x509/certificate-builder.ts'
import { basicConstraints, keyUsage, subjectKeyId } from '../../engines/x509/extensions.ts'
import { attributeOids, distinguishedName } from '../../engines/x509/names.ts'
import { newIdentityCenterIds } from '../../kernel/identity-center.ts'
import type { MaterialContext, StoredMaterial } from '../../vault/material/materials.ts'
import type { Vault } from '../../vault/vault.ts'
import type { CertificateRow } from './resources.ts'

const SPEC = 'RSA_2048'
const YEARS_5_MS = 5 * 365 * 24 * 3600 * 1000
/** For service providers whose clock is behind. */
const BACKDATED_MS = 3600 * 1000

const signWith =
  (vault: Pick<Vault, 'materials'>, held: StoredMaterial): Sign =>
  (message) =>
    vault.materials.use(held, { do: 'sign', algorithm: 'RSASSA_PKCS1_V1_5_SHA_256', type: 'RAW', message })

export async function newCertificate(
  vault: Pick<Vault, 'materials'>,
  { id: applicationId, account }: { readonly id: string; readonly account: string },
  now: number,
): Promise<Omit<CertificateRow, 'isActive'>> {
  const id = randomUUID()
  const home: MaterialContext = {
    table: 'sso/application',
    key: applicationId,
    column: id,
    account,
    name: applicationId,
  }
  const made = await vault.materials.generate(home, SPEC)
  const held: StoredMaterial = { home, spec: SPEC, id: made.id, sealed: made.sealed }
  const name = distinguishedName([{ oid: attributeOids.CommonName, value: applicationId }])
  const expiresAt = now + YEARS_5_MS
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
  return { id, certificate: der.toString('base64'), held, createdAt: now, expiresAt }
}

export const signerOf = (vault: Pick<Vault, 'materials'>, { certificate, held }: CertificateRow): SamlSigner => ({
  certificate,
  sign: (message) => signWith(vault, held)(Buffer.from(message)),
})
