/** The types of the official SDK clients, by service. Types only: nothing of the clients is loaded. */
import type * as AccessAnalyzer from '@aws-sdk/client-accessanalyzer'
import type * as ACM from '@aws-sdk/client-acm'
import type * as CloudTrail from '@aws-sdk/client-cloudtrail'
import type * as Cognito from '@aws-sdk/client-cognito-identity-provider'
import type * as EC2 from '@aws-sdk/client-ec2'
import type * as GuardDuty from '@aws-sdk/client-guardduty'
import type * as IAM from '@aws-sdk/client-iam'
import type * as IdentityStore from '@aws-sdk/client-identitystore'
import type * as KMS from '@aws-sdk/client-kms'
import type * as Organizations from '@aws-sdk/client-organizations'
import type * as SecretsManager from '@aws-sdk/client-secrets-manager'
import type * as IdentityCenter from '@aws-sdk/client-sso-admin'
import type * as STS from '@aws-sdk/client-sts'
import type * as WAF from '@aws-sdk/client-wafv2'
import type * as PrivateCa from '../../../models/schemas/acm-pca.types.ts'

export interface Sdk {
  readonly accessanalyzer: typeof AccessAnalyzer
  readonly acm: typeof ACM
  readonly 'acm-pca': typeof PrivateCa
  readonly cloudtrail: typeof CloudTrail
  readonly 'cognito-idp': typeof Cognito
  readonly ec2: typeof EC2
  readonly guardduty: typeof GuardDuty
  readonly iam: typeof IAM
  readonly identitystore: typeof IdentityStore
  readonly kms: typeof KMS
  readonly organizations: typeof Organizations
  readonly secretsmanager: typeof SecretsManager
  readonly 'sso-admin': typeof IdentityCenter
  readonly sts: typeof STS
  readonly wafv2: typeof WAF
}

export type ServiceId = keyof Sdk

type CommandNames<M> = Extract<keyof M, `${string}Command`>
export type OperationName<S extends ServiceId> = CommandNames<Sdk[S]> extends `${infer N}Command` ? N : never

type CommandOf<S extends ServiceId, N extends string> = Sdk[S][Extract<keyof Sdk[S], `${N}Command`>]

type Arguments<C> = C extends abstract new (...input: infer A) => unknown ? Extract<A, readonly [unknown]> : never

export type Input<S extends ServiceId, N extends string> = Arguments<CommandOf<S, N>>[0]

export type Output<S extends ServiceId, N extends string> =
  CommandOf<S, N> extends abstract new (
    ...input: never[]
  ) => { resolveMiddleware: (...parts: never[]) => (request: never) => Promise<{ output: infer O }> }
    ? O
    : never
