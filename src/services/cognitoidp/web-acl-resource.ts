/** User pools as resources that a web ACL can protect: it filters the requests to their managed login. */
import type { WebAclResourceType } from '../../kernel/ports/web-acl-resources.ts'
import { userPool } from './resources.ts'

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
