/**
 * The linter: what is wrong with a policy, what is dangerous in it, and what could be said better, by the codes of Access
 * Analyzer's ValidatePolicy. It never throws on a document, whatever that is.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html
 */
import { Budget } from '../budget.ts'
import type { PolicyKind } from '../document.ts'
import { PolicyError } from '../error.ts'
import { DOCUMENT_CHARS_MAX, parseJson, positions, SAVED_CHARS_MAX } from '../json.ts'
import { parsePolicy } from '../parse.ts'
import { type AccountFacts, checkAccount, mentionedArns } from './account.ts'
import { checkActions } from './actions.ts'
import { checkConditions } from './conditions.ts'
import { checkControlPolicies } from './control-policies.ts'
import { checkDocument, checkElements, checkSids } from './elements.ts'
import { At, type Finding, type FindingType, learnMore, type Span } from './finding.ts'
import { checkKeyActions } from './key-actions.ts'
import { checkKeyUse } from './key-use.ts'
import { checkPrincipals } from './principals.ts'
import type { Reference } from './reference.ts'
import { checkRepeatedNumbers, checkRepeatedStatements } from './repeated.ts'
import { checkResources } from './resources.ts'
import { checkProviders, checkSensitive, checkServices } from './security.ts'
import { type Check, type Linted, type Report, statementAt } from './statement.ts'
import { checkVariables } from './variables.ts'

export type { AccountFacts } from './account.ts'
export type { Finding, FindingType, Location, PathElement, Span } from './finding.ts'
export type { Reference, ServiceFacts } from './reference.ts'

const CHECKS: readonly Check[] = [
  checkElements,
  checkActions,
  checkResources,
  checkPrincipals,
  checkConditions,
  checkVariables,
  checkSensitive,
  checkServices,
  checkProviders,
  checkControlPolicies,
  checkKeyUse,
  checkKeyActions,
  checkRepeatedNumbers,
  checkAccount,
]

/** Characters, white space left out unless `spaces`. */
const SIZES: Readonly<
  Partial<
    Record<
      PolicyKind,
      { readonly max: number; readonly code: string; readonly type: FindingType; readonly spaces?: true }
    >
  >
> = {
  identity: { max: 6_144, code: 'POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA', type: 'WARNING' },
  resource: { max: 20_480, code: 'POLICY_SIZE_EXCEEDS_RESOURCE_POLICY_QUOTA', type: 'WARNING' },
  trust: { max: 2_048, code: 'POLICY_SIZE_EXCEEDS_ROLE_TRUST_POLICY_QUOTA', type: 'WARNING' },
  scp: { max: 5_120, code: 'POLICY_SIZE_EXCEEDS_SCP_QUOTA', type: 'ERROR', spaces: true },
  rcp: { max: 5_120, code: 'POLICY_SIZE_EXCEEDS_RCP_QUOTA', type: 'ERROR', spaces: true },
}

/** Entries of tables compared: about a third of a second. */
const LINT_STEPS_MAX = 1_000_000

export interface LintOptions {
  readonly budget?: Budget
  /** What a resource policy is on: `AWS::S3::Bucket`. */
  readonly resourceType?: string | undefined
  /** What is known of the account that the policy is in. */
  readonly facts?: AccountFacts | undefined
}

/** ARNs looked up for one document: more are not checked. */
const MENTIONED_MAX = 200

/** The ARNs of the account for which {@link lint} needs facts. Empty for what is not JSON. */
export function arnsToLookUp(text: string, account: string): readonly string[] {
  try {
    return mentionedArns(statementsOf(new At(parseJson(text, 'is not JSON', SAVED_CHARS_MAX))), account, MENTIONED_MAX)
  } catch (error) {
    if (error instanceof PolicyError) return []
    throw error
  }
}

const statementsOf = (root: At) =>
  (root.member('Statement')?.items() ?? [])
    .filter(({ json }) => json.type === 'object')
    .map((at, index) => statementAt(at, index))

/**
 * Findings in the order of the document, errors first where they have one place. Throws a `BudgetError` when the document
 * is too large to check.
 */
