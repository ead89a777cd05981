/**
 * Web ACLs compiled beside other work: in short steps between which the process answers requests. While a changed web ACL is being
 * compiled, {@link CompiledWebAcls.current} goes on with what it was before.
 *
 * @example
 * const acls = new CompiledWebAcls()
 * const { compiled } = await acls.latest(published)
 * compiled.evaluate(request, { rates, now: Date.now(), token: {} }).action // 'ALLOW'
 */
import { compileInSteps, type PublishedWebAcl } from '../../engines/waf/published.ts'
import type { CompiledWebAcl } from '../../engines/waf/web-acl.ts'
import { betweenTurns } from '../state/between-turns.ts'

export interface ReadyWebAcl {
  readonly acl: PublishedWebAcl
  readonly compiled: CompiledWebAcl
}

interface Entry {
  readonly acl: PublishedWebAcl
  readonly ready: Promise<ReadyWebAcl>
  settled: ReadyWebAcl | Error | undefined
}

const KNOWN_MAX = 200

export class CompiledWebAcls {
  /** By ARN and revision; the last used ones last. */
  readonly #known = new Map<string, Entry>()
  /** The same by document, where none is ever forgotten for want of room: each request of a gateway has the same one. */
  readonly #byDocument = new WeakMap<PublishedWebAcl, Entry>()
  /** By ARN: the last revision that was compiled. */
  readonly #before = new Map<string, ReadyWebAcl>()
  readonly #max: number
  /** One is compiled at a time. */
  #queue: Promise<unknown> = Promise.resolve()

  constructor(max = KNOWN_MAX) {
    this.#max = max
  }

  /** This revision, once it is compiled. Rejects with an `UnevaluableRuleError` for one that cannot be evaluated. */
  latest(acl: PublishedWebAcl): Promise<ReadyWebAcl> {
    return this.#entry(acl).ready
  }

  /** This revision when it is compiled, else the one before, else waits. Throws for one that cannot be evaluated. */
  current(acl: PublishedWebAcl): ReadyWebAcl | Promise<ReadyWebAcl> {
    const { settled, ready } = this.#entry(acl)
    if (settled instanceof Error) throw settled
    return settled ?? this.#before.get(acl.arn) ?? ready
  }

  /** Compiles these, and forgets all others. */
  follow(acls: readonly PublishedWebAcl[], onError: (acl: PublishedWebAcl, error: unknown) => void): void {
    const ids = new Set(acls.map(idOf))
    const arns = new Set(acls.map(({ arn }) => arn))
    for (const id of this.#known.keys()) if (!ids.has(id)) this.#known.delete(id)
    for (const arn of this.#before.keys()) if (!arns.has(arn)) this.#before.delete(arn)
    for (const acl of acls)
      if (!this.#known.has(idOf(acl))) this.#entry(acl).ready.catch((error: unknown) => onError(acl, error))
  }

  #entry(acl: PublishedWebAcl): Entry {
    const found = this.#byDocument.get(acl)
    if (found) return found
    const entry = this.#named(acl)
    if (this.#max === Number.POSITIVE_INFINITY) this.#byDocument.set(acl, entry)
    return entry
  }

  #named(acl: PublishedWebAcl): Entry {
    const id = idOf(acl)
    const known = this.#known.get(id)
    if (known) {
      this.#known.delete(id)
      this.#known.set(id, known)
      return known
    }
    const ready = this.#queue.then(async () => ({ acl, compiled: await betweenTurns(compileInSteps(acl)) }))
    const entry: Entry = { acl, ready, settled: undefined }
    this.#queue = ready.then(
      (compiled) => {
        entry.settled = compiled
        if (this.#known.get(id) === entry) this.#before.set(acl.arn, compiled)
      },
      (error: Error) => {
        entry.settled = error
      },
    )
    this.#known.set(id, entry)
    if (this.#known.size > this.#max) this.#forgetOldest()
    return entry
  }

  #forgetOldest(): void {
    const [id, { acl }] = this.#known.entries().next().value!
    this.#known.delete(id)
    this.#before.delete(acl.arn)
  }
}

const idOf = ({ arn, revision }: PublishedWebAcl): string => `${arn} ${revision}`
