/** Analyses of policies as plain data, so that another thread can do them: texts in, results out. */
import { type AccessQuery, accessGranted, type Grant, newAccess } from './access.ts'
import { Budget, BudgetError } from './budget.ts'
import { type CompiledPolicy, compilePolicy } from './compile.ts'
import type { PolicyKind, Statement } from './document.ts'
import { PolicyError } from './error.ts'
import { parsePolicy } from './parse.ts'
import { publicStatements } from './public.ts'

export type Analysis =
  | { readonly question: 'new-access'; readonly kind: PolicyKind; readonly existing: string; readonly changed: string }
  | {
      readonly question: 'access-granted'
      readonly kind: PolicyKind
      readonly policy: string
      readonly access: readonly AccessQuery[]
    }
  | { readonly question: 'public-access'; readonly kind: PolicyKind; readonly policy: string }

type AccessAnalysis = Exclude<Analysis, { question: 'public-access' }>

export type AnalysisResult =
  | { readonly grants: readonly Grant[] }
  /** The statements that allow something to the public. */
  | { readonly open: readonly Pick<Statement, 'index' | 'sid'>[] }
  /** A policy cannot be read; the message has AWS's text and the place. */
  | { readonly invalid: string }
  /** The budget is spent. */
  | { readonly tooComplex: true }

/** `known`: every action there is. Never throws for what a caller wrote. */
export function analyze(analysis: Analysis, known: readonly string[], budget: Budget = new Budget()): AnalysisResult {
  try {
    if (analysis.question !== 'public-access') return { grants: grantsOf(analysis, known, budget) }
    const { policy } = compiled(analysis.policy, analysis.kind)
    return { open: publicStatements(policy).map(({ index, sid }) => ({ index, sid })) }
  } catch (error) {
    if (error instanceof BudgetError) return { tooComplex: true }
    if (!(error instanceof PolicyError)) throw error
    return { invalid: `${error.message} (line ${error.line}, column ${error.column + 1})` }
  }
}

function grantsOf(analysis: AccessAnalysis, known: readonly string[], budget: Budget): readonly Grant[] {
  const { kind } = analysis
  if (analysis.question === 'new-access') {
    return newAccess(compiled(analysis.existing, kind), compiled(analysis.changed, kind), known, budget)
  }
  return accessGranted(compiled(analysis.policy, kind), analysis.access, known, budget)
}

const compiled = (text: string, kind: PolicyKind): CompiledPolicy =>
  compilePolicy(parsePolicy(text, kind), { id: kind, kind })
