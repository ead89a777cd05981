/** ACM Private CA: authorities with keys in the vault, what they issue and revoke, and who may use them. */
import { forgetExpired } from '../../kernel/jobs/expiring-rows.ts'
import type { ConditionKeyTable } from '../../kernel/resource/condition-keys.ts'
import { operationsOf } from '../../kernel/service/define-service.ts'
import * as auditReports from './audit-reports.ts'
import * as authorities from './authorities.ts'
import { WRITE_CRL, writeCrl } from './crl-delivery.ts'
import * as issuedCertificates from './issued-certificates.ts'
import * as issuing from './issuing.ts'
import * as permissions from './permissions.ts'
import { authority, pca as words } from './resources.ts'
import { revocationSite } from './revocation-site.ts'

const tagging = words.tagging(authority, {
  tag: 'TagCertificateAuthority',
  untag: 'UntagCertificateAuthority',
  list: 'ListTags',
  resource: 'CertificateAuthorityArn',
  keys: 'Tags',
})

const conditionKeys: ConditionKeyTable = {
  'acm-pca:TemplateArn': ({ input }) => input.TemplateArn ?? 'arn:aws:acm-pca:::template/EndEntityCertificate/V1',
}

export const pca = words.service({
  operations: operationsOf(authorities, issuedCertificates, issuing, permissions, auditReports, { tagging }),
  conditionKeys,
  sites: [revocationSite],
  jobs: {
    [WRITE_CRL]: writeCrl,
    'acm-pca.delete': authorities.deletePermanently,
    'acm-pca.report': auditReports.writeReport,
    'acm-pca.forget': forgetExpired,
  },
})
