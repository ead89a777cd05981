/**
 * A type of resource, defined once: its ARN, where its rows are stored, how a request names one, its policy and its tags.
 * Row keys, lookup, authorization, tagging and audit all derive from the definition.
 */
import type { CompiledPolicy, PolicySource } from '../../policy/index.ts'
import { type Entry, type Key, key, type RangeOptions, type Unit, under } from '../../store/store.ts'
import type { Fault } from '../../wire/fault.ts'
import type { Call, Scope } from '../gate/call.ts'
import type { Reader } from '../state/reader.ts'
import { ArnForm, type Patterns, type Variables } from './arn-form.ts'
import type { Collection } from './collection.ts'
import type { ResourceFacts, Row, Tags } from './facts.ts'
import { CompiledPolicies, type StoredPolicy } from './stored-policy.ts'
import type { TagRules } from './tag-rules.ts'
import type { ResolvedTarget, Target } from './target.ts'
import {
  type CreatedOptions,
  collection,
  created,
  createdOrReplaced,
  type ExistingResource,
  existing,
  type NewResource,
  named,
  optional,
  type UpsertResource,
} from './targets.ts'

type Awaitable<T> = T | Promise<T>

/** What rows are found by: values by name. */
export type Identity = Readonly<Record<string, string>>

/** What a text in a request names: which resource, where, and which part of it. */
export interface Reference<I> {
  readonly scope: Scope
  readonly id: I
  /** Behind the ARN: a function's `:qualifier`. */
  readonly suffix?: string | undefined
  /** Where the row is stored, for a part that has a row of its own: a version of a function. */
  readonly key?: Key | undefined
  /** Tags of what is named, where its row does not carry them: a function's, for its versions. */
  readonly tags?: Tags | undefined
  /** Set where no row is to be read, because what is named cannot exist: the fault, if it is a special one. */
  readonly absent?: true | (() => Fault) | undefined
  /** What a denial names. Default: an ARN as written; for other texts the ARN that follows from them alone. */
  readonly requested?: string | undefined
}

/**
 * A text that names nothing: an alias that leads nowhere, an ARN of another type. Authorization is decided on `arn`, and
 * only then is the fault returned: `{ scope: call, arn: text, absent: () => kms.fail('NotFoundException', …) }`.
 */
export interface UnresolvedReference {
  readonly scope: Scope
  /** What policies are evaluated on; never the ARN of another resource that exists. */
  readonly arn: string
  readonly absent: () => Fault
  /** What a denial names. Default: `arn`. */
  readonly requested?: string | undefined
}

/** Reads a text that names a resource. Undefined: `invalidReference`. */
export type ReferenceReader<I> = (
  call: Call,
  text: string,
  input: object,
) => Awaitable<Reference<I> | UnresolvedReference | undefined>

/** What one operation accepts and another does not: aliases, other accounts' resources. */
export interface NamedOptions<I> {
  /** Replaces the type's own reading: `key.named('KeyId', { reference: byIdOrAlias })`. */
  readonly reference?: ReferenceReader<I>
  /**
   * AWS offers the operation to the account of the resource alone. Another account's resource is authorized like any
   * other, and is then reported as missing.
   */
  readonly ownAccount?: true
}

/** The service's faults. */
export interface Faults<I> {
  /** Returned after authorization only. `arn` includes the part that was named, such as a qualifier. */
  readonly notFound: (arn: string, id: I) => Fault
  /** The text has not the form of a name or ARN of this type. Returned at once: it says nothing about what exists. */
  readonly invalidReference: (text: string) => Fault
  /** Returned on creation, after authorization. */
  readonly alreadyExists?: (arn: string, id: I) => Fault
  /** For the ARN of another Region, returned at once. Default: a denial, or `notFound`. */
  readonly otherRegion?: (region: string, call: Scope) => Fault
}

/** Where the ARN says more than rows are found by: IAM paths, the random end of a secret's ARN. */
export interface IdentitySpec<T extends string, R, I> {
  /** The members of the identity that the key of the row consists of, in order. */
  readonly names: readonly (keyof I & string)[]
  /** `row` is undefined for what does not exist, or not yet. */
  readonly toArn: (id: I, row: R | undefined) => Variables<T>
  /** Absent: only {@link ResourceSpec.reference} reads ARNs. */
  readonly fromArn?: (variables: Variables<T>) => I
}

