/** The portal's declarations. */
import type * as SSO from '@aws-sdk/client-sso'
import { defineService } from '../../kernel/service/define-service.ts'

export const portal = defineService<typeof SSO>('sso')