export function lint(
  text: string,
  kind: PolicyKind,
  reference: Reference,
  { budget = new Budget(LINT_STEPS_MAX), resourceType, facts }: LintOptions = {},
): readonly Finding[] {
  const position = positions(text)
  const findings: Finding[] = []
  const spanOf = ({ json }: At): Span => ({ start: position(json.start), end: position(json.end) })
  const report: Report = (findingType, issueCode, findingDetails, ...at) => {
    const locations = at.map((each) => ({ path: each.path, span: spanOf(each) }))
    findings.push({
      findingType,
      issueCode,
      findingDetails,
      learnMoreLink: learnMore(findingType, issueCode),
      locations,
    })
  }
  if (text.length > SAVED_CHARS_MAX) {
    const row = SIZES[kind] ?? SIZES.identity!
    const details = `The policy has ${text.length} characters; ${SAVED_CHARS_MAX} is the most that is read.`
    const locations = [{ path: [], span: { start: position(0), end: position(text.length) } }]
    const learnMoreLink = learnMore('ERROR', row.code)
    return [{ findingType: 'ERROR', issueCode: row.code, findingDetails: details, learnMoreLink, locations }]
  }
  let root: At
  try {
    root = new At(parseJson(text, 'is not JSON', SAVED_CHARS_MAX))
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    const at = position(error.offset)
    const details = `The policy is no JSON from line ${at.line}, column ${at.column + 1} on.`
    const locations = [{ path: [], span: { start: at, end: position(text.length) } }]
    const learnMoreLink = learnMore('ERROR', 'JSON_SYNTAX_ERROR')
    return [{ findingType: 'ERROR', issueCode: 'JSON_SYNTAX_ERROR', findingDetails: details, learnMoreLink, locations }]
  }

  checkDocument(root, kind, report)
  const version = root.member('Version')?.json
  const linted: Linted = {
    kind,
    version: version?.type === 'string' && version.value === '2012-10-17' ? '2012-10-17' : '2008-10-17',
    statements: statementsOf(root),
    reference,
    resourceType,
    facts,
    budget,
  }
  checkSids(linted, report)
  checkRepeatedStatements(linted, report)
  for (const statement of linted.statements) for (const check of CHECKS) check(statement, linted, report)
  checkSize(text, kind, root, report)
  if (!findings.some(({ findingType }) => findingType === 'ERROR')) unsaid(text, kind, root, position, report)
  return inOrder(findings)
}

function checkSize(text: string, kind: PolicyKind, root: At, report: Report): void {
  const row = SIZES[kind]
  if (!row) return
  const size = row.spaces ? text.length : text.replace(/\s/g, '').length
  if (size > row.max) report(row.type, row.code, `The policy has ${size} characters; ${row.max} is the most.`, root)
}

/** What IAM would refuse is an error, also where no check above has a name for it. */
function unsaid(
  text: string,
  kind: PolicyKind,
  root: At,
  position: ReturnType<typeof positions>,
  report: Report,
): void {
  // Of what is too long the size says enough.
  if (text.length > DOCUMENT_CHARS_MAX) return
  // A missing version is a warning alone: with it, is the rest right?
  const versioned = root.member('Version') ? text : text.replace('{', '{"Version":"2012-10-17",')
  try {
    parsePolicy(versioned, kind)
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    // AWS's own policies for tasks of root users name them, though no customer's policy may be saved so.
    if (error.message.startsWith('IAM resource path') && text.includes(':root"')) return
    const at = position(Math.max(0, error.offset - (versioned.length - text.length)))
    report('ERROR', 'INVALID_POLICY_ELEMENT', `${error.message} (line ${at.line}, column ${at.column + 1})`, root)
  }
}

const RANK: Readonly<Record<FindingType, number>> = { ERROR: 0, SECURITY_WARNING: 1, WARNING: 2, SUGGESTION: 3 }

function inOrder(findings: readonly Finding[]): readonly Finding[] {
  const start = ({ locations }: Finding) => locations[0]?.span.start.offset ?? 0
  return [...findings].sort((a, b) => start(a) - start(b) || RANK[a.findingType] - RANK[b.findingType])
}
