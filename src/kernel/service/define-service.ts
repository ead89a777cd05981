/** The declarations a service is written with: resource types, operations, faults, tagging, and the service itself. */
import { Fault } from '../../wire/fault.ts'
import type { FaultName, Input, OpName } from '../../wire/typed.ts'
import type { Variables } from '../resource/arn-form.ts'
import type { DeclaredResourceType } from '../resource/declared-resource-type.ts'
import type { Row } from '../resource/facts.ts'
import { type Identity, type ResourceSpec, ResourceType } from '../resource/resource-type.ts'
import type { Api } from './api.ts'
import { type NamedOperation, nameOperation } from './operation.ts'
import type { Operation, Service } from './service.ts'
import { type TaggingNames, taggingOperations } from './tagging.ts'

/** What a service consists of, besides what its declarations contain. */
export type ServiceParts = Omit<Service, 'api' | 'resources'>

/** The members that the three operations have in common. */
type CommonMember<M, Tag extends OpName<M>, Untag extends OpName<M>, List extends OpName<M>> = string &
  keyof Input<M, Tag> &
  keyof Input<M, Untag> &
  keyof Input<M, List>

export interface TypedTaggingNames<M, Tag extends OpName<M>, Untag extends OpName<M>, List extends OpName<M>>
  extends TaggingNames {
  readonly tag: Tag
  readonly untag: Untag
  readonly list: List
  readonly resource: CommonMember<M, Tag, Untag, List>
  readonly keys?: (keyof Input<M, Untag> & string) | undefined
}

/** Every operation that these modules export, alone or in arrays, in their order. */
export function operationsOf(...modules: readonly Readonly<Record<string, unknown>>[]): readonly Operation[] {
  return modules.flatMap((module) => Object.values(module).flat()).filter(isOperation)
}

const isOperation = (value: unknown): value is Operation =>
  typeof value === 'object' && value !== null && 'name' in value && 'target' in value && 'run' in value

export function defineService<M>(id: string, iamPrefix: string = id) {
  const api: Api<M> = { id }
  const declared: string[] = []
  const resources: DeclaredResourceType[] = []
  const declare = (operation: Operation): Operation => {
    declared.push(operation.name)
    return operation
  }
  const actionOf = (name: string): string => `${iamPrefix}:${name}`

  return {
    api,
    /** An error of the model; the compiler knows its name. */
    fail: (code: FaultName<M>, message: string, members?: Readonly<Record<string, unknown>>) =>
      new Fault(code, message, members ? { members } : {}),
    resource: <const T extends string, R extends Row, I extends Identity = Variables<T>>(
      spec: ResourceSpec<T, R, I>,
    ): ResourceType<T, R, I> => {
      const type = new ResourceType<T, R, I>(spec)
      resources.push(type)
      return type
    },
    operation: <N extends OpName<M>>(name: N): NamedOperation<M, N> =>
      nameOperation<M, N>(name, actionOf(name), declare),
    /** Tag, untag and list: an array of three operations. */
    tagging: <
      const T extends string,
      R extends Row,
      I extends Identity,
      Tag extends OpName<M>,
      Untag extends OpName<M>,
      List extends OpName<M>,
    >(
      type: ResourceType<T, R, I>,
      names: TypedTaggingNames<M, Tag, Untag, List>,
    ): readonly Operation[] => taggingOperations(type, actionOf, names).map(declare),
    /** Throws when an operation was written and is not served, or is served twice. */
    service: (parts: ServiceParts): Service => {
      const served = parts.operations.map(({ name }) => name)
      const unserved = declared.filter((name) => !served.includes(name))
      const twice = served.filter((name, index) => served.indexOf(name) !== index)
      if (unserved.length > 0) throw new Error(`${id}: written and not served: ${unserved.join(', ')}`)
      if (twice.length > 0) throw new Error(`${id}: served twice: ${twice.join(', ')}`)
      return { api, resources, ...parts }
    },
  }
}
