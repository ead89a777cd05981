/** The type of the first example, in declarations of its own: each set of declarations is one service. */
import type * as ACM from '@aws-sdk/client-acm'
import { defineService } from '../../src/kernel/service/define-service.ts'
import { type CertificateRow, certificate as first } from '../example-service/resources.ts'

export const acm = defineService<typeof ACM>('acm')
export const certificate = acm.resource({ ...first.spec, idOf: (row: CertificateRow) => ({ CertificateId: row.id }) })