export interface ResourceSpec<T extends string, R extends Row, I extends Identity = Variables<T>> {
  /** Begins the keys of the rows: never change it once released. */
  readonly kind: string
  /** CloudFormation's name, as CloudTrail shows it. */
  readonly type: string
  /** Exactly as the service authorization reference writes it. */
  readonly arn: T
  readonly patterns?: Patterns<T>
  /** Whether rows belong to an account in a Region, to an account, or to the whole installation. */
  readonly storedPer: 'region' | 'account' | 'installation'
  readonly identity?: IdentitySpec<T, R, I>
  /** The identity as the row spells it. Required with `normalize`. */
  readonly idOf?: (row: R) => I
  /** Values that are the same after this share a key: IAM names are unique in any case. */
  readonly normalize?: (value: string) => string
  /** The member of the identity that a text fills which is not an ARN. Absent: only ARNs name a resource. */
  readonly shortForm?: keyof I & string
  /** Replaces the two ways above, where AWS accepts more: partial ARNs, aliases. */
  readonly reference?: ReferenceReader<I>
  /**
   * Resources of AWS itself, by ARN: they exist in every installation without being stored. Their ARNs have `aws` in place
   * of the account; writing one is a programming error.
   */
  readonly builtIn?: (arn: string) => Awaitable<R | undefined>
  /** Another account's ARN is looked up, and the policy on the resource decides. Absent: its row is never read. */
  readonly crossAccount?: true
  /** ARNs of other Regions are looked up, in the same account: trails are visible outside of their home Region. */
  readonly crossRegion?: true
  /** The account that owns the row, where the ARN has none: required with `storedPer: 'installation'`. */
  readonly owner?: (row: R, id: I) => string
  readonly policy?: (row: R) => StoredPolicy | undefined
  readonly policyMode?: ResourceFacts['policyMode']
  /** How decisions name the policy. Default: `default`, without an ARN. */
  readonly policySource?: (arn: string) => Pick<PolicySource, 'id' | 'arn'>
  /**
   * What else authorization has to know: KMS grants, condition keys of the resource. What it returns replaces what the
   * type knows: `policy: undefined` ignores the policy. `row` is undefined for what does not exist, or not yet; `input` is
   * the request, or what {@link ResourceType.find} got in its place.
   */
  readonly facts?: (call: Call, row: R | undefined, input: object) => Awaitable<Partial<ResourceFacts>>
  readonly tags?: TagRules
  readonly faults: Faults<I>
}

type Place = Pick<Scope, 'account' | 'region'>

/** In the place of an account, in ARNs of resources of AWS itself. */
const AWS = 'aws'

const refuseWrite = (): never => {
  throw new Error('a resource of AWS itself cannot be written')
}
const readOnly = { unit: { put: refuseWrite, delete: refuseWrite } }

/** A reference, with the ARN where one was written in full: the row's has to be the same. */
interface WrittenReference<I> extends Reference<I> {
  readonly written?: string
}

export class ResourceType<const T extends string, R extends Row, I extends Identity = Variables<T>> {
  readonly spec: ResourceSpec<T, R, I>
  readonly form: ArnForm<T>
  readonly #policies = new CompiledPolicies<R>()
  readonly #normalize: (value: string) => string

  constructor(spec: ResourceSpec<T, R, I>) {
    this.spec = spec
    this.form = new ArnForm(spec.arn, spec.patterns)
    this.#normalize = spec.normalize ?? ((value) => value)
    // Else a policy that names the resource as it is stored would not bind a request that writes it in other case.
    if (spec.normalize && !spec.idOf) throw new Error(`${spec.type}: 'normalize' needs 'idOf'`)
    if (spec.storedPer === 'installation' && !spec.owner) {
      throw new Error(`${spec.type}: rows of the installation need 'owner'`)
    }
  }

  /** The resource that this member of the input names. */
  named<K extends string>(
    member: K,
    options?: NamedOptions<I>,
  ): Target<{ readonly [P in K]?: string | undefined }, ExistingResource<I, R>> {
    return named(this, member, options)
  }

  /** The same for a resource that need not exist: deletions that AWS documents as idempotent. */
  optional<K extends string>(
    member: K,
    options?: NamedOptions<I>,
  ): Target<{ readonly [P in K]?: string | undefined }, ExistingResource<I, R> | undefined> {
    return optional(this, member, options)
  }

  /**
   * A resource that the operation creates. `generated`: the request does not name it, so it is authorized on the pattern
   * of the type, as in AWS (`…:certificate/*`); `authorizedOn: '*'` where the reference lists no resource type for the
   * operation (`kms:CreateKey`). The tags of the request are authorized on the pattern in both cases.
   */
  created<In extends object>(
    identify: (input: In, call: Call) => I | Reference<I>,
    options: CreatedOptions = {},
  ): Target<In, NewResource<I, R>> {
    return created(this, identify, options)
  }

