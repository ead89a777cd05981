/** Access Analyzer: policies checked and questioned before they are used. */
import { operationsOf } from '../../kernel/service/define-service.ts'
import * as access from './access.ts'
import { accessanalyzer as words } from './resources.ts'
import * as validation from './validation.ts'

export const accessanalyzer = words.service({ operations: operationsOf(validation, access) })
