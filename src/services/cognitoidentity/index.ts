/** Cognito identity pools: AWS credentials for people who sign in elsewhere, and for those who do not sign in. */
import { identity } from '../../kernel/ports/identity.ts'
import { identityPools } from '../../kernel/ports/identity-pools.ts'
import { provide } from '../../kernel/ports/port.ts'
import { userPools } from '../../kernel/ports/user-pools.ts'
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

export const cognitoidentity = cognitoIdentity.service({
  operations: operationsOf(pools, roles, principalTags, identities, developer, credentials, { tagging }),
  conditionKeys: identities.conditionKeys,
  documents: keyDocuments,
  jobs: { [pools.DELETE_JOB]: pools.deletePoolJob },
  needs: [identity, userPools],
  open: () => ({ provides: [provide(identityPools, identityPoolsPort)] }),
})
