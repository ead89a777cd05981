/** The declarations of S3. */
import type * as S3 from '@aws-sdk/client-s3'
import { defineService } from '../../kernel/service/define-service.ts'

export const s3 = defineService<typeof S3>('s3')
