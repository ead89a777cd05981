/** One request under inspection: its components and their transformations, each computed once, and its labels. */
import type { FieldToMatch, TextTransformation, TextTransformationType } from '@aws-sdk/client-wafv2'
import { type AddressFacts, NO_ADDRESS_FACTS } from './address-facts.ts'
import { type Component, componentKey, componentOf } from './components.ts'
import { LABELS_MAX } from './labels.ts'
import type { PatternBatch } from './pattern-batch.ts'
import type { InspectedRequest } from './request.ts'
import { STEPS_A_CHARACTER, Steps } from './steps.ts'
import { transform } from './transformations.ts'

/** What a statement looks at: a component after its transformations, in the order of their priorities. */
export interface Target {
  readonly key: string
  readonly field: FieldToMatch
  readonly fieldKey: string
  readonly transformations: readonly TextTransformationType[]
}

export function targetOf(field: FieldToMatch, transformations: readonly TextTransformation[] | undefined): Target {
  const types = [...(transformations ?? [])]
    .sort((a, b) => (a.Priority ?? 0) - (b.Priority ?? 0))
    .map(({ Type }) => Type!)
    .filter((type) => type !== 'NONE')
  const fieldKey = componentKey(field)
  return { key: `${fieldKey} ${types.join()}`, field, fieldKey, transformations: types }
}

/** A text that made a statement match: what `merlon waf explain` shows. */
export interface Evidence {
  /** `SQL_INJECTION`, `XSS`, `BYTE_MATCH`, `REGEX`, `SIZE` */
  readonly condition: string
  /** `AllQueryArguments` */
  readonly component: string
  readonly transformations: readonly string[]
  /** After the transformations. */
  readonly text: string
}

export class Inspection {
  readonly request: InspectedRequest
  readonly labels = new Set<string>()
  readonly steps: Steps
  readonly addresses: AddressFacts
  /** Gathered on request; undefined on the data path. */
  readonly evidence: Evidence[] | undefined
  readonly #components = new Map<string, Component>()
  readonly #transformed = new Map<string, Component>()
  readonly #batches = new Map<PatternBatch, ReadonlySet<number>>()
  readonly #decisions = new Map<string, Map<string, boolean>>()

  constructor(request: InspectedRequest, explains = false, steps = new Steps(), addresses = NO_ADDRESS_FACTS) {
    this.request = request
    this.steps = steps
    this.addresses = addresses
    this.evidence = explains ? [] : undefined
  }

  addLabel(label: string): void {
    if (this.labels.size < LABELS_MAX) this.labels.add(label)
  }

  /** What a lexer has decided of texts: most are the same after each of the decodings in which rules read them. */
  decisions(lexer: string): Map<string, boolean> {
    const known = this.#decisions.get(lexer)
    if (known) return known
    const decisions = new Map<string, boolean>()
    this.#decisions.set(lexer, decisions)
    return decisions
  }

  /** A statement matched because of this text. */
  note(condition: string, { field, transformations }: Target, text: string): void {
    this.evidence?.push({ condition, component: Object.keys(field)[0]!, transformations, text })
  }

  texts(target: Target): Component {
    const known = this.#transformed.get(target.key)
    if (known !== undefined) return known
    let component = this.#components.get(target.fieldKey)
    if (component === undefined) {
      // At most all of the request is read for it.
      this.steps.spend(this.#length())
      component = distinct(componentOf(this.request, target.field))
      this.#components.set(target.fieldKey, component)
    }
    const { transformations } = target
    const texts =
      typeof component === 'string' || transformations.length === 0
        ? component
        : component.map((text) => {
            this.steps.spend(text.length * transformations.length)
            return transform(text, transformations)
          })
    this.#transformed.set(target.key, texts)
    return texts
  }

  /** The patterns of a batch that match its target; the whole batch is matched at its first question. */
  patterns(batch: PatternBatch, texts: readonly string[]): ReadonlySet<number> {
    const known = this.#batches.get(batch)
    if (known) return known
    const length = texts.reduce((sum, text) => sum + text.length, 0)
    this.steps.spend(length * (STEPS_A_CHARACTER.REGEX + Math.ceil(batch.instructions / 1_000)))
    const found = batch.matches(texts)
    this.#batches.set(batch, found)
    return found
  }

  #length(): number {
    const { path, query, body, headers } = this.request
    return headers.reduce(
      (sum, [name, value]) => sum + name.length + value.length,
      path.length + query.length + body.length,
    )
  }
}

/** A statement matches when one of the texts does: equal ones, such as the keys of a list of objects, are looked at once. */
const distinct = (component: Component): Component =>
  typeof component === 'string' || component.length < 2 ? component : [...new Set(component)]
