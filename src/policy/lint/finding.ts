/** What a linter finds, in the shapes of Access Analyzer's ValidatePolicy. */
import type { Position } from '../error.ts'
import type { Json } from '../json.ts'

/** Source: https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_ValidatePolicyFinding.html */
export type FindingType = 'ERROR' | 'SECURITY_WARNING' | 'WARNING' | 'SUGGESTION'

export type PathElement =
  | { readonly value: string }
  | { readonly index: number }
  | { readonly key: string }
  | { readonly substring: { readonly start: number; readonly length: number } }

export interface Span {
  readonly start: Position
  readonly end: Position
}

export interface Location {
  readonly path: readonly PathElement[]
  readonly span: Span
}

export interface Finding {
  readonly findingType: FindingType
  /** `PASS_ROLE_WITH_STAR_IN_RESOURCE` */
  readonly issueCode: string
  /** A sentence; the text is Merlon's. */
  readonly findingDetails: string
  readonly learnMoreLink: string
  readonly locations: readonly Location[]
}

const REFERENCE =
  'https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html#access-analyzer-reference-policy-checks-'
const TYPE_IN_LINK: Readonly<Record<FindingType, string>> = {
  ERROR: 'error',
  SECURITY_WARNING: 'security-warning',
  WARNING: 'general-warning',
  SUGGESTION: 'suggestion',
}

export function learnMore(type: FindingType, code: string): string {
  return `${REFERENCE}${TYPE_IN_LINK[type]}-${code.toLowerCase().replaceAll('_', '-')}`
}

/** A value of the document, and the way to it. */
export class At {
  readonly json: Json
  readonly path: readonly PathElement[]

  constructor(json: Json, path: readonly PathElement[] = []) {
    this.json = json
    this.path = path
  }

  /** undefined where there is no object, or no such member. */
  member(name: string): At | undefined {
    const found = this.json.type === 'object' ? this.json.members.get(name) : undefined
    return found && new At(found, [...this.path, { value: name }])
  }

  members(): readonly (readonly [name: string, at: At])[] {
    if (this.json.type !== 'object') return []
    return [...this.json.members].map(([name, inner]) => [name, new At(inner, [...this.path, { value: name }])])
  }

  /** The items of a list; a single value counts as a list of one. */
  items(): readonly At[] {
    if (this.json.type !== 'array') return [this]
    return this.json.items.map((item, index) => new At(item, [...this.path, { index }]))
  }

  /** The items that are texts. */
  texts(): readonly Text[] {
    return this.items().flatMap((at) => (at.json.type === 'string' ? [{ at, text: at.json.value }] : []))
  }

  get isEmptyList(): boolean {
    return this.json.type === 'array' && this.json.items.length === 0
  }
}

export interface Text {
  readonly at: At
  readonly text: string
}
