/** Certificate authorities: created with a key in the vault, activated by their certificate, disabled, deleted and restored. */
import type * as PrivateCa from '../../../models/schemas/acm-pca.types.ts'
import { buildSigningRequest, pem } from '../../engines/x509/certificate-builder.ts'
import { basicConstraints, keyUsage } from '../../engines/x509/extensions.ts'
import { putExpiring } from '../../kernel/jobs/expiring-rows.ts'
import { cancelJob, scheduleJob } from '../../kernel/jobs/jobs.ts'
import type { ServiceJob } from '../../kernel/service/service.ts'
import { type Key, key } from '../../store/store.ts'
import type { StoredMaterial } from '../../vault/material/materials.ts'
import { assertFits, signWith, specOf } from './algorithms.ts'
import { planCrl, requireCrlBucket } from './crl-delivery.ts'
import { readImport } from './imported-certificates.ts'
import {
  type AuthorityRow,
  arnOf,
  authority,
  authorityPlaceKey,
  notImplemented,
  pca,
  type RevocationConfiguration,
  statusOf,
  wrongState,
} from './resources.ts'
import { subjectOf } from './subjects.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const TOKEN_MS = 5 * 60 * 1000
const RESTORABLE_DAYS = 30
const PAGE_DEFAULT = 100

export const createCertificateAuthority = pca
  .operation('CreateCertificateAuthority')
  .on(
    authority.created((_input, call) => ({ CertificateAuthorityId: call.newId() }), {
      generated: true,
      authorizedOn: '*',
    }),
  )
  .run(async (call, input, { id, arn, tags, create }) => {
    const { CertificateAuthorityConfiguration: configuration, IdempotencyToken } = input
    const tokenAt = IdempotencyToken && key('acm-pca', 'request-token', call.account, call.region, IdempotencyToken)
    const before = tokenAt ? await call.unit.get<{ arn: string; expiresAt: number }>(tokenAt) : undefined
    if (before && before.expiresAt > call.now) return { CertificateAuthorityArn: before.arn }
    if (configuration.CsrExtensions?.SubjectInformationAccess)
      throw notImplemented('authorities with SubjectInformationAccess')
    const quota = call.quotas['acm-pca/AuthoritiesPerAccount']!
    if ((await authority.list(call.unit, call, { limit: quota })).length >= quota)
      throw pca.fail(
        'LimitExceededException',
        `The account has ${quota} certificate authorities, the most it may have.`,
      )

    const revocation = checkedRevocation(input.RevocationConfiguration)
    await requireCrlBucket(call, arn, revocation)
    const spec = specOf(configuration)
    const { SigningAlgorithm } = configuration
    assertFits(configuration.KeyAlgorithm, SigningAlgorithm)
    const name = `acm-pca/${id.CertificateAuthorityId}`
    const home = {
      table: 'acm-pca/authority',
      key: id.CertificateAuthorityId,
      column: 'key',
      account: call.account,
      name,
    }
    const made = await call.vault.materials.generate(home, spec)
    const held: StoredMaterial = { home, spec, id: made.id, sealed: made.sealed }
    const publicKey = made.publicKey!
    const csr = await buildSigningRequest(
      {
        subject: subjectOf(configuration.Subject),
        publicKey,
        extensions: [basicConstraints(true), keyUsage('digitalSignature', 'keyCertSign', 'cRLSign')],
        algorithm: SigningAlgorithm,
      },
      signWith(call.vault, held, SigningAlgorithm),
    )
    create({
      id: id.CertificateAuthorityId,
      account: call.account,
      region: call.region,
      partition: call.partition,
      type: input.CertificateAuthorityType,
      usageMode: input.UsageMode ?? 'GENERAL_PURPOSE',
      keyStandard: input.KeyStorageSecurityStandard ?? 'FIPS_140_2_LEVEL_3_OR_HIGHER',
      configuration,
      revocation,
      status: 'PENDING_CERTIFICATE',
      held,
      publicKey: publicKey.toString('base64'),
      csr: pem('CERTIFICATE REQUEST', csr),
      createdAt: call.now,
      changedAt: call.now,
      permissions: [],
      tags,
    })
    call.unit.put(authorityPlaceKey(id.CertificateAuthorityId), { at: authority.key(call, id) })
    if (tokenAt) putExpiring(call.unit, 'acm-pca.forget', tokenAt, { arn, expiresAt: call.now + TOKEN_MS })
    return { CertificateAuthorityArn: arn }
  })

function checkedRevocation(given: RevocationConfiguration = {}): RevocationConfiguration {
  const { CrlConfiguration: crl = { Enabled: false }, OcspConfiguration: ocsp = { Enabled: false } } = given
  if (crl.CrlType === 'PARTITIONED') throw notImplemented('partitioned revocation lists')
  if (crl.Enabled && crl.ExpirationInDays === undefined)
    throw pca.fail('InvalidArgsException', 'A revocation list that is enabled needs ExpirationInDays.')
  return { CrlConfiguration: crl, OcspConfiguration: ocsp }
}

export const describeCertificateAuthority = pca
  .operation('DescribeCertificateAuthority')
  .on(authority.named('CertificateAuthorityArn'))
  .run((call, _input, { row }) => ({ CertificateAuthority: described(row, call.now) }))

export const listCertificateAuthorities = pca
  .operation('ListCertificateAuthorities')
  .on(authority.collection())
  .run(async (call, input, authorities) => {
    if (input.ResourceOwner === 'OTHER_ACCOUNTS') return { CertificateAuthorities: [] }
    const { items, next } = await authorities.page({
      token: input.NextToken,
      size: input.MaxResults ?? PAGE_DEFAULT,
      bad: () => pca.fail('InvalidNextTokenException', 'The NextToken is not one of this list.'),
    })
    return {
      CertificateAuthorities: items.map((row) => described(row, call.now)),
      ...(next !== undefined && { NextToken: next }),
    }
  })

