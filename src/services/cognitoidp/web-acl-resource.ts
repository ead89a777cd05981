/**
 * User pools as resources that a web ACL can protect: it filters the requests to their managed login, and the operations that need no
 * signature.
 *
 * Source: https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-waf.html
 */
import type { WebAclResourceType } from '../../kernel/ports/web-acl-resources.ts'
import type { ProtectedOperations } from '../../kernel/service/traits.ts'
import { readJwt } from './jwt.ts'
import { clientById, cognito, poolArn, userPool } from './resources.ts'

export const webAclUserPool: WebAclResourceType = {
  resourceType: 'COGNITO_USER_POOL',
  type: 'AWS::Cognito::UserPool',
  arn: /^arn:[\w-]+:cognito-idp:[\w-]+:\d{12}:userpool\//,
  httpSourceName: 'COGNITOIDP',
  actions: {
    associate: 'cognito-idp:AssociateWebACL',
    disassociate: 'cognito-idp:DisassociateWebACL',
    get: 'cognito-idp:GetWebACLForResource',
  },
  find: async (reader, arn) => {
    const { account, region, variables } = userPool.form.parse(arn) ?? {}
    return account && region && variables ? userPool.get(reader, { account, region }, variables) : undefined
  },
}

interface UnsignedInput {
  readonly ClientId?: string | undefined
  readonly AccessToken?: string | undefined
}

/** By the app client, or by the one that an access token names. */
export const protectedOperations: ProtectedOperations = {
  resource: async (reader, input) => {
    const { ClientId, AccessToken } = input as UnsignedInput
    const claimed = ClientId ?? (AccessToken === undefined ? undefined : readJwt(AccessToken)?.claims['client_id'])
    const found = typeof claimed === 'string' ? await clientById(reader, claimed) : undefined
    return found && poolArn(found.pool)
  },
  refusal: () => cognito.fail('ForbiddenException', 'Request not allowed due to WAF block.'),
}
