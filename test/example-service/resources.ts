/** ACM's resource types. */
import type * as ACM from '@aws-sdk/client-acm'
import type { Row } from '../../src/kernel/resource/facts.ts'
import { TAGS_MAX } from '../../src/kernel/resource/tags.ts'
import { defineService } from '../../src/kernel/service/define-service.ts'

export const acm = defineService<typeof ACM>('acm')

export interface CertificateRow extends Row {
  readonly id: string
  readonly domain: string
  readonly createdAt: number
}

export const certificate = acm.resource({
  kind: 'certificate', // begins the keys of the rows: never change it
  type: 'AWS::CertificateManager::Certificate', // as CloudTrail shows it
  arn: 'arn:${Partition}:acm:${Region}:${Account}:certificate/${CertificateId}', // as models/iam-reference.json has it
  storedPer: 'region',
  idOf: (row: CertificateRow) => ({ CertificateId: row.id }),
  tags: {
    action: 'acm:AddTagsToCertificate', // also needed to create with tags
    member: 'Tags',
    problems: {
      duplicate: () => acm.fail('InvalidTagException', 'Duplicate tag keys found.'),
      reserved: () => acm.fail('InvalidTagException', 'Tag keys that begin with aws: are reserved.'),
      'too-many': () => acm.fail('TooManyTagsException', `A certificate can have at most ${TAGS_MAX} tags.`),
    },
  },
  faults: {
    notFound: (arn) => acm.fail('ResourceNotFoundException', `Could not find certificate ${arn}.`),
    invalidReference: (text) => acm.fail('InvalidArnException', `Invalid arn ${text}`),
  },
})
