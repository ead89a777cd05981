/** The role a function runs as: passed by who sets it up, assumed by Lambda. */
import type * as STS from '@aws-sdk/client-sts'
import type { Call, Scope } from '../../kernel/gate/call.ts'
import type { ActAs } from '../../kernel/gate/service-caller.ts'
import type { FunctionCredential } from '../../kernel/ports/functions.ts'
import type { Ports } from '../../kernel/ports/ports.ts'
import { parseArn } from '../../kernel/resource/arn.ts'
import type { Api } from '../../kernel/service/api.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import { Context, compileSet, decide } from '../../policy/index.ts'
import { Fault } from '../../wire/fault.ts'
import { arnOf, type FunctionRow, invalid, PRINCIPAL, versionOf } from './resources.ts'

const sts: Api<typeof STS> = { id: 'sts' }

const NOT_ASSUMABLE = 'The role defined for the function cannot be assumed by Lambda.'

/**
 * The caller who sets a function's role delegates its permissions: AWS checks `iam:PassRole`, and that the role trusts
 * Lambda.
 */
export async function passRole(call: Call, scope: Scope, name: string, roleArn: string): Promise<void> {
  const account = parseArn(roleArn)?.account ?? ''
  // Another account may set a function up where its policy lets it; the role is of the function's own account.
  const own = account === call.account && account === scope.account
  const role = own ? await call.ports.identity.role(call.unit, roleArn) : undefined
  await call.authorize(
    'iam:PassRole',
    { arn: roleArn, type: 'AWS::IAM::Role', account: call.account, tags: role?.tags },
    { 'iam:PassedToService': PRINCIPAL, 'iam:AssociatedResourceArn': arnOf(scope, name) },
  )
  if (!own) throw new Fault('AccessDenied', 'Cross-account pass role is not allowed.')
  if (!role) throw invalid(NOT_ASSUMABLE)
  const context = new Context({
    'aws:CurrentTime': new Date(call.now).toISOString(),
    'aws:RequestedRegion': call.region,
    'aws:SecureTransport': 'true',
    'aws:PrincipalIsAWSService': 'true',
    'aws:PrincipalServiceName': PRINCIPAL,
    'aws:PrincipalType': 'AWSService',
    'aws:SourceArn': arnOf(scope, name),
    'aws:SourceAccount': scope.account,
    'sts:RoleSessionName': name.padEnd(2, '_'),
  })
  const { allowed } = decide(
    {
      principal: { kind: 'service', name: PRINCIPAL },
      action: 'sts:AssumeRole',
      resource: roleArn,
      resourceAccount: account,
      context,
    },
    { identity: compileSet([]), resource: role.trust, resourceMode: 'required' },
  )
  if (!allowed) throw invalid(NOT_ASSUMABLE)
}

interface Held {
  readonly credential: FunctionCredential
  /** Changes with the function and with its role. */
  readonly of: string
  readonly expiresAt: number
}

/** A function waits for its place and begins before its time runs. */
const EARLY_MS = 5 * 60_000
const HELD_MAX = 10_000

/** Credentials of functions, in this node's memory. */
export class Credentials {
  readonly #held = new Map<string, Held>()

  /** Throws as Invoke answers when the role is gone or no longer trusts Lambda. */
  async of(world: ExecutionContext, scope: Scope, row: FunctionRow): Promise<FunctionCredential> {
    const arn = arnOf(scope, row.name)
    const own = `${arn}:${versionOf(row)}`
    const role = await world.ports.identity.role(world.reader, row.role)
    const of = `${row.id} ${row.revision} ${role?.id}`
    const held = this.#held.get(own)
    const neededUntil = world.now + row.timeoutS * 1000 + EARLY_MS
    if (held?.of === of && neededUntil < held.expiresAt) return held.credential

    const { credential, expiresAt } = await assumed(world, scope, row, arn)
    if (this.#held.size >= HELD_MAX) this.#held.clear()
    this.#held.set(own, { credential, of, expiresAt })
    return credential
  }
}

/** What running a function needs of a call, or of a job. */
export interface ExecutionContext {
  readonly ports: Ports
  readonly reader: Reader
  readonly actAs: ActAs
  readonly now: number
}

async function assumed({ actAs: act }: ExecutionContext, { account, region }: Scope, row: FunctionRow, source: string) {
  try {
    const { Credentials: given } = await act({ service: PRINCIPAL, account, region, source }, sts, 'AssumeRole', {
      RoleArn: row.role,
      // STS takes no name of one letter; Lambda does.
      RoleSessionName: row.name.padEnd(2, '_'),
    })
    const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = given!
    return {
      credential: { accessKeyId: AccessKeyId!, secretAccessKey: SecretAccessKey!, sessionToken: SessionToken! },
      expiresAt: Expiration!.getTime(),
    }
  } catch (error) {
    if (error instanceof Fault && error.code === 'AccessDenied') {
      throw new Fault('AccessDenied', NOT_ASSUMABLE, { cause: error })
    }
    throw error
  }
}
