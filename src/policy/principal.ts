/** The caller, as the policy language sees it. */

export type Principal =
  | RootPrincipal
  | UserPrincipal
  | RoleSessionPrincipal
  | FederatedUserPrincipal
  | ServicePrincipal
  | AnonymousPrincipal

interface Identified {
  /** The account the caller belongs to: twelve digits. */
  readonly account: string
  /** `aws:PrincipalArn` apart from role sessions, whose own ARN this is. */
  readonly arn: string
  /** `aws:userid` */
  readonly userId: string
  /** `aws:PrincipalTag/*`; keys as written. */
  readonly tags: Readonly<Record<string, string>>
}

export interface RootPrincipal extends Identified {
  readonly kind: 'root'
}
export interface UserPrincipal extends Identified {
  readonly kind: 'user'
  readonly name: string
}
export interface RoleSessionPrincipal extends Identified {
  readonly kind: 'role-session'
  readonly roleArn: string
  /** AROA… */
  readonly roleId: string
  readonly roleName: string
  readonly sessionName: string
  readonly serviceLinked: boolean
}
export interface FederatedUserPrincipal extends Identified {
  readonly kind: 'federated-user'
  readonly name: string
  /** The user or root that called GetFederationToken. */
  readonly issuerArn: string
  readonly issuerId: string
}
export interface ServicePrincipal {
  readonly kind: 'service'
  /** `lambda.amazonaws.com` */
  readonly name: string
}
export interface AnonymousPrincipal {
  readonly kind: 'anonymous'
}
