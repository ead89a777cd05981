/** How a function is set up: its limits, its environment, and how it is shown. */
import type * as Lambda from '@aws-sdk/client-lambda'
import type { Call, Scope } from '../../kernel/gate/call.ts'
import type { Vault } from '../../vault/vault.ts'
import { Fault } from '../../wire/fault.ts'
import { shaOf } from './code.ts'
import { arnOf, environmentPlace, type FunctionRow, invalid, unbuilt, versionOf } from './resources.ts'

export type Variables = Readonly<Record<string, string>>

const TIMEOUT_S_MAX = 900
const MEMORY_MB_MAX = 10_240
const ENVIRONMENT_BYTES_MAX = 4096

/** Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html */
const RESERVED: ReadonlySet<string> = new Set([
  '_HANDLER',
  '_X_AMZN_TRACE_ID',
  'AWS_DEFAULT_REGION',
  'AWS_REGION',
  'AWS_EXECUTION_ENV',
  'AWS_LAMBDA_FUNCTION_NAME',
  'AWS_LAMBDA_FUNCTION_MEMORY_SIZE',
  'AWS_LAMBDA_FUNCTION_VERSION',
  'AWS_LAMBDA_INITIALIZATION_TYPE',
  'AWS_LAMBDA_LOG_GROUP_NAME',
  'AWS_LAMBDA_LOG_STREAM_NAME',
  'AWS_ACCESS_KEY',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_LAMBDA_RUNTIME_API',
  'LAMBDA_TASK_ROOT',
  'LAMBDA_RUNTIME_DIR',
])

/** The input of CreateFunction and its updates. */
type ConfigurationInput = Partial<
  Omit<Lambda.CreateFunctionRequest & Lambda.UpdateFunctionConfigurationRequest, 'Code'>
>

/** Requested but not built: refused by name. A value that only states the default passes. */
const UNBUILT: readonly (readonly [what: string, asked: (input: ConfigurationInput) => unknown])[] = [
  ['publishing to a name', ({ PublishTo }) => PublishTo],
  ['a VPC', ({ VpcConfig }) => VpcConfig?.SubnetIds?.length || VpcConfig?.SecurityGroupIds?.length],
  ['a dead-letter queue', ({ DeadLetterConfig }) => DeadLetterConfig?.TargetArn],
  ['a KMS key of its own', ({ KMSKeyArn }) => KMSKeyArn],
  ['X-Ray tracing', ({ TracingConfig }) => TracingConfig?.Mode === 'Active'],
  ['layers', ({ Layers }) => Layers?.length],
  ['file systems', ({ FileSystemConfigs }) => FileSystemConfigs?.length],
  ['an image configuration', ({ ImageConfig }) => Object.values(ImageConfig ?? {}).some((value) => value?.length)],
  ['code signing', ({ CodeSigningConfigArn }) => CodeSigningConfigArn],
  ['SnapStart', ({ SnapStart }) => SnapStart?.ApplyOn === 'PublishedVersions'],
  ['JSON logs', ({ LoggingConfig }) => LoggingConfig?.LogFormat === 'JSON'],
  ['capacity providers', ({ CapacityProviderConfig }) => CapacityProviderConfig],
  ['durable executions', ({ DurableConfig }) => DurableConfig],
  ['tenants', ({ TenancyConfig }) => TenancyConfig],
]

export function refuseUnbuilt(call: Call, input: ConfigurationInput): void {
  const found = UNBUILT.find(([, asked]) => asked(input))
  if (found) throw unbuilt(call.operation, found[0])
}

export type Settings = Pick<FunctionRow, 'description' | 'timeoutS' | 'memoryMb' | 'storageMb' | 'logGroup'>

export const settingsDefault: Settings = { description: '', timeoutS: 3, memoryMb: 128, storageMb: 512 }

