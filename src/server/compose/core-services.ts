/** The services that are open from the start: what most calls need. The others are opened when they are first needed. */
import type { Service } from '../../kernel/service/service.ts'
import { cloudtrail } from '../../services/cloudtrail/index.ts'
import { iam } from '../../services/iam/index.ts'
import { kms } from '../../services/kms/index.ts'
import { lambda } from '../../services/lambda/index.ts'
import { organizations } from '../../services/organizations/index.ts'
import { s3 } from '../../services/s3/index.ts'
import { secretsmanager } from '../../services/secretsmanager/index.ts'
import { sts } from '../../services/sts/index.ts'

export const coreServices: readonly Service[] = [iam, sts, organizations, cloudtrail, kms, secretsmanager, lambda, s3]
