/** Seeds of Secrets Manager. Values are never exported. */
import { randomUUID } from 'node:crypto'
import type * as SecretsManager from '@aws-sdk/client-secrets-manager'
import type { Api } from '../../kernel/service/api.ts'
import { compact, documentOf, inTurn, pagesOf, seedPart, seedTags, tagsOf, textOf } from './part.ts'

const secretsManager: Api<typeof SecretsManager> = { id: 'secretsmanager' }

export const secrets = seedPart({
  kind: 'secrets',
  labels: ['name'],
  members: { name: true, value: true, description: true, key: true, policy: true, tags: true },
  add: async ({ call }, { name: Name, value, description, key, policy, tags }, step) => {
    await step([], `secret '${Name}'`, () =>
      call(secretsManager, 'CreateSecret', {
        ClientRequestToken: randomUUID(),
        Name,
        Description: description,
        KmsKeyId: key,
        SecretString: value === undefined ? undefined : textOf(value),
        Tags: tagsOf(tags),
      }),
    )
    if (policy !== undefined)
      await step(['policy'], `the policy of secret '${Name}'`, () =>
        call(secretsManager, 'PutResourcePolicy', { SecretId: Name, ResourcePolicy: textOf(policy) }),
      )
  },
  export: async ({ id, call }, leaveOut) => {
    const all = await pagesOf(async (NextToken) => {
      const page = await call(secretsManager, 'ListSecrets', { NextToken })
      return { items: page.SecretList, next: page.NextToken }
    })
    if (all.length > 0) leaveOut(`the values of the secrets of account ${id}: add a value to each`)
    return inTurn(all, async ({ Name = '', Description, KmsKeyId, Tags }) => {
      const { ResourcePolicy } = await call(secretsManager, 'GetResourcePolicy', { SecretId: Name })
      return compact({
        name: Name,
        description: Description,
        key: KmsKeyId,
        policy: ResourcePolicy && documentOf(ResourcePolicy),
        tags: seedTags(Tags),
      })
    })
  },
})
