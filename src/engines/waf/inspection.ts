/** One request under inspection: its components and their transformations, each computed once, and its labels. */
import type { FieldToMatch, TextTransformation, TextTransformationType } from '@aws-sdk/client-wafv2'
import { type AddressFacts, NO_ADDRESS_FACTS } from './address-facts.ts'
import { type Component, componentKey, componentOf } from './components.ts'
import { LABELS_MAX } from './labels.ts'
import type { PatternBatch, PatternMatches } from './pattern-batch.ts'
import type { InspectedRequest } from './request.ts'
import { Steps } from './steps.ts'
import { canChange, marksOf, transformed } from './transformations.ts'

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

/** Texts on their way through transformations. Those that change nothing share one, and what was found out about it. */
class TransformedTexts {
  readonly list: readonly string[]
  readonly length: number
  readonly #next = new Map<TextTransformationType, TransformedTexts>()
  #marks = -1

  constructor(list: readonly string[]) {
    this.list = list
    let length = 0
    for (const text of list) length += text.length
    this.length = length
  }

  after(type: TextTransformationType, steps: Steps): TransformedTexts {
    const known = this.#next.get(type)
    if (known) return known
    const next = this.#transformed(type, steps)
    this.#next.set(type, next)
    return next
  }

  #transformed(type: TextTransformationType, steps: Steps): TransformedTexts {
    if (this.#marks < 0) {
      steps.spend(this.length)
      this.#marks = 0
      for (const text of this.list) this.#marks |= marksOf(text)
    }
    if (!canChange(type, this.#marks)) return this
    steps.spend(this.length)
    const list: string[] = []
    let isChanged = false
    for (const text of this.list) {
      const after = transformed(text, type)
      isChanged ||= after !== text
      list.push(after)
    }
    return isChanged ? new TransformedTexts(list) : this
  }
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
  readonly #components = new Map<string, TransformedTexts | 'MATCH' | 'NO_MATCH'>()
  readonly #targets = new Map<Target, Component>()
  /** By texts: each is of one component, which has one batch. */
  readonly #matches = new Map<readonly string[], PatternMatches>()
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

  /** Targets are compared by identity: compile equal ones to the same object. */
  texts(target: Target): Component {
    const known = this.#targets.get(target)
    if (known !== undefined) return known
    let component = this.#component(target)
    if (typeof component !== 'string')
      for (const type of target.transformations) component = component.after(type, this.steps)
    const texts = typeof component === 'string' ? component : component.list
    this.#targets.set(target, texts)
    return texts
  }

  #component({ field, fieldKey }: Target): TransformedTexts | 'MATCH' | 'NO_MATCH' {
    const known = this.#components.get(fieldKey)
    if (known !== undefined) return known
    // At most all of the request is read for it.
    this.steps.spend(this.#length())
    const found = distinct(componentOf(this.request, field))
    const component = typeof found === 'string' ? found : new TransformedTexts(found)
    this.#components.set(fieldKey, component)
    return component
  }

  /** The patterns of a batch in texts of its component. */
  patterns(batch: PatternBatch, texts: readonly string[]): PatternMatches {
    const known = this.#matches.get(texts)
    if (known) return known
    const matches = batch.matches(texts, this.steps)
    this.#matches.set(texts, matches)
    return matches
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