  /** The resource that the member names, to be replaced; without the member a new one with a generated identity. */
  createdOrReplaced<K extends string, In extends { readonly [P in K]?: string | undefined }>(
    member: K,
    identify: (input: In, call: Call) => I,
  ): Target<In, UpsertResource<I, R>> {
    return createdOrReplaced(this, member, identify)
  }

  /**
   * All resources of the caller's account. Authorized on `*`, or where the reference lists the type for the operation, on
   * the pattern of the type with these values.
   */
  collection<In extends object>(on?: (input: In) => Partial<Variables<T>>): Target<In, Collection<R>> {
    // A list of all rows would show every account those of the others.
    if (this.spec.storedPer === 'installation') {
      throw new Error(`${this.spec.type}: rows of the installation belong to several accounts, list them by account`)
    }
    return collection(this, on)
  }

  async find(
    call: Call,
    text: string,
    input: object = {},
    { reference, ownAccount }: NamedOptions<I> = {},
  ): Promise<ResolvedTarget<ExistingResource<I, R>>> {
    const { faults, idOf } = this.spec
    const at = await this.#reference(call, text, input, reference)
    if ('arn' in at) {
      const { scope, arn, requested, absent } = at
      return {
        acted: await this.facts(call, { scope, arn, row: undefined, input, requested }),
        row: undefined,
        missing: absent,
      }
    }
    const key = at.key ?? this.key(at.scope, at.id)
    const read = await this.#read(call, at, key)
    const row = read && this.#isWritten(at, read) ? read : undefined
    const id = row && idOf ? idOf(row) : at.id
    const scope = row ? this.#scopeOf(row, id, at.scope) : at.scope
    const arn = row === undefined && at.written !== undefined ? at.written : this.arn(scope, id, row)
    const { suffix = '' } = at
    const requested = this.#requested(at, text)
    const facts = await this.facts(call, { scope, arn: arn + suffix, row, input, requested })
    const acted = at.tags ? { ...facts, tags: at.tags } : facts
    const isOffered = !ownAccount || scope.account === call.account
    return {
      acted,
      row:
        row && isOffered
          ? existing(scope.account === AWS ? readOnly : call, key, {
              scope,
              id,
              arn,
              named: arn + suffix,
              row,
              facts: acted,
            })
          : undefined,
      missing: typeof at.absent === 'function' ? at.absent : () => faults.notFound(arn + suffix, id),
    }
  }

  /** Throws `invalidReference` and `otherRegion`, which do not depend on what exists. */
  resolve(call: Call, text: string, input: object = {}): Promise<Reference<I> | UnresolvedReference> {
    return this.#reference(call, text, input)
  }

  /** Of a resource named in full: its row is there, will be there, or is known to be missing. */
  arn(scope: Scope, id: I, row?: R): string {
    return this.form.print(scope, this.variables(id, row))
  }

