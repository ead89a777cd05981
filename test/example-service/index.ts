/** ACM: the example of CONTRIBUTING.md. */
import { operationsOf } from '../../src/kernel/service/define-service.ts'
import * as certificates from './certificates.ts'
import { certificate, acm as words } from './resources.ts'

const tagging = words.tagging(certificate, {
  tag: 'AddTagsToCertificate',
  untag: 'RemoveTagsFromCertificate',
  list: 'ListTagsForCertificate',
  resource: 'CertificateArn',
  keys: 'Tags',
})

export const acm = words.service({ operations: operationsOf(certificates, { tagging }) })
