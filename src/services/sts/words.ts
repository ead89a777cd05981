/** STS's declarations. It has no resource types: sessions are kept in their tokens, and roles are IAM's. */
import type * as STS from '@aws-sdk/client-sts'
import { defineService } from '../../kernel/service/define-service.ts'

export const sts = defineService<typeof STS>('sts')
