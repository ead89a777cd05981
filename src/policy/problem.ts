/**
 * What AWS says of a document that can't be saved. It names only the first problem of the earliest stage, in this order.
 * The texts are those of real answers, collected from public bug reports, questions and test suites of emulators.
 */
import type { Position } from './error.ts'

export const STAGES = [
  'syntax',
  'version',
  'legacy',
  'principal-forbidden',
  'sid',
  'actions',
  'resources',
  'arn',
  'vendor',
  'kind',
  'principal',
] as const
export type Stage = (typeof STAGES)[number]

export interface Problem {
  readonly stage: Stage
  readonly message: string
  readonly at: Position
}

export const TEXTS = {
  syntax: 'Syntax errors in policy.',
  json: 'This policy contains invalid Json',
  version: 'Policy document must be version 2012-10-17 or greater.',
  legacy: 'The policy failed legacy parsing',
  principalForbidden: 'Policy document should not specify a principal.',
  principalMissing: 'Missing required field Principal',
  sidRepeated: 'Statement IDs (SID) in a single policy must be unique.',
  sidCharacters:
    'Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*',
  actionsMissing: 'Policy statement must contain actions.',
  resourcesMissing: 'Policy statement must contain resources.',
  vendorMissing: 'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.',
  colons: 'Actions/Condition can contain only one colon.',
  resourceVendor: 'Resource vendor must be fully qualified and cannot contain regexes.',
  trustActions: 'AssumeRole policy may only specify STS AssumeRole actions.',
  prohibited: (field: string) => `Has prohibited field ${field}`,
  vendor: (vendor: string) => `Vendor ${vendor} is not valid`,
  arn: (resource: string) => `Resource ${resource} must be in ARN format or "*".`,
  partition: (partition: string, resource: string) =>
    `Partition "${partition}" is not valid for resource "${resource}".`,
  iamPath: (paths: readonly string[]) =>
    `IAM resource path must either be "*" or start with ${paths.map((path) => path + '/').join(', ')}.`,
  iamRegion: (resource: string) => `IAM resource ${resource} cannot contain region information.`,
  s3Region: (resource: string) => `Resource ${resource} can not contain region information.`,
  principal: (type: string, name: string) => `Invalid principal in policy: "${type.toUpperCase()}":"${name}"`,
} as const
