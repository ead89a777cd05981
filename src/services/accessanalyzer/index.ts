/** Access Analyzer: policies checked and questioned before they are used. */
import type { Service } from '../../kernel/service.ts'
import { checkAccessNotGranted, checkNoNewAccess, checkNoPublicAccess } from './access.ts'
import { accessanalyzer as words } from './resources.ts'
import { validatePolicy } from './validation.ts'

export const accessanalyzer: Service = {
  api: words.api,
  operations: [validatePolicy, checkNoNewAccess, checkAccessNotGranted, checkNoPublicAccess],
}
