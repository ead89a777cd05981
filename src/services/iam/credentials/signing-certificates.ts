/** X.509 signing certificates of users and of root. */
import { describeCertificate } from '../../../engines/x509/certificate.ts'
import type { Call } from '../../../kernel/gate/call.ts'
import { listItems } from '../lists.ts'
import { type Owner, ownerOf } from '../users/owners.ts'
import { userNamedOrSelf } from '../users/self.ts'
import { date, iam, withinQuota } from '../words.ts'
import { uploadedCertificate } from './certificates.ts'
import { hangingOf, subordinateKey } from './subordinates.ts'

export interface SigningCertificateRow {
  readonly id: string
  /** PEM, verbatim. */
  readonly body: string
  /** SHA-256 of the certificate itself: white space in its PEM makes no other. */
  readonly fingerprint: string
  readonly active: boolean
  readonly uploadedAt: number
}

export const uploadSigningCertificate = iam
  .operation('UploadSigningCertificate')
  .on(userNamedOrSelf('UserName'))
  .run(async (call, input, self) => {
    const owner = ownerOf(call, self)
    const { startsMs, endsMs, fingerprint } = describeCertificate(uploadedCertificate(input.CertificateBody))
    if (endsMs <= call.now) throw invalid('The certificate has expired.')
    if (startsMs > call.now) throw invalid('The certificate is not yet valid.')
    const existing = await certificatesOf(call, owner.id)
    if (existing.some((row) => row.fingerprint === fingerprint)) {
      throw iam.fail('DuplicateCertificateException', 'The certificate is already associated with the user.')
    }
    withinQuota(call, 'SigningCertificatesPerUser', existing.length + 1, 'CertificatesPerUser')

    const row: SigningCertificateRow = {
      id: call.newId().replaceAll('-', '').toUpperCase(),
      body: input.CertificateBody,
      fingerprint,
      active: true,
      uploadedAt: call.now,
    }
    save(call, owner, row)
    return { Certificate: shown(owner, row) }
  })

export const listSigningCertificates = iam
  .operation('ListSigningCertificates')
  .on(userNamedOrSelf('UserName'))
  .run(async (call, input, self) => {
    const owner = ownerOf(call, self)
    const { items, rest } = await listItems(call, await certificatesOf(call, owner.id), (row) => row.id, input)
    return { Certificates: items.map((row) => shown(owner, row)), ...rest }
  })

export const updateSigningCertificate = iam
  .operation('UpdateSigningCertificate')
  .on(userNamedOrSelf('UserName'))
  .run(async (call, input, self) => {
    const owner = ownerOf(call, self)
    const row = await required(call, owner, input.CertificateId)
    if (input.Status === 'Expired') throw iam.fail('InvalidInputException', 'Status must be Active or Inactive.')
    save(call, owner, { ...row, active: input.Status === 'Active' })
    return {}
  })

export const deleteSigningCertificate = iam
  .operation('DeleteSigningCertificate')
  .on(userNamedOrSelf('UserName'))
  .run(async (call, input, self) => {
    const owner = ownerOf(call, self)
    const row = await required(call, owner, input.CertificateId)
    call.unit.delete(subordinateKey(call.account, owner.id, 'signing-certificate', row.id))
    return {}
  })

/** By the unique id of a user; the account's number for the root user. */
export async function certificatesOf(call: Call, ownerId: string): Promise<readonly SigningCertificateRow[]> {
  const entries = await hangingOf<SigningCertificateRow>(call, ownerId, 'signing-certificate')
  return entries.map(({ document }) => document)
}

function save(call: Call, owner: Owner, row: SigningCertificateRow): void {
  call.unit.put(subordinateKey(call.account, owner.id, 'signing-certificate', row.id), row)
}

async function required(call: Call, owner: Owner, id: string): Promise<SigningCertificateRow> {
  const row = (await certificatesOf(call, owner.id)).find((each) => each.id === id)
  if (!row) throw iam.fail('NoSuchEntityException', `The Certificate with id ${id} cannot be found.`)
  return row
}

function shown(owner: Owner, row: SigningCertificateRow) {
  return {
    UserName: owner.name,
    CertificateId: row.id,
    CertificateBody: row.body,
    Status: row.active ? ('Active' as const) : ('Inactive' as const),
    UploadDate: date(row.uploadedAt),
  }
}

function invalid(message: string) {
  return iam.fail('InvalidCertificateException', message)
}
