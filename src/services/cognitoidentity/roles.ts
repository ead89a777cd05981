/** The roles of a pool, and the rules that choose among more. */
import type { RoleMapping } from '@aws-sdk/client-cognito-identity'
import type { Call } from '../../kernel/gate/call.ts'
import { identity } from '../../kernel/ports/identity.ts'
import { parseArn } from '../../kernel/resource/arn.ts'
import { cognitoIdentity, invalidParameter, type PoolRow, pool, poolArn, poolWithoutType } from './resources.ts'

/** Source: https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html */
const RULES_MAX = 25
export const SERVICE_PRINCIPAL = 'cognito-identity.amazonaws.com'

export const setIdentityPoolRoles = cognitoIdentity
  .operation('SetIdentityPoolRoles')
  .on(poolWithoutType())
  .run(async (call, input, { row, save }) => {
    call.event.resources = [{ arn: poolArn(call, row), type: pool.spec.type, account: row.account }]
    const mappings = input.RoleMappings ?? row.mappings
    for (const [provider, mapping] of Object.entries(mappings)) checkMapping(provider, mapping)
    const arns = [...Object.values(input.Roles), ...Object.values(mappings).flatMap(rolesOf)]
    for (const arn of new Set(arns)) await passRole(call, row, arn)
    save({ ...row, roles: { ...input.Roles }, mappings })
    return {}
  })

export const getIdentityPoolRoles = cognitoIdentity
  .operation('GetIdentityPoolRoles')
  .on(pool.named('IdentityPoolId'))
  .run((_call, _input, { row }) => ({
    IdentityPoolId: row.id,
    ...(Object.keys(row.roles).length > 0 && { Roles: { ...row.roles } }),
    ...(Object.keys(row.mappings).length > 0 && { RoleMappings: { ...row.mappings } }),
  }))

const rolesOf = ({ RulesConfiguration }: RoleMapping): readonly string[] =>
  (RulesConfiguration?.Rules ?? []).flatMap(({ RoleARN }) => (RoleARN === undefined ? [] : [RoleARN]))

function checkMapping(provider: string, { Type, RulesConfiguration, AmbiguousRoleResolution }: RoleMapping): void {
  if (AmbiguousRoleResolution === undefined)
    throw invalidParameter(`AmbiguousRoleResolution is required for the role mapping of ${provider}.`)
  if (Type === 'Rules' && !RulesConfiguration?.Rules?.length)
    throw invalidParameter(`RulesConfiguration is required for the role mapping of ${provider}.`)
  if (Type === 'Token' && RulesConfiguration)
    throw invalidParameter(
      `RulesConfiguration is not allowed for the role mapping of ${provider}, whose type is Token.`,
    )
  if ((RulesConfiguration?.Rules?.length ?? 0) > RULES_MAX)
    throw invalidParameter(`A role mapping can have at most ${RULES_MAX} rules.`)
}

/** Setting a pool's role delegates the role's permissions to every identity of the pool. */
async function passRole(call: Call, row: PoolRow, arn: string): Promise<void> {
  const parsed = parseArn(arn)
  if (parsed?.service !== 'iam' || !parsed.resource.startsWith('role/'))
    throw invalidParameter(`'${arn}' is no ARN of a role.`)
  const isOwn = parsed.account === call.account
  const role = isOwn ? await call.use(identity).role(call.unit, arn) : undefined
  await call.authorize(
    'iam:PassRole',
    { arn, type: 'AWS::IAM::Role', account: call.account, tags: role?.tags },
    { 'iam:PassedToService': SERVICE_PRINCIPAL, 'iam:AssociatedResourceArn': poolArn(call, row) },
  )
}
