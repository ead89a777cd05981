/** What listeners and other services get of certificates. */
import { X509Certificate } from 'node:crypto'
import type { CertificatesPort } from '../../kernel/ports/certificates.ts'
import { parseArn } from '../../kernel/resource/arn.ts'
import type { Vault } from '../../vault/vault.ts'
import { issuance } from './issuance.ts'
import { openKey } from './private-keys.ts'
import { type CertificateRow, certificate } from './resources.ts'

function keyIn(arn: string): string | undefined {
  const parts = parseArn(arn)
  const id = /^certificate\/([^/]+)$/.exec(parts?.resource ?? '')?.[1]
  return parts?.service === 'acm' && id !== undefined ? certificate.key(parts, { CertificateId: id }) : undefined
}

const isSelfSigned = (pem: string): boolean => {
  const { subject, issuer } = new X509Certificate(pem)
  return subject === issuer
}

/** TLS servers send the chain without its root (RFC 8446 §4.4.2). */
const withoutRoot = (chain: string): string =>
  (chain.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g) ?? [])
    .filter((each) => !isSelfSigned(each))
    .join('')

export const certificatesPort = (vault: Pick<Vault, 'open'>, now: () => number): CertificatesPort => ({
  read: async (reader, arn) => {
    const at = keyIn(arn)
    const row = at === undefined ? undefined : await reader.get<CertificateRow>(at)
    if (!row?.material || !['ISSUED', 'RENEWING'].includes(row.progress.state)) return undefined
    const { pem, chain = '', serial, notAfter } = row.material
    const privateKey = openKey(vault, row)?.export({ type: 'pkcs8', format: 'pem' }).toString()
    return privateKey === undefined
      ? undefined
      : { chain: pem + withoutRoot(chain), privateKey, serial, notAfter, inUseBy: row.inUseBy }
  },
  setUse: async (unit, arn, usedBy, isUsed) => {
    const at = keyIn(arn)
    const row = at === undefined ? undefined : await unit.get<CertificateRow>(at)
    if (!at || !row) return false
    const others = row.inUseBy.filter((each) => each !== usedBy)
    const inUseBy = isUsed ? [...others, usedBy] : others
    if (inUseBy.length === row.inUseBy.length && isUsed) return true
    if (row.progress.job) issuance.hurry(unit, at, { ...row, inUseBy }, now())
    else unit.put(at, { ...row, inUseBy })
    return true
  },
})
