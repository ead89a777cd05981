/** Seeds of ACM Private CA and of ACM: authorities, and certificates. Private keys are never exported. */
import { randomUUID, X509Certificate } from 'node:crypto'
import type * as ACM from '@aws-sdk/client-acm'
import type * as PrivateCa from '../../../models/schemas/acm-pca.types.ts'
import type { Api } from '../../kernel/service/api.ts'
import { type Account, compact, inTurn, pagesOf, seedPart, seedTags, tagsOf } from './part.ts'

const pca: Api<typeof PrivateCa> = { id: 'acm-pca' }
const acm: Api<typeof ACM> = { id: 'acm' }
const DAYS_DEFAULT = 3_650
const DAY_MS = 24 * 60 * 60 * 1000
const ALGORITHM_DEFAULT = 'EC_prime256v1'

type Algorithm = PrivateCa.CertificateAuthorityConfiguration['KeyAlgorithm']
type Signing = PrivateCa.CertificateAuthorityConfiguration['SigningAlgorithm']

const signingOf = (algorithm: string): Signing =>
  algorithm.startsWith('ML_DSA')
    ? (algorithm as Signing)
    : algorithm.startsWith('EC_')
      ? 'SHA256WITHECDSA'
      : 'SHA256WITHRSA'

const idOf = (arn: string): string => arn.slice(arn.lastIndexOf('/') + 1)

const listAuthorities = ({ call }: Account) =>
  pagesOf(async (NextToken) => {
    const page = await call(pca, 'ListCertificateAuthorities', { NextToken })
    return { items: page.CertificateAuthorities, next: page.NextToken }
  })

const nameOf = (authority: PrivateCa.CertificateAuthority): string =>
  authority.CertificateAuthorityConfiguration?.Subject?.CommonName ?? idOf(authority.Arn ?? '')

async function authorityNamed(account: Account, name: string): Promise<string> {
  const found = (await listAuthorities(account)).find((each) => nameOf(each) === name && each.Status === 'ACTIVE')
  if (!found?.Arn) throw new Error(`The account has no active authority '${name}'.`)
  return found.Arn
}

export const authorities = seedPart({
  kind: 'authorities',
  labels: ['name'],
  members: { name: true, id: true, parent: true, algorithm: true, days: true, tags: true },
  add: async (account, { name, id, parent, algorithm = ALGORITHM_DEFAULT, days = DAYS_DEFAULT, tags }, step) => {
    const { call } = account
    await step([], `authority '${name}'`, async () => {
      const { CertificateAuthorityArn: arn = '' } = await call(
        pca,
        'CreateCertificateAuthority',
        {
          CertificateAuthorityType: parent === undefined ? 'ROOT' : 'SUBORDINATE',
          CertificateAuthorityConfiguration: {
            KeyAlgorithm: algorithm as NonNullable<Algorithm>,
            SigningAlgorithm: signingOf(algorithm)!,
            Subject: { CommonName: name },
          },
          ...(tags && { Tags: tagsOf(tags) }),
        },
        id,
      )
      const signer = parent === undefined ? arn : await authorityNamed(account, parent)
      const { Csr = '' } = await call(pca, 'GetCertificateAuthorityCsr', { CertificateAuthorityArn: arn })
      const { CertificateAuthority: by } = await call(pca, 'DescribeCertificateAuthority', {
        CertificateAuthorityArn: signer,
      })
      const { CertificateArn = '' } = await call(pca, 'IssueCertificate', {
        CertificateAuthorityArn: signer,
        Csr: Buffer.from(Csr),
        SigningAlgorithm: by!.CertificateAuthorityConfiguration!.SigningAlgorithm!,
        TemplateArn: `arn:aws:acm-pca:::template/${parent === undefined ? 'RootCACertificate' : 'SubordinateCACertificate_PathLen0'}/V1`,
        Validity: { Type: 'DAYS', Value: days },
      })
      const issued = await call(pca, 'GetCertificate', { CertificateAuthorityArn: signer, CertificateArn })
      await call(pca, 'ImportCertificateAuthorityCertificate', {
        CertificateAuthorityArn: arn,
        Certificate: Buffer.from(issued.Certificate ?? ''),
        ...(parent !== undefined && { CertificateChain: Buffer.from(issued.CertificateChain ?? '') }),
      })
    })
  },
  export: async (account, leaveOut) => {
    const all = await listAuthorities(account)
    const active = all
      .filter(({ Status }) => Status === 'ACTIVE')
      .toSorted((a, b) => Number(a.CreatedAt) - Number(b.CreatedAt))
    for (const each of all)
      if (each.Status !== 'ACTIVE')
        leaveOut(`the authority ${nameOf(each)} of account ${account.id}, which is ${each.Status}`)
    if (active.length > 0) leaveOut(`the keys of the authorities of account ${account.id}: seeds make new ones`)
    const read = await inTurn(active, async (each) => {
      const CertificateAuthorityArn = each.Arn!
      const { Certificate = '' } = await account.call(pca, 'GetCertificateAuthorityCertificate', {
        CertificateAuthorityArn,
      })
      const { Tags } = await account.call(pca, 'ListTags', { CertificateAuthorityArn })
      return { each, certificate: new X509Certificate(Certificate), tags: seedTags(Tags) }
    })
    return read.flatMap(({ each, certificate, tags }) => {
      const parent = read.find((other) => other.each !== each && certificate.checkIssued(other.certificate))
      if (each.Type === 'SUBORDINATE' && !parent) {
        leaveOut(`the authority ${nameOf(each)} of account ${account.id}, which another system has signed`)
        return []
      }
      const days = Math.round((Number(each.NotAfter) - Number(each.NotBefore)) / DAY_MS)
      const algorithm = each.CertificateAuthorityConfiguration?.KeyAlgorithm
      return [
        compact({
          name: nameOf(each),
          id: idOf(each.Arn!),
          parent: each.Type === 'SUBORDINATE' && parent ? nameOf(parent.each) : undefined,
          algorithm: algorithm === ALGORITHM_DEFAULT ? undefined : algorithm,
          days: days === DAYS_DEFAULT ? undefined : days,
          tags,
        }),
      ]
    })
  },
})

