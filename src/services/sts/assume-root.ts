/** AssumeRoot: for a quarter of an hour, one task of a member account's root user, for managers of the organization. */
import type { Call } from '../../kernel/gate/call.ts'
import type { RootFeature } from '../../kernel/ports/ports.ts'
import { parseArn, printArn } from '../../kernel/resource/arn.ts'
import type { Target } from '../../kernel/resource/target.ts'
import { Fault } from '../../wire/fault.ts'
import { issue } from './credentials.ts'
import { sts } from './words.ts'

const SERVICE = 'iam.amazonaws.com'
const SECONDS_MAX = 900

/**
 * The tasks, and what the organization must have enabled for each.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user-privileged-task.html
 */
const TASKS: Readonly<Record<string, RootFeature>> = {
  IAMAuditRootUserCredentials: 'RootCredentialsManagement',
  IAMCreateRootUserPassword: 'RootCredentialsManagement',
  IAMDeleteRootUserCredentials: 'RootCredentialsManagement',
  S3UnlockBucketPolicy: 'RootSessions',
  SQSUnlockQueuePolicy: 'RootSessions',
}
const TASK_PREFIX = 'arn:aws:iam::aws:policy/root-task/'

/** The task policies only deny what is not the task. */
const EVERYTHING = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }],
})

interface Names {
  readonly TargetPrincipal: string
}

/** Twelve digits, alone or in the ARN of a root user. */
const targetAccount: Target<Names, string> = {
  find: (call, { TargetPrincipal }) => {
    const arn = parseArn(TargetPrincipal)
    const account = arn?.service === 'iam' && arn.resource === 'root' ? arn.account : TargetPrincipal
    if (!/^\d{12}$/.test(account)) throw new Fault('ValidationError', `${TargetPrincipal} is invalid`)
    const root = printArn({ partition: call.partition, service: 'iam', region: '', account, resource: 'root' })
    // The member account does not decide: membership is checked below, and none of its own policies can refuse.
    return { acted: { arn: root, type: 'AWS::IAM::RootUser', account: call.account }, row: account }
  },
}

const denied = (): Fault =>
  new Fault('AccessDenied', 'The account cannot assume root in the target account.', { status: 403 })

export const assumeRoot = sts
  .operation('AssumeRoot')
  .on(targetAccount)
  .run(async (call, input, account) => {
    const task = input.TaskPolicyArn.arn ?? ''
    const needed = task.startsWith(TASK_PREFIX) ? TASKS[task.slice(TASK_PREFIX.length)] : undefined
    if (!needed) throw new Fault('ValidationError', `${task} is not a policy for privileged tasks of a root user.`)
    await mayAct(call, account, needed)
    const seconds = input.DurationSeconds ?? SECONDS_MAX
    const sourceIdentity = call.caller.session?.sourceIdentity
    return {
      Credentials: issue(call, seconds, {
        account,
        subject: { kind: 'root' },
        policies: [EVERYTHING],
        policyArns: [task],
        assumedRoot: true,
        ...(sourceIdentity !== undefined && { sourceIdentity }),
      }),
      ...(sourceIdentity !== undefined && { SourceIdentity: sourceIdentity }),
    }
  })

async function mayAct(call: Call, account: string, needed: RootFeature): Promise<void> {
  const { organizations, identity } = call.ports
  const own = await organizations.membership(call.unit, call.account)
  const target = await organizations.membership(call.unit, account)
  const manages = own && (own.management === call.account || own.administers.includes(SERVICE))
  if (!own || !manages || target?.id !== own.id || account === own.management) throw denied()
  if (!own.trusted.includes(SERVICE)) throw denied()
  if (!(await identity.rootFeatures(call.unit, own.id)).includes(needed)) throw denied()
}
