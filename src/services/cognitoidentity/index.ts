/** Cognito identity pools: AWS credentials for people who sign in elsewhere, and for those who do not sign in. */
import { identity } from '../../kernel/ports/identity.ts'
import { identityPools } from '../../kernel/ports/identity-pools.ts'
import { provide } from '../../kernel/ports/port.ts'
import { operationsOf } from '../../kernel/service/define-service.ts'
import * as credentials from './credentials.ts'
import * as developer from './developer.ts'
import * as identities from './identities.ts'
import * as pools from './pools.ts'
import * as principalTags from './principal-tags.ts'
import { cognitoIdentity, pool } from './resources.ts'
import * as roles from './roles.ts'
import { identityPoolsPort, keyDocuments } from './tokens.ts'

const tagging = cognitoIdentity.tagging(pool, {
  tag: 'TagResource',
  untag: 'UntagResource',
  list: 'ListTagsForResource',
  resource: 'ResourceArn',
  listed: (tags) => ({ Tags: { ...tags } }),
})

const UNSIGNED = 'operations without a signature evaluate no policy'

export const cognitoidentity = cognitoIdentity.service({
  operations: operationsOf(pools, roles, principalTags, identities, developer, credentials, { tagging }),
  absentKeys: {
    'cognito-identity-auth:AccountId': UNSIGNED,
    'cognito-identity-auth:IdentityPoolArn': UNSIGNED,
    'cognito-identity-unauth:AccountId': UNSIGNED,
    'cognito-identity-unauth:IdentityPoolArn': UNSIGNED,
  },
  documents: keyDocuments,
  jobs: { [pools.DELETE_JOB]: pools.deletePoolJob },
  needs: [identity],
  open: () => ({ provides: [provide(identityPools, identityPoolsPort)] }),
})
