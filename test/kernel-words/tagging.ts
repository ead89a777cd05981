/** The three tagging operations of certificates. */
import { acm, certificate } from './resource.ts'

export const tagging = acm.tagging(certificate, {
  tag: 'AddTagsToCertificate',
  untag: 'RemoveTagsFromCertificate',
  list: 'ListTagsForCertificate',
  resource: 'CertificateArn',
  keys: 'Tags',
})
