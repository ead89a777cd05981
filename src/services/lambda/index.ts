/** Lambda: the few operations that rotation and triggers need. Where code runs is the functions plane's business. */

import type { Service } from '../../kernel/service.ts'
import { absentKeys } from './conditions.ts'
import { INVOKE_JOB, invokeJob } from './events.ts'
import {
  createFunction,
  deleteFunction,
  getFunction,
  getFunctionCodeSigningConfig,
  getFunctionConfiguration,
  updateFunctionCode,
  updateFunctionConfiguration,
} from './functions.ts'
import { invokeFunction } from './invoke.ts'
import { listFunctions, listVersionsByFunction } from './lists.ts'
import { addPermission, getPolicy, removePermission } from './permissions.ts'
import { lambda as words } from './resources.ts'
import { listTags, tagResource, untagResource } from './tags.ts'
import { publishVersion } from './versions.ts'

export const lambda: Service = {
  api: words.api,
  operations: [
    // functions
    createFunction,
    getFunction,
    getFunctionConfiguration,
    getFunctionCodeSigningConfig,
    updateFunctionCode,
    updateFunctionConfiguration,
    deleteFunction,
    listFunctions,
    listVersionsByFunction,
    publishVersion,
    // use
    invokeFunction,
    // who may
    addPermission,
    removePermission,
    getPolicy,
    // tags
    tagResource,
    untagResource,
    listTags,
  ],
  absentKeys,
  jobs: { [INVOKE_JOB]: invokeJob },
}
