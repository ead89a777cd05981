/** Lambda: the operations that rotation and triggers need. The functions plane runs the code. */
import { operationsOf } from '../../kernel/service/define-service.ts'
import { absentKeys } from './conditions.ts'
import { eventNames } from './event-names.ts'
import { INVOKE_JOB, invokeJob } from './events.ts'
import * as functions from './functions.ts'
import * as invocation from './invoke.ts'
import * as lists from './lists.ts'
import * as permissions from './permissions.ts'
import { lambda as words } from './resources.ts'
import * as tags from './tags.ts'
import { packageUpload } from './uploads.ts'
import * as versions from './versions.ts'

export const lambda = words.service({
  operations: operationsOf(functions, lists, versions, invocation, permissions, tags),
  absentKeys,
  traits: { eventNames, uploads: [packageUpload] },
  jobs: { [INVOKE_JOB]: invokeJob },
})
