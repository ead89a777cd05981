/** Certificates: one row each, stored by account and Region. */
import type * as ACM from '@aws-sdk/client-acm'
import type { WithProgress } from '../../src/kernel/jobs/lifecycle.ts'
import type { Row } from '../../src/kernel/resource/facts.ts'
import { defineService } from '../../src/kernel/service/define-service.ts'
import { tagRules } from './tags.ts'

export const acm = defineService<typeof ACM>('acm')

export type CertificateState = 'PENDING_VALIDATION' | 'ISSUED' | 'VALIDATION_TIMED_OUT'

export interface CertificateRow extends Row, WithProgress<CertificateState> {
  readonly id: string
  readonly account: string
  readonly region: string
  readonly domain: string
  /** Hash of the code that approves the request. */
  readonly codeHash?: string
  readonly isApproved?: true
}

export const certificate = acm.resource({
  kind: 'certificate',
  type: 'AWS::CertificateManager::Certificate',
  arn: 'arn:${Partition}:acm:${Region}:${Account}:certificate/${CertificateId}',
  storedPer: 'region',
  idOf: (row: CertificateRow) => ({ CertificateId: row.id }),
  tags: tagRules,
  faults: {
    notFound: (arn) => acm.fail('ResourceNotFoundException', `Could not find certificate ${arn}.`),
    invalidReference: (text) => acm.fail('InvalidArnException', `Invalid arn ${text}`),
  },
})

export const keyOf = (row: Pick<CertificateRow, 'account' | 'region' | 'id'>) =>
  certificate.key(row, { CertificateId: row.id })
