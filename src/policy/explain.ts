/** The decision with its reasons: visits every statement of every layer. Same outcome as `decide`. */
import type { CompiledStatement } from './compile.ts'
import { type AppliedLayer, applicable, applies, decide } from './decide.ts'
import type { Explanation, LayerOutcome, Layers, Request, Statement } from './decision.ts'
import { conditionKeys } from './keys.ts'

export function explain(request: Request, layers: Layers): Explanation {
  const decision = decide(request, layers)
  const missing = new Map<string, string>()
  let outcomes: readonly LayerOutcome[]
  try {
    outcomes = applicable(request, layers).map((applied) => outcomeOf(applied, request, missing))
  } catch {
    // What can't be evaluated is denied, as `decide` has said already.
    outcomes = []
  }
  const statements = outcomes.flatMap((each) => each.statements)
  return {
    ...decision,
    layers: outcomes,
    statements: [...statements.filter(isDeny), ...statements.filter((statement) => !isDeny(statement))],
    missing: [...missing.values()].sort(),
  }
}

function outcomeOf({ layer, sets }: AppliedLayer, request: Request, missing: Map<string, string>): LayerOutcome {
  const action = request.action.toLowerCase()
  const matched: Statement[] = []
  let everyLevelAllows = sets.length > 0
  for (const set of sets) {
    const { deny, allow } = set.candidates(action)
    const before = matched.length
    for (const statement of [...deny.all, ...allow.all])
      if (matches(statement, request, missing)) matched.push(statement)
    everyLevelAllows &&= matched.slice(before).some((statement) => !isDeny(statement))
  }
  const denied = matched.some(isDeny)
  // `RCPFullAWSAccess` is understood at every level.
  const allowed = layer === 'rcp' || everyLevelAllows
  return {
    layer,
    outcome: denied ? 'explicitDeny' : allowed ? 'allowed' : 'implicitDeny',
    statements: [...matched.filter(isDeny), ...matched.filter((statement) => !isDeny(statement))],
  }
}

function matches(statement: CompiledStatement, request: Request, missing: Map<string, string>): boolean {
  const { context } = request
  if (!applies(statement, request)) return false
  for (const key of conditionKeys(statement.statement, statement.version)) {
    if (!context.has(key)) missing.set(key.toLowerCase(), key)
  }
  return !statement.condition || statement.condition(context)
}

function isDeny(statement: Statement): boolean {
  return statement.effect === 'Deny'
}