  arnOf(scope: Scope, row: R): string {
    return this.arn(scope, this.#idOf(row), row)
  }

  /** What fills the ARN form. */
  variables(id: I, row?: R): Variables<T> {
    const { identity } = this.spec
    return identity ? identity.toArn(id, row) : (id as unknown as Variables<T>)
  }

  /** As authorization and the audit log see it. */
  async facts(
    call: Call,
    of: {
      readonly scope: Scope
      readonly arn: string
      readonly row: R | undefined
      readonly input?: object
      readonly requested?: string | undefined
    },
  ): Promise<ResourceFacts> {
    const { spec } = this
    const { scope, arn, row, input = {}, requested } = of
    // All members by name, so that every call makes one form.
    const facts: ResourceFacts = {
      arn,
      type: spec.type,
      account: scope.account,
      tags: row?.tags,
      conditions: undefined,
      policy: row && this.#policy(row, arn),
      claimed: undefined,
      policyMode: row && spec.policyMode,
      grants: undefined,
      aboveRcps: undefined,
      concealed: undefined,
      requested: requested === arn ? undefined : requested,
    }
    return spec.facts ? { ...facts, ...(await spec.facts(call, row, input)) } : facts
  }

  /** The row, or the fault for a missing one. For resources that an operation names besides its target. */
  async require(call: Scope & { readonly unit: Pick<Reader, 'get'> }, id: I): Promise<R> {
    const { faults } = this.spec
    const variables = this.variables(id)
    const wrong = this.form.mismatch(variables)
    if (wrong !== undefined) throw faults.invalidReference(variables[wrong])
    const row = await this.get(call.unit, call, id)
    if (!row) throw faults.notFound(this.arn(call, id), id)
    return row
  }

  /** For rows that are not the target: under their own identity, in the account and Region of `place`. */
  put(unit: Pick<Unit, 'put'>, place: Place, row: R): R {
    unit.put(this.key(place, this.#idOf(row)), row)
    return row
  }

  get(reader: Pick<Reader, 'get'>, place: Place, id: I): Promise<R | undefined> {
    return reader.get<R>(this.key(place, id))
  }

  /** In the order of their (normalized) keys. */
  list(reader: Pick<Reader, 'range'>, place: Place, options?: RangeOptions): Promise<readonly Entry<R>[]> {
    return reader.range<R>(this.prefix(place), options)
  }

  key(place: Place, id: I): Key {
    const names = this.spec.identity?.names ?? this.form.names
    const values = names.map((name) => this.#normalize((id as Identity)[name]!))
    return key(this.form.service, this.spec.kind, ...this.#home(place), ...values)
  }

  prefix(place: Place): Key {
    return under(this.form.service, this.spec.kind, ...this.#home(place))
  }

  #idOf(row: R): I {
    const { idOf, type } = this.spec
    if (!idOf) throw new Error(`${type}: the identity of a row needs 'idOf'`)
    return idOf(row)
  }

  async #read(call: Call, at: WrittenReference<I>, key: Key): Promise<R | undefined> {
    if (at.absent) return undefined
    const { builtIn } = this.spec
    if (at.scope.account === AWS) return at.written === undefined ? undefined : builtIn?.(at.written)
    return this.#isReadable(call, at.scope) ? call.unit.get<R>(key) : undefined
  }

  #home({ account, region }: Place): readonly string[] {
    switch (this.spec.storedPer) {
      case 'region':
        return [account, region]
      case 'account':
        return [account]
      case 'installation':
        return []
    }
  }

  #scopeOf(row: R, id: I, scope: Scope): Scope {
    const { owner } = this.spec
    return owner ? { partition: scope.partition, region: scope.region, account: owner(row, id) } : scope
  }

  /** Rows elsewhere are not read: the decision is made on the ARN alone. */
  #isReadable(call: Call, scope: Scope): boolean {
    const { storedPer, crossAccount, crossRegion } = this.spec
    if (storedPer === 'installation') return true
    if (storedPer === 'region' && scope.region !== call.region && !crossRegion) return false
    return scope.account === call.account || crossAccount === true
  }

  /** An ARN with another path, say, names another resource than the row that was found by its name. */
  #isWritten({ scope, id, written }: WrittenReference<I>, row: R): boolean {
    if (written === undefined) return true
    const identity = this.spec.idOf?.(row) ?? id
    const arn = this.arn(this.#scopeOf(row, identity, scope), identity, row)
    return this.#normalize(arn) === this.#normalize(written)
  }

  async #reference(
    call: Call,
    text: string,
    input: object,
    reference = this.spec.reference,
  ): Promise<WrittenReference<I> | UnresolvedReference> {
    const { faults, storedPer } = this.spec
    const at: WrittenReference<I> | UnresolvedReference | undefined = reference
      ? await reference(call, text, input)
      : (this.#byArn(call, text) ?? this.#byName(call, text))
    if (at && 'arn' in at) return at
    // Also where a service reads references: no text out of a request makes an ARN of another form.
    if (!at || this.form.mismatch(this.variables(at.id)) !== undefined) throw faults.invalidReference(text)
    if (faults.otherRegion && storedPer === 'region' && at.scope.region !== call.region) {
      throw faults.otherRegion(at.scope.region, call)
    }
    return at
  }

  #byArn(call: Call, text: string): WrittenReference<I> | undefined {
    const { identity } = this.spec
    const parsed = text.startsWith('arn:') ? this.form.parse(text) : undefined
    if (parsed?.partition !== call.partition || (identity && !identity.fromArn)) return undefined
    const { account = call.account, region = call.region, variables } = parsed
    const id = identity ? identity.fromArn!(variables) : (variables as unknown as I)
    return { scope: { partition: call.partition, account, region }, id, written: text }
  }

  #byName(call: Call, text: string): Reference<I> | undefined {
    const { shortForm } = this.spec
    if (shortForm === undefined) return undefined
    const id = { [shortForm]: text } as unknown as I
    return this.form.mismatch(this.variables(id)) === undefined ? { scope: call, id } : undefined
  }

  /** What a denial names: it follows from what the caller wrote, whether or not there is a row. */
  #requested({ scope, id, suffix = '', requested }: Reference<I>, text: string): string {
    if (requested !== undefined) return requested
    return text.startsWith('arn:') ? text : this.arn(scope, id) + suffix
  }

  #policy(row: R, arn: string): CompiledPolicy | undefined {
    const { policy, policySource } = this.spec
    const stored = policy?.(row)
    return stored && this.#policies.get(row, stored, { id: 'default', ...policySource?.(arn), kind: 'resource' })
  }
}
