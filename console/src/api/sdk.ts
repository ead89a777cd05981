/** The types of the official SDK clients, by service. Types only: nothing of the clients is loaded. */
import type * as AccessAnalyzer from '@aws-sdk/client-accessanalyzer'
import type * as CloudTrail from '@aws-sdk/client-cloudtrail'
import type * as IAM from '@aws-sdk/client-iam'
import type * as KMS from '@aws-sdk/client-kms'
import type * as Organizations from '@aws-sdk/client-organizations'
import type * as SecretsManager from '@aws-sdk/client-secrets-manager'
import type * as STS from '@aws-sdk/client-sts'

export interface Sdk {
  readonly accessanalyzer: typeof AccessAnalyzer
  readonly cloudtrail: typeof CloudTrail
  readonly iam: typeof IAM
  readonly kms: typeof KMS
  readonly organizations: typeof Organizations
  readonly secretsmanager: typeof SecretsManager
  readonly sts: typeof STS
}

export type ServiceId = keyof Sdk

type CommandNames<M> = Extract<keyof M, `${string}Command`>
export type OperationName<S extends ServiceId> = CommandNames<Sdk[S]> extends `${infer N}Command` ? N : never

type CommandOf<S extends ServiceId, N extends string> = Sdk[S][Extract<keyof Sdk[S], `${N}Command`>]

type Arguments<C> = C extends new (...input: infer A) => unknown ? Extract<A, readonly [unknown]> : never

export type Input<S extends ServiceId, N extends string> = Arguments<CommandOf<S, N>>[0]

export type Output<S extends ServiceId, N extends string> =
  CommandOf<S, N> extends new (
    ...input: never[]
  ) => { resolveMiddleware: (...parts: never[]) => (request: never) => Promise<{ output: infer O }> }
    ? O
    : never