export const getCertificateAuthorityCsr = pca
  .operation('GetCertificateAuthorityCsr')
  .on(authority.named('CertificateAuthorityArn'))
  .run((call, _input, { row }) => {
    if (row.status === 'DELETED') throw wrongState(row, call.now)
    return { Csr: row.csr }
  })

export const getCertificateAuthorityCertificate = pca
  .operation('GetCertificateAuthorityCertificate')
  .on(authority.named('CertificateAuthorityArn'))
  .run((call, _input, { row }) => {
    if (row.status === 'DELETED' || row.certificate === undefined) throw wrongState(row, call.now)
    return { Certificate: row.certificate, ...(row.chain !== undefined && { CertificateChain: row.chain }) }
  })

export const importCertificateAuthorityCertificate = pca
  .operation('ImportCertificateAuthorityCertificate')
  .on(authority.named('CertificateAuthorityArn'))
  .run(async (call, input, { row, save }) => {
    if (row.status === 'DELETED') throw wrongState(row, call.now)
    const text = Buffer.from(input.Certificate).toString('latin1')
    const chainText = input.CertificateChain && Buffer.from(input.CertificateChain).toString('latin1')
    const { certificate, chain } = await readImport(row, text, chainText, call.now)
    const [notBefore, notAfter] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)]
    const active = save({
      ...row,
      status: 'ACTIVE',
      certificate: certificate.toString().trimEnd(),
      ...(chain !== undefined && { chain }),
      serial: certificate.serialNumber,
      notBefore,
      notAfter,
      changedAt: call.now,
    })
    planCrl(call.unit, active, call.newId(), call.now)
    return {}
  })

export const updateCertificateAuthority = pca
  .operation('UpdateCertificateAuthority')
  .on(authority.named('CertificateAuthorityArn'))
  .run(async (call, { Status, RevocationConfiguration }, { row, arn, save }) => {
    if (row.status === 'DELETED') throw wrongState(row, call.now)
    if (Status !== undefined) {
      if (Status !== 'ACTIVE' && Status !== 'DISABLED')
        throw pca.fail('InvalidArgsException', 'The status can be set to ACTIVE or DISABLED.')
      if (row.certificate === undefined) throw wrongState(row, call.now)
    }
    const revocation = RevocationConfiguration && checkedRevocation(RevocationConfiguration)
    if (revocation) await requireCrlBucket(call, arn, revocation)
    const changed = save({
      ...row,
      ...(Status !== undefined && { status: Status as 'ACTIVE' | 'DISABLED' }),
      ...(revocation && { revocation }),
      changedAt: call.now,
    })
    if (revocation) planCrl(call.unit, changed, call.newId(), call.now)
    return {}
  })

export const deleteCertificateAuthority = pca
  .operation('DeleteCertificateAuthority')
  .on(authority.named('CertificateAuthorityArn'))
  .run((call, { PermanentDeletionTimeInDays = RESTORABLE_DAYS }, { row, save }) => {
    const status = statusOf(row, call.now)
    if (status === 'ACTIVE' || status === 'DELETED') throw wrongState(row, call.now)
    const restorableUntil = call.now + PermanentDeletionTimeInDays * DAY_MS
    const deletion = scheduleJob(call.unit, {
      id: `acm-pca.delete/${row.id}`,
      kind: 'acm-pca.delete',
      dueAt: restorableUntil,
      payload: { at: authority.key(row, { CertificateAuthorityId: row.id }), account: row.account },
    })
    save({ ...row, status: 'DELETED', statusBefore: row.status, restorableUntil, deletion, changedAt: call.now })
    return {}
  })

export const restoreCertificateAuthority = pca
  .operation('RestoreCertificateAuthority')
  .on(authority.named('CertificateAuthorityArn'))
  .run((call, _input, { row, save }) => {
    if (row.status !== 'DELETED') throw wrongState(row, call.now)
    if (row.deletion !== undefined) cancelJob(call.unit, row.deletion)
    const { restorableUntil: _, deletion: __, statusBefore = 'DISABLED', ...rest } = row
    save({ ...rest, status: statusBefore, changedAt: call.now })
    return {}
  })

/** What was issued stays, for audits; the key is gone. */
export const deletePermanently: ServiceJob<{ readonly at: Key }> = {
  run: async (unit, { now }, { at }) => {
    const row = await unit.get<AuthorityRow>(at)
    if (row?.status !== 'DELETED' || row.restorableUntil! > now) return
    unit.delete(at)
    unit.delete(authorityPlaceKey(row.id))
  },
}

export function described(row: AuthorityRow, now: number): PrivateCa.CertificateAuthority {
  return {
    Arn: arnOf(row),
    OwnerAccount: row.account,
    CreatedAt: new Date(row.createdAt),
    LastStateChangeAt: new Date(row.changedAt),
    Type: row.type,
    ...(row.serial !== undefined && { Serial: BigInt(`0x${row.serial}`).toString() }),
    Status: statusOf(row, now),
    ...(row.notBefore !== undefined && { NotBefore: new Date(row.notBefore), NotAfter: new Date(row.notAfter!) }),
    CertificateAuthorityConfiguration: row.configuration as PrivateCa.CertificateAuthorityConfiguration,
    RevocationConfiguration: row.revocation as PrivateCa.RevocationConfiguration,
    ...(row.restorableUntil !== undefined && { RestorableUntil: new Date(row.restorableUntil) }),
    KeyStorageSecurityStandard: row.keyStandard as NonNullable<
      PrivateCa.CertificateAuthority['KeyStorageSecurityStandard']
    >,
    UsageMode: row.usageMode,
  }
}
