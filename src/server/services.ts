/** The services this server answers for. */
import type { Service } from '../kernel/service.ts'
import { accessanalyzer } from '../services/accessanalyzer/index.ts'
import { cloudtrail } from '../services/cloudtrail/index.ts'
import { ds } from '../services/ds/index.ts'
import { ec2 } from '../services/ec2/index.ts'
import { iam } from '../services/iam/index.ts'
import { kms } from '../services/kms/index.ts'
import { lambda } from '../services/lambda/index.ts'
import { organizations } from '../services/organizations/index.ts'
import { s3 } from '../services/s3/index.ts'
import { secretsmanager } from '../services/secretsmanager/index.ts'
import { signin } from '../services/signin/index.ts'
import { sts } from '../services/sts/index.ts'

export const services: readonly Service[] = [
  iam,
  sts,
  organizations,
  accessanalyzer,
  cloudtrail,
  kms,
  secretsmanager,
  lambda,
  s3,
  signin,
  ds,
  ec2,
]
