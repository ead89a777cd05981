/** The declarations of Access Analyzer. */
import type * as AccessAnalyzer from '@aws-sdk/client-accessanalyzer'
import { defineService } from '../../kernel/service/define-service.ts'

export const accessanalyzer = defineService<typeof AccessAnalyzer>('accessanalyzer', 'access-analyzer')

/** Shorter policies are checked at once, as far as that takes some milliseconds; others on the thread for analyses. */
export const AT_ONCE_CHARS_MAX = 8_192

export const busy = () =>
  accessanalyzer.fail('ThrottlingException', 'Too many policies are being analyzed. Try again in a few seconds.')