/** What is not said stays as it was. */
export function settingsOf(before: Settings, input: ConfigurationInput): Settings {
  const { Timeout = before.timeoutS, MemorySize = before.memoryMb } = input
  atMost('timeout', Timeout, TIMEOUT_S_MAX)
  atMost('memorySize', MemorySize, MEMORY_MB_MAX)
  const logGroup = input.LoggingConfig?.LogGroup ?? before.logGroup
  return {
    description: input.Description ?? before.description,
    timeoutS: Timeout,
    memoryMb: MemorySize,
    storageMb: input.EphemeralStorage?.Size ?? before.storageMb,
    ...(logGroup !== undefined && { logGroup }),
  }
}

function atMost(member: string, value: number, max: number): void {
  if (value <= max) return
  throw new Fault(
    'ValidationError',
    `1 validation error detected: Value '${value}' at '${member}' failed to satisfy constraint: Member must have value less than or equal to ${max}`,
  )
}

export function checkVariables(variables: Variables): Variables {
  const reserved = Object.keys(variables).filter((name) => RESERVED.has(name))
  const unable =
    'Lambda was unable to configure your environment variables because the environment variables you have provided'
  if (reserved.length > 0) {
    throw invalid(
      `${unable} contains reserved keys that are currently not supported for modification. Reserved keys used in this request: ${reserved.join(', ')}`,
    )
  }
  // AWS repeats the values here; they may be secret.
  if (Buffer.byteLength(JSON.stringify(variables)) > ENVIRONMENT_BYTES_MAX)
    throw invalid(`${unable} exceeded the 4KB limit.`)
  return variables
}

/** The member of a row that keeps variables; spread it. */
export function sealedVariables(
  vault: Vault,
  scope: Scope,
  of: Pick<FunctionRow, 'id' | 'version'>,
  variables: Variables,
): Pick<FunctionRow, 'environment'> {
  if (Object.keys(variables).length === 0) return {}
  return { environment: vault.seal(environmentPlace(scope, of), Buffer.from(JSON.stringify(variables))) }
}

export function variablesOf(vault: Vault, scope: Scope, row: FunctionRow): Variables {
  const { environment } = row
  return environment ? JSON.parse(vault.open(environmentPlace(scope, row), environment).toString('utf8')) : {}
}

/**
 * The states in a response for the work that it started: `$LATEST` and new versions are ready when the response is
 * sent, and clients wait for that as they do with AWS. Lists have no states.
 */
const STATES = {
  ready: { State: 'Active', LastUpdateStatus: 'Successful' },
  created: { State: 'Pending', StateReason: 'The function is being created.', StateReasonCode: 'Creating' },
  updated: {
    State: 'Active',
    LastUpdateStatus: 'InProgress',
    LastUpdateStatusReason: 'The function is being created.',
    // Recorded, and not among the values of the model.
    LastUpdateStatusReasonCode: 'Creating' as Lambda.LastUpdateStatusReasonCode,
  },
  listed: {},
} as const

export function shown(
  vault: Vault,
  scope: Scope,
  row: FunctionRow,
  arn = arnOf(scope, row.name),
  state: keyof typeof STATES = 'ready',
): Lambda.FunctionConfiguration {
  const { code } = row
  const variables = variablesOf(vault, scope, row)
  return {
    FunctionName: row.name,
    FunctionArn: arn,
    ...(code.kind === 'zip' && { Runtime: code.runtime, Handler: code.handler }),
    Role: row.role,
    CodeSize: code.kind === 'zip' ? code.bytes : 0,
    Description: row.description,
    Timeout: row.timeoutS,
    MemorySize: row.memoryMb,
    LastModified: new Date(row.modifiedAt).toISOString().replace('Z', '+0000'),
    CodeSha256: shaOf(code),
    Version: versionOf(row),
    ...(Object.keys(variables).length > 0 && { Environment: { Variables: variables } }),
    TracingConfig: { Mode: 'PassThrough' },
    RevisionId: row.revision,
    ...STATES[state],
    PackageType: code.kind === 'zip' ? 'Zip' : 'Image',
    Architectures: [...row.architectures],
    EphemeralStorage: { Size: row.storageMb },
    SnapStart: { ApplyOn: 'None', OptimizationStatus: 'Off' },
    LoggingConfig: { LogFormat: 'Text', LogGroup: row.logGroup ?? `/aws/lambda/${row.name}` },
  }
}
