/** Access Analyzer's words. */
import type * as AccessAnalyzer from '@aws-sdk/client-accessanalyzer'
import { defineService } from '../../kernel/service/define-service.ts'

export const accessanalyzer = defineService<typeof AccessAnalyzer>('accessanalyzer', 'access-analyzer')

export const busy = () =>
  accessanalyzer.fail('ThrottlingException', 'Too many policies are being analyzed. Try again in a few seconds.')
