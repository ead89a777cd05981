/** Access Analyzer's words. */
import type * as AccessAnalyzer from '@aws-sdk/client-accessanalyzer'
import { service } from '../../kernel/service.ts'

export const accessanalyzer = service<typeof AccessAnalyzer>('accessanalyzer', 'access-analyzer')
