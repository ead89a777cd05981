/** Whether what an ARN of IAM names exists, for linters of policies. */

import { parseArn } from '../../kernel/resource/arn.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import { findManagedPolicy } from './policies/policies.ts'
import { oidcProvider } from './providers/oidc-providers.ts'
import { samlProvider } from './providers/saml-providers.ts'
import { rowOf } from './roles/trust.ts'

/** Undefined for ARNs that name neither a user, a role or its session, an identity provider nor a managed policy. */
export async function exists(reader: Reader, text: string): Promise<boolean | undefined> {
  const arn = parseArn(text)
  if (!arn || (arn.service !== 'iam' && arn.service !== 'sts')) return undefined
  const [kind, ...path] = arn.resource.split('/')
  const scope = { partition: arn.partition, region: '', account: arn.account }
  switch (kind) {
    case 'user':
    case 'role': {
      const row = await rowOf(reader, kind, arn.account, path.at(-1) ?? '')
      return row !== undefined && `${kind}${row.path}${row.name}` === arn.resource
    }
    // The ARN of a session has no path of its role.
    case 'assumed-role':
      return (await rowOf(reader, 'role', arn.account, path[0] ?? ''))?.name === path[0]
    case 'oidc-provider':
      return (await oidcProvider.get(reader, scope, { OidcProviderName: path.join('/') })) !== undefined
    case 'saml-provider':
      return (await samlProvider.get(reader, scope, { SamlProviderName: path.join('/') })) !== undefined
    case 'policy':
      return (await findManagedPolicy(reader, text, arn.account)) !== undefined
    default:
      return undefined
  }
}
