/** What operations act on inside an instance, and which accounts may call them. */
import type { Call } from '../../kernel/gate/call.ts'
import { administration } from '../../kernel/identity-center.ts'
import type { Conditions } from '../../kernel/resource/conditions.ts'
import type { ResourceFacts, Tags } from '../../kernel/resource/facts.ts'
import { requestedTags, tagAuthorization } from '../../kernel/resource/tag-rules.ts'
import type { ResolvedTarget, Target } from '../../kernel/resource/target.ts'
import {
  type ApplicationRow,
  application,
  type InstanceRow,
  instance,
  notFound,
  type PermissionSetRow,
  permissionSet,
  SCOPE,
  sso,
  type TokenIssuerRow,
  tagRules,
  tokenIssuer,
} from './resources.ts'

/** One more resource that the operation has to be allowed on. */
export interface Ref {
  readonly arn: string
  readonly type: string
  readonly tags?: Tags | undefined
}

/** What a request names in an instance, besides the instance itself. The last one is what the audit log shows. */
export interface Located<R> {
  readonly on?: readonly Ref[]
  readonly row: R | undefined
  readonly missing?: string
  /** What the request tags on creation, by the pattern of its type. */
  readonly creates?: Ref
  /** `sso:ApplicationAccount` */
  readonly applicationAccount?: string | undefined
}

export interface InInstance<R> {
  readonly instance: InstanceRow
  readonly row: R
}

const forbidden = () =>
  sso.fail('AccessDeniedException', 'The account does not administer this instance of IAM Identity Center.')

export const accountRef = (id: string): Ref => ({ arn: `arn:aws:sso:::account/${id}`, type: 'AWS::SSO::Account' })

/** The instance, if the caller's account administers it, in the Region it was created in. */
export async function administered(call: Call, InstanceId: string): Promise<InstanceRow | 'forbidden' | undefined> {
  const row = await instance.get(call.unit, SCOPE, { InstanceId })
  const role = row && (await administration(call, row.account))
  if (!row || role === undefined) return undefined
  if (role === 'member') return 'forbidden'
  return row.region === call.region ? row : undefined
}

export async function resolved<R>(
  call: Call,
  input: object,
  instanceId: string,
  locate: (found: InstanceRow) => Promise<Located<R>> | Located<R>,
  { isInstanceListed = true }: { readonly isInstanceListed?: boolean } = {},
): Promise<ResolvedTarget<InInstance<R>>> {
  const found = await administered(call, instanceId)
  const row = typeof found === 'object' ? found : undefined
  const instanceArn = `arn:aws:sso:::instance/${instanceId}`
  const located: Located<R> = row ? await locate(row) : { row: undefined }
  const conditions: Conditions = {
    'sso:PrimaryRegion': row?.region,
    ...(located.applicationAccount !== undefined && { 'sso:ApplicationAccount': located.applicationAccount }),
  }
  const factsOf = ({ arn, type, tags }: Ref): ResourceFacts => ({
    arn,
    type,
    account: call.account,
    tags,
    conditions,
  })
  const first: readonly Ref[] = isInstanceListed
    ? [{ arn: instanceArn, type: instance.spec.type, tags: row?.tags }]
    : []
  const facts = [...first, ...(located.on ?? [])].map(factsOf)
  const acted = facts.at(-1) ?? factsOf({ arn: instanceArn, type: instance.spec.type, tags: row?.tags })
  for (const each of facts.slice(0, -1)) await call.authorize(`sso:${call.operation}`, each, conditions)
  const pairs = located.creates || !row ? requestedTags(tagRules, input) : []
  const tagging = tagAuthorization(tagRules, pairs)
  const tagged = located.creates ? factsOf(located.creates) : acted
  return {
    acted,
    row: row && located.row !== undefined ? { instance: row, row: located.row } : undefined,
    missing: () => {
      if (found === 'forbidden') return forbidden()
      return notFound(row ? (located.missing ?? 'The resource does not exist.') : `Could not find ${instanceArn}.`)
    },
    ...(tagging && { tagging: { ...tagging, acted: tagged } }),
  }
}

interface OfInstance {
  readonly InstanceArn: string
}

const idIn = (arn: string): string => arn.slice(arn.lastIndexOf('/') + 1)

export const inInstance = <I extends OfInstance, R>(
  locate: (found: InstanceRow, input: I, call: Call) => Promise<Located<R>> | Located<R>,
): Target<I, InInstance<R>> => ({
  find: (call, input) => resolved(call, input, idIn(input.InstanceArn), (found) => locate(found, input, call)),
})

export const theInstance = <I extends OfInstance>(): Target<I, InInstance<true>> => inInstance(() => ({ row: true }))

interface OfPermissionSet extends OfInstance {
  readonly PermissionSetArn: string
}

/** The permission set that an ARN of the instance names. */
export async function locatePermissionSet(
  call: Pick<Call, 'unit'>,
  found: InstanceRow,
  arn: string,
): Promise<Located<PermissionSetRow>> {
  const variables = permissionSet.form.parse(arn)?.variables
  const row = variables?.InstanceId === found.id ? await permissionSet.get(call.unit, SCOPE, variables) : undefined
  return {
    on: [{ arn, type: permissionSet.spec.type, tags: row?.tags }],
    row,
    missing: `Could not find PermissionSet with id ${idIn(arn)}`,
  }
}

/** The permission set, and the account that some operations name with it. */
export const onPermissionSet = <I extends OfPermissionSet>(
  accountOf: (input: I) => string | undefined = () => undefined,
): Target<I, InInstance<PermissionSetRow>> =>
  inInstance(async (found, input: I, call) => {
    const located = await locatePermissionSet(call, found, input.PermissionSetArn)
    const account = accountOf(input)
    return { ...located, on: [...(account === undefined ? [] : [accountRef(account)]), ...located.on!] }
  })

/** The application that the ARN names; its instance is in the ARN. */
export const onApplication = <I extends { readonly ApplicationArn: string }>(): Target<
  I,
  InInstance<ApplicationRow>
> => ({
  find: (call, input) => {
    const { account, variables } = application.form.parse(input.ApplicationArn) ?? {}
    return resolved(
      call,
      {},
      variables?.InstanceId ?? '',
      async (): Promise<Located<ApplicationRow>> => {
        const row = variables && (await application.get(call.unit, SCOPE, variables))
        const isNamed = row?.account === account
        return {
          on: [{ arn: input.ApplicationArn, type: application.spec.type, tags: row?.tags }],
          row: isNamed ? row : undefined,
          missing: `Could not find ${input.ApplicationArn}.`,
          applicationAccount: row?.account,
        }
      },
      { isInstanceListed: false },
    )
  },
})

export const onTokenIssuer = <I extends { readonly TrustedTokenIssuerArn: string }>(): Target<
  I,
  InInstance<TokenIssuerRow>
> => ({
  find: (call, input) => {
    const { account, variables } = tokenIssuer.form.parse(input.TrustedTokenIssuerArn) ?? {}
    return resolved(
      call,
      {},
      variables?.InstanceId ?? '',
      async (): Promise<Located<TokenIssuerRow>> => {
        const row = variables && (await tokenIssuer.get(call.unit, SCOPE, variables))
        return {
          on: [{ arn: input.TrustedTokenIssuerArn, type: tokenIssuer.spec.type, tags: row?.tags }],
          row: row?.account === account ? row : undefined,
          missing: `Could not find ${input.TrustedTokenIssuerArn}.`,
        }
      },
      { isInstanceListed: false },
    )
  },
})
