/** Keys and certificates with which IAM Identity Center signs for a SAML application. */
import { randomUUID } from 'node:crypto'
import { newSamlKey } from '../../kernel/federation/saml-key.ts'
import type { Vault } from '../../vault/vault.ts'
import type { CertificateRow } from './resources.ts'

export async function newCertificate(
  vault: Pick<Vault, 'materials'>,
  { id: applicationId, account }: { readonly id: string; readonly account: string },
  now: number,
): Promise<Omit<CertificateRow, 'isActive'>> {
  const id = randomUUID()
  const home = { table: 'sso/application', key: applicationId, column: id, account, name: applicationId }
  return { id, ...(await newSamlKey(vault, home, { now })) }
}
