/**
 * The steps of an operation's declaration: authentication, then target or a reason for no permission, then conditions,
 * then the body.
 */
import type { Input, OpName, Output } from '../../wire/typed.ts'
import type { Call } from '../gate/call.ts'
import type { Conditions } from '../resource/conditions.ts'
import { anything, type Target } from '../resource/target.ts'
import type { Awaitable } from './awaitable.ts'
import type { BearerCall, BearerScheme } from './bearer.ts'
import type { Operation } from './service.ts'

/** The target is known: only now there is a body. */
export interface TargetedOperation<M, N extends OpName<M>, R, C extends Call> {
  /** Condition keys that only this operation can supply. `resource` is undefined when it does not exist. */
  conditions(
    supply: (input: Input<M, N>, call: C, resource: R | undefined) => Awaitable<Conditions>,
  ): TargetedOperation<M, N, R, C>
  /** Where IAM names the action otherwise, or needs more than one. Default: the operation's name. */
  actions(first: string, ...more: readonly string[]): TargetedOperation<M, N, R, C>
  /**
   * Where the input chooses the actions: all that it can choose, and the choice. The first of all says whether the
   * operation only reads. A version ID in S3: `.actionsBy(['s3:GetObject', 's3:GetObjectVersion'], ({ VersionId }) => …)`.
   */
  actionsBy(
    among: readonly [string, ...string[]],
    choose: (input: Input<M, N>) => readonly string[],
  ): TargetedOperation<M, N, R, C>
  /** On the contents of a resource, not on the resource: CloudTrail's data events. */
  dataEvent(): TargetedOperation<M, N, R, C>
  run(body: (call: C, input: Input<M, N>, resource: R) => Awaitable<Output<M, N>>): Operation
}

/** No policy is evaluated: there are no actions and no conditions. */
export interface UnpermittedOperation<M, N extends OpName<M>, R, C extends Call>
  extends Pick<TargetedOperation<M, N, R, C>, 'run'> {
  dataEvent(): UnpermittedOperation<M, N, R, C>
  /** For an operation that records a resource although it needs no permission on it. */
  on<T>(target: Target<Input<M, N>, T>): Pick<UnpermittedOperation<M, N, T, C>, 'dataEvent' | 'run'>
}

export interface AuthenticatedOperation<M, N extends OpName<M>, C extends Call> {
  /** What is authorized and recorded. `anything` where IAM knows no resource for the operation. */
  on<R>(target: Target<Input<M, N>, R>): TargetedOperation<M, N, R, C>
  /** For the few operations that AWS answers without evaluating a policy. The reason is documentation. */
  withoutPermission(reason: string): UnpermittedOperation<M, N, undefined, C>
}

export interface NamedOperation<M, N extends OpName<M>> extends AuthenticatedOperation<M, N, Call> {
  /** Called without a signature: only the policy of a resource can allow it, unless `withoutPermission` follows. */
  anonymous(): AuthenticatedOperation<M, N, Call>
  /** Called with a token; `call.bearer` holds its claims. */
  bearer<B>(scheme: BearerScheme<B>): Pick<AuthenticatedOperation<M, N, BearerCall<B>>, 'withoutPermission'>
}

type Declaration = Omit<Operation, 'run'>

/** `declare` is called once for each operation that gets a body. */
export function nameOperation<M, N extends OpName<M>>(
  name: N,
  action: string,
  declare: (operation: Operation) => Operation,
): NamedOperation<M, N> {
  const targeted = <R, C extends Call>(said: Declaration): TargetedOperation<M, N, R, C> => ({
    conditions: (supply) =>
      targeted({
        ...said,
        conditions: async (input, call, resource) => ({
          ...(await said.conditions?.(input, call, resource)),
          ...(await supply(input, call as C, resource)),
        }),
      }),
    actions: (...actions) => targeted({ ...said, actions }),
    actionsBy: (among, choose) =>
      targeted({
        ...said,
        actions: among.slice(0, 1),
        choice: { among, of: choose as (input: object) => readonly string[] },
      }),
    dataEvent: () => targeted({ ...said, dataEvent: true }),
    run: (body) => declare({ ...said, run: body as Operation['run'] }),
  })
  const unpermitted = <R, C extends Call>(said: Declaration): UnpermittedOperation<M, N, R, C> => ({
    on: (target) => unpermitted({ ...said, target }),
    dataEvent: () => unpermitted({ ...said, dataEvent: true }),
    run: (body) => declare({ ...said, run: body as Operation['run'] }),
  })
  const authenticated = <C extends Call>(said: Declaration): AuthenticatedOperation<M, N, C> => ({
    on: (target) => targeted({ ...said, target }),
    withoutPermission: (reason) => unpermitted({ ...said, actions: [], reason }),
  })
  const said: Declaration = { name, actions: [action], target: anything, conditions: undefined }
  return {
    ...authenticated<Call>(said),
    anonymous: () => authenticated({ ...said, unsigned: true }),
    bearer: (scheme) => authenticated({ ...said, unsigned: true, bearer: scheme }),
  }
}
