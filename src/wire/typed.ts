/** Names and types of every operation, taken from the AWS SDK's own declarations by mapped types: nothing is generated. */
import type { CommandImpl } from '@smithy/core/client'
import type { MetadataBearer } from '@smithy/types'

// biome-ignore-start lint/suspicious/noExplicitAny: `infer` over the SDK's class types needs the bivariant any.
type Io<C> = C extends abstract new (
  input: any,
) => CommandImpl<infer I, infer O, any, any, any>
  ? { i: I; o: O }
  : never

/** Commands of the services without an official client: `models/schemas/*.types.ts`. */
export type LocalCommand<I, O> = abstract new (input: I) => CommandImpl<I & object, O & MetadataBearer, any, any, any>
// biome-ignore-end lint/suspicious/noExplicitAny: see above

/** Their errors. */
export type LocalError<N extends string> = abstract new () => { readonly name: N; readonly $fault: 'client' | 'server' }

/** `CreateUser` for every `CreateUserCommand` the client module `M` exports. */
export type OpName<M> = keyof {
  [K in keyof M as K extends `${infer N}Command` ? (N extends '$' ? never : N) : never]: 1
} &
  string

/** The SDK types required members `T | undefined`; validation at the border guarantees them, so strip it, deeply. */
export type Strict<T> = T extends Uint8Array | Date
  ? T
  : T extends readonly (infer E)[]
    ? Strict<E>[]
    : T extends object
      ? {
          [K in keyof T]:
            | Strict<Exclude<T[K], undefined>>
            | (undefined extends T[K] ? ({} extends Pick<T, K> ? undefined : never) : never)
        }
      : T

export type Input<M, N extends OpName<M>> = Strict<Io<M[`${N}Command` & keyof M]>['i']>
export type Output<M, N extends OpName<M>> = Omit<Io<M[`${N}Command` & keyof M]>['o'], keyof MetadataBearer>

/** The name of every error the client module models. */
export type FaultName<M> = {
  [K in keyof M]: M[K] extends abstract new (
    ...a: never[]
  ) => { readonly name: infer N; readonly $fault: unknown }
    ? string extends N
      ? never
      : N
    : never
}[keyof M] &
  string
