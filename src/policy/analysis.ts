/** The access questions as plain data, so that another thread can answer them: texts in, what was found out. */
import { type AccessAsked, accessGranted, type Grant, newAccess } from './access.ts'
import { Budget, BudgetError } from './budget.ts'
import { type CompiledPolicy, compilePolicy } from './compile.ts'
import type { PolicyKind } from './document.ts'
import { PolicyError } from './error.ts'
import { parsePolicy } from './parse.ts'

export type Analysis =
  | { readonly question: 'new-access'; readonly kind: PolicyKind; readonly existing: string; readonly changed: string }
  | {
      readonly question: 'access-granted'
      readonly kind: PolicyKind
      readonly policy: string
      readonly access: readonly AccessAsked[]
    }

export type AnalysisResult =
  | { readonly grants: readonly Grant[] }
  /** A policy cannot be read; the message has AWS's text and the place. */
  | { readonly invalid: string }
  /** The budget is spent. */
  | { readonly tooComplex: true }

/** `known`: every action there is. Never throws for what a caller wrote. */
export function analyze(analysis: Analysis, known: readonly string[], budget: Budget = new Budget()): AnalysisResult {
  try {
    return { grants: grantsOf(analysis, known, budget) }
  } catch (error) {
    if (error instanceof BudgetError) return { tooComplex: true }
    if (!(error instanceof PolicyError)) throw error
    return { invalid: `${error.message} (line ${error.line}, column ${error.column + 1})` }
  }
}

function grantsOf(analysis: Analysis, known: readonly string[], budget: Budget): readonly Grant[] {
  const compiled = (text: string): CompiledPolicy =>
    compilePolicy(parsePolicy(text, analysis.kind), { id: analysis.kind, kind: analysis.kind })
  if (analysis.question === 'new-access') {
    return newAccess(compiled(analysis.existing), compiled(analysis.changed), known, budget)
  }
  return accessGranted(compiled(analysis.policy), analysis.access, known, budget)
}
