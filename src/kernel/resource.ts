/** A kind of resource: its name, its ARN, its rows, and how a request names one. Defined once, used by every operation. */
import { type Entry, key, type RangeOptions, under } from '../store/store.ts'
import type { Fault } from '../wire/fault.ts'
import { parseArn, printArn } from './arn.ts'
import type { Call, Scope } from './call.ts'
import type { ResolvedTarget as Found, Row, Target } from './resource/facts.ts'
import { pairsIn, tagAuthorization } from './resource/tag-rules.ts'

// The words that stay, until the last service uses those of `resource/`.
export type { ResolvedTarget as Found, ResourceFacts as Acted, Row, Tags, Target } from './resource/facts.ts'
export { anything } from './resource/facts.ts'

export interface ResourceDefinition<R extends Row> {
  /** Names the rows in the store: never change it once released. */
  readonly kind: string
  readonly type: string
  /** Global resources have no Region in their key or ARN (IAM, Organizations). */
  readonly global?: boolean
  /** The part of the ARN after the account. `row` is undefined when only the id is known. */
  readonly path: (id: string, row: R | undefined) => string
  readonly id: (row: R) => string
  /** Ids that count as the same share a key: IAM names are unique whatever their case. */
  readonly fold?: (id: string) => string
  readonly missing: (id: string, arn: string) => Fault
  /** The permission that tags in a creating request's `Tags` need: `iam:TagUser`. */
  readonly tagAction?: string
  /** Turns what a caller may type (an ARN, an alias) into an id. Default: the reference itself. */
  readonly resolve?: (call: Call, reference: string) => Promise<string> | string
}

export class Resource<R extends Row> {
  readonly service: string
  readonly definition: ResourceDefinition<R>

  constructor(service: string, definition: ResourceDefinition<R>) {
    this.service = service
    this.definition = definition
  }

  arn(scope: Scope, id: string, row?: R): string {
    const { definition } = this
    return printArn({
      partition: scope.partition,
      service: this.service,
      region: definition.global ? '' : scope.region,
      account: scope.account,
      resource: definition.path(id, row),
    })
  }
  arnOf(scope: Scope, row: R): string {
    return this.arn(scope, this.definition.id(row), row)
  }

  /** The resource that this member of the input names. */
  named<K extends string>(member: K): Target<{ readonly [P in K]?: string | undefined }, R> {
    return { find: (call, input) => this.find(call, input[member] ?? '') }
  }

  /** The resource that will come to be: authorised by the ARN it will have, with no row yet. */
  made<I>(row: (input: I) => Pick<R, never> & Partial<R>): Target<I, undefined> {
    return {
      find: (call, input) => {
        const coming = row(input) as R
        const arn = this.arn(call, this.definition.id(coming), coming)
        const { type, tagAction } = this.definition
        const tags = pairsIn((input as { readonly Tags?: unknown } | undefined)?.Tags)
        const tagging = tagAction === undefined ? undefined : tagAuthorization({ action: tagAction }, tags)
        return { acted: { arn, type, account: call.account }, row: undefined, tagging }
      },
    }
  }

  /** The kind as a whole, or what lies below a path of it: what lists are asked on (`…:user/`). */
  below<I>(path: (input: I) => string): Target<I, undefined> {
    return {
      find: (call, input) => {
        const arn = printArn({
          partition: call.partition,
          service: this.service,
          region: this.definition.global ? '' : call.region,
          account: call.account,
          resource: path(input),
        })
        return { acted: { arn, type: this.definition.type, account: call.account }, row: undefined }
      },
    }
  }

  async find(call: Call, reference: string): Promise<Found<R>> {
    const { definition } = this
    const id = definition.resolve ? await definition.resolve(call, reference) : reference
    const row = await this.get(call, id)
    const arn = this.arn(call, id, row)
    // A denial names what follows from the request alone: the row may have a path or another spelling.
    const requested = reference.startsWith('arn:') ? reference : this.arn(call, id)
    return {
      acted: {
        arn,
        type: definition.type,
        account: parseArn(arn)?.account ?? call.account,
        tags: row?.tags,
        requested: requested === arn ? undefined : requested,
      },
      row,
      missing: () => definition.missing(id, arn),
    }
  }

  get(call: Call, id: string): Promise<R | undefined> {
    return call.unit.get<R>(this.key(call, id))
  }
  /** The row, or the fault that says it does not exist. For rows an operation names besides its target. */
  async require(call: Call, id: string): Promise<R> {
    const row = await this.get(call, id)
    if (!row) throw this.definition.missing(id, this.arn(call, id))
    return row
  }
  save(call: Call, row: R): R {
    call.unit.put(this.key(call, this.definition.id(row)), row)
    return row
  }
  remove(call: Call, row: R): void {
    call.unit.delete(this.key(call, this.definition.id(row)))
  }
  /** In order of their (folded) ids. */
  list(call: Pick<Call, 'unit'> & Scope, options?: RangeOptions): Promise<readonly Entry<R>[]> {
    return call.unit.range<R>(this.prefix(call), options)
  }

  key(scope: Scope, id: string): string {
    const folded = this.definition.fold ? this.definition.fold(id) : id
    return key(this.service, this.definition.kind, scope.account, ...this.#region(scope), folded)
  }
  prefix(scope: Scope): string {
    return under(this.service, this.definition.kind, scope.account, ...this.#region(scope))
  }
  #region(scope: Scope): readonly string[] {
    return this.definition.global ? [] : [scope.region]
  }
}
