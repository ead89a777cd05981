/**
 * The attributes by which an assertion says what session its person gets.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_saml_assertions.html
 */
import { SamlRefusal } from './refusal.ts'
import type { SamlIdentity } from './response.ts'

const ATTRIBUTES = 'https://aws.amazon.com/SAML/Attributes/'
export const ROLE_ATTRIBUTE = `${ATTRIBUTES}Role`
const TAG_PREFIX = `${ATTRIBUTES}PrincipalTag:`

export interface SamlSession {
  readonly sessionName: string
  /** Seconds. */
  readonly duration: number | undefined
  readonly tags: readonly { readonly Key: string; readonly Value: string }[]
  readonly transitiveTagKeys: readonly string[]
  readonly sourceIdentity: string | undefined
}

export interface RolePair {
  readonly roleArn: string
  readonly providerArn: string
}

const invalid = (message: string) => new SamlRefusal('invalid', message)

/** What the attributes request; throws a {@link SamlRefusal} where they break AWS's rules. */
export function requestedSession({ attributes }: Pick<SamlIdentity, 'attributes'>): SamlSession {
  const values = (name: string) => attributes.get(ATTRIBUTES + name) ?? []
  const [sessionName, ...more] = values('RoleSessionName')
  if (sessionName === undefined || more.length > 0) throw invalid('RoleSessionName is required in AuthnResponse')
  if (!/^[\w+=,.@-]{2,64}$/.test(sessionName)) {
    throw invalid('RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}')
  }
  const [duration] = values('SessionDuration')
  if (duration !== undefined && !(/^\d+$/.test(duration) && Number(duration) >= 900 && Number(duration) <= 43_200)) {
    throw invalid('SessionDuration in AuthnResponse must be between 900 and 43200 seconds')
  }
  return {
    sessionName,
    duration: duration === undefined ? undefined : Number(duration),
    tags: [...attributes]
      .filter(([name]) => name.startsWith(TAG_PREFIX))
      .map(([name, [Value = '']]) => ({ Key: name.slice(TAG_PREFIX.length), Value })),
    transitiveTagKeys: values('TransitiveTagKeys'),
    sourceIdentity: values('SourceIdentity')[0],
  }
}

/** `roleArn,providerArn` in either order; values of another form are passed over. */
export function rolePairs(values: readonly string[]): readonly RolePair[] {
  return values.flatMap((value) => {
    const arns = value.split(',').map((arn) => arn.trim())
    const roleArn = arns.find((arn) => /^arn:[^:]*:iam::\d{12}:role\//.test(arn))
    const providerArn = arns.find((arn) => /^arn:[^:]*:iam::\d{12}:saml-provider\//.test(arn))
    return arns.length === 2 && roleArn && providerArn ? [{ roleArn, providerArn }] : []
  })
}
