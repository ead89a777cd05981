/** IAM Identity Center's resource types: instances, permission sets, applications and trusted token issuers. */
import type * as SSOAdmin from '@aws-sdk/client-sso-admin'
import type { SamlKey } from '../../kernel/federation/saml-key.ts'
import type { PolicyReference } from '../../kernel/ports/reserved-roles.ts'
import type { SamlCertificate, SamlSettings } from '../../kernel/ports/saml-applications.ts'
import type { ExternalSource } from '../../kernel/ports/sso-instances.ts'
import type { Row } from '../../kernel/resource/facts.ts'
import type { TagRules } from '../../kernel/resource/tag-rules.ts'
import { TAGS_MAX } from '../../kernel/resource/tags.ts'
import { defineService } from '../../kernel/service/define-service.ts'

export const sso = defineService<typeof SSOAdmin>('sso-admin', 'sso')

export const invalid = (text: string) => sso.fail('ValidationException', text)
export const notFound = (text: string) => sso.fail('ResourceNotFoundException', text)
export const conflict = (text: string) => sso.fail('ConflictException', text)

export const tagRules: TagRules = {
  action: 'sso:TagResource',
  member: 'Tags',
  problems: {
    duplicate: () => invalid('Duplicate tag keys found.'),
    reserved: () => invalid('Tag keys that begin with aws: are reserved.'),
    'too-many': () => sso.fail('ServiceQuotaExceededException', `A resource has at most ${TAGS_MAX} tags.`),
  },
}

interface Owned extends Row {
  readonly id: string
  /** The account of the instance. */
  readonly account: string
  readonly instanceId: string
  readonly createdAt: number
}

const faults = {
  notFound: (arn: string) => notFound(`Could not find ${arn}.`),
  invalidReference: (text: string) => invalid(`${text} is not a valid ARN.`),
}

export interface AttributeSource {
  readonly key: string
  /** `${path:enterprise.department}` */
  readonly source: string
}

export interface InstanceRow extends Omit<Owned, 'instanceId'> {
  /** Of an organization: permission sets and applications. Of an account: applications only. */
  readonly kind: 'organization' | 'account'
  readonly region: string
  readonly storeId: string
  readonly name?: string
  /** Metadata of the SAML provider in accounts. Its private key was never stored: only the portal opens role sessions. */
  readonly metadata: string
  /** Names the SAML provider in accounts. */
  readonly providerName: string
  readonly accessControl?: readonly AttributeSource[]
  /** Where people sign in. Default: with passwords of the directory itself. */
  readonly externalSource?: ExternalSource | undefined
}

export const instance = sso.resource({
  kind: 'instance', // begins the keys of the rows: never change it
  type: 'AWS::SSO::Instance',
  arn: 'arn:${Partition}:sso:::instance/${InstanceId}',
  storedPer: 'installation',
  owner: (row: InstanceRow) => row.account,
  idOf: (row: InstanceRow) => ({ InstanceId: row.id }),
  tags: tagRules,
  faults,
})

export interface PermissionSetRow extends Owned {
  readonly name: string
  readonly description?: string
  /** ISO 8601, as written. */
  readonly sessionDuration: string
  readonly relayState?: string
  readonly inlinePolicy?: string
  /** ARNs of AWS's managed policies. */
  readonly awsPolicies: readonly string[]
  readonly customerPolicies: readonly PolicyReference[]
  readonly boundary?: string | PolicyReference
  /** Grows with every change that roles must follow. */
  readonly revision: number
}

export const permissionSet = sso.resource({
  kind: 'permission-set', // begins the keys of the rows: never change it
  type: 'AWS::SSO::PermissionSet',
  arn: 'arn:${Partition}:sso:::permissionSet/${InstanceId}/${PermissionSetId}',
  storedPer: 'installation',
  owner: (row: PermissionSetRow) => row.account,
  idOf: (row: PermissionSetRow) => ({ InstanceId: row.instanceId, PermissionSetId: row.id }),
  tags: tagRules,
  faults,
})

export interface ApplicationRow extends Owned {
  readonly providerArn: string
  readonly name: string
  readonly description?: string
  readonly isEnabled: boolean
  readonly portal: {
    readonly isVisible: boolean
    readonly origin: 'IDENTITY_CENTER' | 'APPLICATION'
    readonly url?: string
  }
  readonly isAssignmentRequired: boolean
  readonly backgroundSessions?: 'ENABLED' | 'DISABLED'
  /** By scope: ARNs of the applications and instances that may be reached with it. */
  readonly scopes: Readonly<Record<string, readonly string[]>>
  /** By grant type: the API's structure. */
  readonly grants: Readonly<Record<string, object>>
  /** The policy that says which IAM principals may call for the application: JSON text. */
  readonly actorPolicy?: string
  /** Of SAML applications. */
  readonly saml?: {
    readonly settings?: SamlSettings
    readonly certificates: readonly CertificateRow[]
  }
}

/** A certificate of a SAML application, with its key. */
export interface CertificateRow extends SamlCertificate, SamlKey {}

export const applicationArn = ({ account, instanceId, id }: ApplicationRow): string =>
  `arn:aws:sso::${account}:application/${instanceId}/${id}`

export const application = sso.resource({
  kind: 'application', // begins the keys of the rows: never change it
  type: 'AWS::SSO::Application',
  arn: 'arn:${Partition}:sso::${AccountId}:application/${InstanceId}/${ApplicationId}',
  storedPer: 'installation',
  owner: (row: ApplicationRow) => row.account,
  idOf: (row: ApplicationRow) => ({ InstanceId: row.instanceId, ApplicationId: row.id }),
  tags: tagRules,
  faults,
})

export interface TokenIssuerRow extends Owned {
  readonly name: string
  readonly issuerUrl: string
  /** The claim that names the person, and the attribute of the directory that it equals. */
  readonly claimPath: string
  readonly attributePath: string
}

export const tokenIssuer = sso.resource({
  kind: 'token-issuer', // begins the keys of the rows: never change it
  type: 'AWS::SSO::TrustedTokenIssuer',
  arn: 'arn:${Partition}:sso::${AccountId}:trustedTokenIssuer/${InstanceId}/${TrustedTokenIssuerId}',
  storedPer: 'installation',
  owner: (row: TokenIssuerRow) => row.account,
  idOf: (row: TokenIssuerRow) => ({ InstanceId: row.instanceId, TrustedTokenIssuerId: row.id }),
  tags: tagRules,
  faults,
})

/** ARNs of these types name no Region; those of instances and permission sets no account. */
export const SCOPE = { partition: 'aws', region: '', account: '' }

export const storeArn = ({ account, storeId }: InstanceRow): string =>
  `arn:aws:identitystore::${account}:identitystore/${storeId}`
