/** Server certificates: kept with their chains, their private keys sealed. */
import { describeCertificate } from '../../../engines/x509/certificate.ts'
import type { Call } from '../../../kernel/gate/call.ts'
import type { Row } from '../../../kernel/resource/facts.ts'
import type { SealContext, Sealed } from '../../../vault/sealed-value.ts'
import type { Vault } from '../../../vault/vault.ts'
import { count } from '../counts.ts'
import { listRows } from '../lists.ts'
import { foundByName, type NameId, nameIn, underPath } from '../resources.ts'
import { shownTags, tagRules } from '../tags.ts'
import { date, iam, invalidName, noSuchEntity } from '../words.ts'
import { checkUploadedChain, uploadedCertificate, uploadedPrivateKey } from './certificates.ts'

export interface ServerCertificateRow extends Row {
  readonly name: string
  readonly path: string
  /** `ASCA…` */
  readonly id: string
  /** PEM, without the white space around it: Terraform compares what comes back with the trimmed text. */
  readonly body: string
  readonly chain?: string
  readonly privateKey: Sealed
  readonly uploadedAt: number
  readonly expiresAt: number
}

export const serverCertificate = iam.resource({
  kind: 'server-certificate',
  type: 'AWS::IAM::ServerCertificate',
  arn: 'arn:${Partition}:iam::${Account}:server-certificate/${CertificateNameWithPath}',
  ...foundByName('CertificateNameWithPath'),
  idOf: ({ name, path }: ServerCertificateRow): NameId => ({ name, path }),
  shortForm: 'name',
  tags: tagRules('iam:TagServerCertificate'),
  faults: {
    notFound: (_arn, { name }) => noSuchEntity('Server Certificate', name),
    invalidReference: () => invalidName('serverCertificateName'),
    alreadyExists: (_arn, { name }) => exists(name),
  },
})

/** Bound to the certificate's id, which a new name does not change. */
const placeOf = (account: string, id: string): SealContext => ({
  table: 'iam/server-certificate',
  key: id,
  column: 'private-key',
  account,
})

/** The private key in PEM: for the data planes that serve the certificate, never for an answer. */
export function openPrivateKey(vault: Vault, account: string, row: ServerCertificateRow): string {
  return vault.open(placeOf(account, row.id), row.privateKey).toString('utf8')
}

export const uploadServerCertificate = iam
  .operation('UploadServerCertificate')
  .on(serverCertificate.created(nameIn('ServerCertificateName')))
  .run(async (call, input, { tags, assertAvailable, create }) => {
    assertAvailable()
    const certificate = uploadedCertificate(input.CertificateBody)
    if (!certificate.checkPrivateKey(uploadedPrivateKey(input.PrivateKey))) {
      throw iam.fail('KeyPairMismatchException', 'Certificate and private key do not match.')
    }
    if (input.CertificateChain !== undefined) checkUploadedChain(certificate, input.CertificateChain)
    await count(call, 'ServerCertificates', 1)

    const id = call.uniqueId('ASCA')
    const row = create({
      name: input.ServerCertificateName,
      path: input.Path ?? '/',
      id,
      body: input.CertificateBody.trim(),
      ...(input.CertificateChain !== undefined && { chain: input.CertificateChain.trim() }),
      privateKey: call.vault.seal(placeOf(call.account, id), Buffer.from(input.PrivateKey)),
      uploadedAt: call.now,
      expiresAt: describeCertificate(certificate).endsMs,
      tags,
    })
    return { ServerCertificateMetadata: metadata(call, row), ...shownTags(row) }
  })

export const getServerCertificate = iam
  .operation('GetServerCertificate')
  .on(serverCertificate.named('ServerCertificateName'))
  .run((call, _input, { row }) => ({
    ServerCertificate: {
      ServerCertificateMetadata: metadata(call, row),
      CertificateBody: row.body,
      ...(row.chain !== undefined && { CertificateChain: row.chain }),
      ...shownTags(row),
    },
  }))

export const listServerCertificates = iam
  .operation('ListServerCertificates')
  .on(serverCertificate.collection(underPath('CertificateNameWithPath')))
  .run(async (call, input, certificates) => {
    const { items, rest } = await listRows(certificates, input)
    return { ServerCertificateMetadataList: items.map((row) => metadata(call, row)), ...rest }
  })

export const updateServerCertificate = iam
  .operation('UpdateServerCertificate')
  .on(serverCertificate.named('ServerCertificateName'))
  .run(async (call, input, { row, remove }) => {
    const name = input.NewServerCertificateName ?? row.name
    const renamed = { ...row, name, path: input.NewPath ?? row.path }
    // AWS checks the permission on the certificate under both of its names.
    await call.authorize('iam:UpdateServerCertificate', serverCertificate.arnOf(call, renamed))
    const moves = name.toLowerCase() !== row.name.toLowerCase()
    if (moves && (await serverCertificate.get(call.unit, call, { name }))) throw exists(name)

    remove()
    serverCertificate.put(call.unit, call, renamed)
    return {}
  })

export const deleteServerCertificate = iam
  .operation('DeleteServerCertificate')
  .on(serverCertificate.named('ServerCertificateName'))
  .run(async (call, _input, { remove }) => {
    remove()
    await count(call, 'ServerCertificates', -1)
    return {}
  })

function metadata(call: Call, row: ServerCertificateRow) {
  return {
    Path: row.path,
    ServerCertificateName: row.name,
    ServerCertificateId: row.id,
    Arn: serverCertificate.arnOf(call, row),
    UploadDate: date(row.uploadedAt),
    Expiration: date(row.expiresAt),
  }
}

function exists(name: string) {
  return iam.fail('EntityAlreadyExistsException', `The Server Certificate with name ${name} already exists.`)
}