export const certificates = seedPart({
  kind: 'certificates',
  labels: ['domain'],
  members: {
    domain: true,
    id: true,
    names: true,
    authority: true,
    certificate: true,
    privateKey: true,
    chain: true,
    tags: true,
  },
  add: async (account, item, step) => {
    const { call } = account
    await step([], `the certificate of '${item.domain}'`, async () => {
      const Tags = item.tags && tagsOf(item.tags)
      if (item.certificate !== undefined) {
        const Certificate = Buffer.from(item.certificate)
        const PrivateKey = Buffer.from(item.privateKey ?? '')
        const CertificateChain = item.chain === undefined ? undefined : Buffer.from(item.chain)
        await call(acm, 'ImportCertificate', { Certificate, PrivateKey, CertificateChain, Tags }, item.id)
        return
      }
      const CertificateAuthorityArn =
        item.authority === undefined ? undefined : await authorityNamed(account, item.authority)
      await call(
        acm,
        'RequestCertificate',
        {
          DomainName: item.domain,
          SubjectAlternativeNames: item.names && [...item.names],
          IdempotencyToken: randomUUID().slice(0, 8),
          Tags,
          ...(CertificateAuthorityArn === undefined ? { ValidationMethod: 'DNS' } : { CertificateAuthorityArn }),
        },
        item.id,
      )
    })
  },
  export: async (account, leaveOut) => {
    const { call, id } = account
    const named = new Map((await listAuthorities(account)).map((each) => [each.Arn, nameOf(each)]))
    const all = await pagesOf(async (NextToken) => {
      const page = await call(acm, 'ListCertificates', { NextToken })
      return { items: page.CertificateSummaryList, next: page.NextToken }
    })
    const shown = await inTurn(all, async ({ CertificateArn = '' }) => {
      const { Certificate } = await call(acm, 'DescribeCertificate', { CertificateArn })
      const { DomainName = '', SubjectAlternativeNames = [], Type, CertificateAuthorityArn } = Certificate ?? {}
      if (Type === 'IMPORTED') {
        leaveOut(`the certificate of ${DomainName} in account ${id}, which was imported with its private key`)
        return []
      }
      const { Tags } = await call(acm, 'ListTagsForCertificate', { CertificateArn })
      return [
        compact({
          domain: DomainName,
          id: idOf(CertificateArn),
          names: SubjectAlternativeNames.filter((name) => name !== DomainName),
          authority: named.get(CertificateAuthorityArn),
          tags: seedTags(Tags),
        }),
      ]
    })
    return shown.flat()
  },
})
