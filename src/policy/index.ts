/** The IAM policy language: parse, check, compile, decide, explain. Pure functions, no input or output. */

export { type AccessQuery, accessGranted, type Grant as GrantedAccess, newAccess } from './access.ts'
export { type Analysis, type AnalysisResult, analyze } from './analysis.ts'
export { ANALYSIS_STEPS_MAX, Budget, BudgetError } from './budget.ts'
export { type CompiledPolicy, type CompiledStatement, compilePolicy, compileSet, type PolicySet } from './compile.ts'
export { Context, type ContextValue } from './context.ts'
export { decide } from './decide.ts'
export type {
  Decision,
  Explanation,
  Layer,
  LayerOutcome,
  Layers,
  Policies,
  Request,
  Statement as MatchedStatement,
} from './decision.ts'
export { type DenialOptions, denialMessage } from './denial.ts'
export type {
  Choice,
  Condition,
  Policy,
  PolicyKind,
  PolicySource,
  Principals,
  PrincipalType,
  Statement,
  Version,
} from './document.ts'
export { PolicyError, type Position } from './error.ts'
export { explain } from './explain.ts'
export { type Exposure, exposureOf } from './exposure.ts'
export { contextKeysOf } from './keys.ts'
export {
  type AccountFacts,
  arnsToLookUp,
  type Finding,
  type FindingType,
  lint,
  type Reference,
  type ServiceFacts,
} from './lint/index.ts'
export { parsePolicy, readPolicy } from './parse.ts'
export type {
  AnonymousPrincipal,
  FederatedUserPrincipal,
  Principal,
  RoleSessionPrincipal,
  RootPrincipal,
  ServicePrincipal,
  UserPrincipal,
} from './principal.ts'
export { publicStatements } from './public.ts'
export { principalFromArn } from './written-principal.ts'
