/** Certificate Manager: certificates whose domains are proved, issued, renewed, imported and exported. */
import { forgetExpired } from '../../kernel/jobs/expiring-rows.ts'
import { certificates as certificatesToken } from '../../kernel/ports/certificates.ts'
import { provide } from '../../kernel/ports/port.ts'
import { statusAnswers } from '../../kernel/ports/status-answers.ts'
import type { ConditionKeyTable, KeySource } from '../../kernel/resource/condition-keys.ts'
import { operationsOf } from '../../kernel/service/define-service.ts'
import * as accountConfiguration from './account-configuration.ts'
import * as acmeAccounts from './acme-accounts.ts'
import * as acmeBindings from './acme-bindings.ts'
import * as acmeDomains from './acme-domains.ts'
import * as acmeEndpoints from './acme-endpoints.ts'
import { forgetNonces } from './acme-nonces.ts'
import { acmeSite } from './acme-site.ts'
import * as acmeTagging from './acme-tagging.ts'
import { approvalSite } from './approval-page.ts'
import * as certificates from './certificates.ts'
import { originOf } from './descriptions.ts'
import * as exports from './exports.ts'
import * as imports from './imports.ts'
import { issuance } from './issuance.ts'
import { CertificateMeasurer } from './measures.ts'
import { certificateLines } from './metrics.ts'
import { certificatesPort } from './port.ts'
import * as requests from './requests.ts'
import { type CertificateRow, certificate, acm as words } from './resources.ts'
import { revocationSite } from './revocation-site.ts'
import * as searches from './searches.ts'
import { challengeSite } from './upstream/challenges.ts'

const tagging = words.tagging(certificate, {
  tag: 'AddTagsToCertificate',
  untag: 'RemoveTagsFromCertificate',
  list: 'ListTagsForCertificate',
  resource: 'CertificateArn',
  keys: 'Tags',
})

const rowOf = ({ row }: KeySource): CertificateRow | undefined => row?.row

/** Source: https://docs.aws.amazon.com/acm/latest/userguide/acm-conditions.html */
const conditionKeys: ConditionKeyTable = {
  'acm:CertificateAuthority': ({ input }) => input.CertificateAuthorityArn,
  'acm:CertificateKeyPairOrigin': (source) => {
    const row = rowOf(source)
    return row ? originOf(row) : source.call.operation === 'RequestCertificate' ? 'AWS_MANAGED' : undefined
  },
  'acm:CertificateTransparencyLogging': ({ input }) =>
    input.Options?.CertificateTransparencyLoggingPreference ?? 'ENABLED',
  'acm:DomainNames': (source) => {
    const { DomainName, SubjectAlternativeNames = [] } = source.input
    return (
      rowOf(source)?.names ?? (DomainName && [DomainName, ...SubjectAlternativeNames].map((name) => name.toLowerCase()))
    )
  },
  'acm:Export': ({ input }) => input.Options?.Export ?? 'DISABLED',
  'acm:KeyAlgorithm': ({ input }) => input.KeyAlgorithm ?? 'RSA_2048',
  'acm:ValidationMethod': ({ input, call }) =>
    call.operation === 'RequestCertificate' ? (input.ValidationMethod ?? 'EMAIL') : input.Options?.ValidationMethod,
}

export const acm = words.service({
  operations: operationsOf(
    certificates,
    imports,
    requests,
    exports,
    accountConfiguration,
    searches,
    acmeEndpoints,
    acmeDomains,
    acmeBindings,
    acmeAccounts,
    acmeTagging,
    { tagging },
  ),
  conditionKeys,
  sites: [approvalSite, revocationSite, acmeSite, challengeSite],
  jobs: {
    ...issuance.jobs,
    ...acmeDomains.domainChecks.jobs,
    'acm.forget': forgetExpired,
    'acm.forget-nonces': forgetNonces,
  },
  open: ({ store, vault, clock }) => {
    const measurer = new CertificateMeasurer(() => clock.now())
    return {
      provides: [
        provide(statusAnswers, measurer),
        provide(
          certificatesToken,
          certificatesPort(vault, () => clock.now()),
        ),
      ],
      metrics: async () => certificateLines(await measurer.measure(store.reader), clock.now()),
    }
  },
})
