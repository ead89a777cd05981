/** Access Analyzer's words. */
import type * as AccessAnalyzer from '@aws-sdk/client-accessanalyzer'
import { defineService } from '../../kernel/service/define-service.ts'

export const accessanalyzer = defineService<typeof AccessAnalyzer>('accessanalyzer', 'access-analyzer')
