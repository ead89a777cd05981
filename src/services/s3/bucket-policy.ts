/** Whether a text can be a bucket's policy, and what is wrong with it, with S3's errors. */
import type { Call } from '../../kernel/gate/call.ts'
import { pinPolicy } from '../../kernel/resource/pinned.ts'
import { serviceDetails } from '../../kernel/resource/policy-reference.ts'
import type { StoredPolicy } from '../../kernel/resource/stored-policy.ts'
import { globCodes, globMatches } from '../../policy/glob.ts'
import { PolicyError } from '../../policy/index.ts'
import { refuse } from './errors.ts'
import { bucketArn } from './resources.ts'
import type { BucketRow } from './rows.ts'

const POLICY_BYTES_MAX = 20 * 1024

const malformed = (message: string, members = {}) => refuse('MalformedPolicy', 400, message, members)

type Statement = Readonly<Record<string, unknown>>

export async function checkedPolicy(call: Call, bucket: BucketRow, text: string): Promise<StoredPolicy> {
  if (Buffer.byteLength(text) > POLICY_BYTES_MAX)
    throw refuse('PolicyTooLarge', 400, `Policy exceeds the maximum allowed document size.`)
  const statements = statementsOf(text)
  for (const statement of statements) requireElements(statement)
  try {
    const { pins, missing } = await pinPolicy(call, text)
    if (missing.length > 0) throw malformed('Invalid principal in policy', { Detail: `"AWS" : "${missing[0]}"` })
    const reference = await s3Reference()
    for (const statement of statements) requireFit(statement, bucketArn(bucket.name), reference)
    return { text, pins }
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    throw malformed(error.message)
  }
}

function statementsOf(text: string): readonly Statement[] {
  if (!text.startsWith('{')) throw malformed("Policies must be valid JSON and the first byte must be '{'")
  let document: Statement
  try {
    document = JSON.parse(text)
  } catch {
    throw malformed('This policy contains invalid Json')
  }
  const { Statement: listed } = document
  if (listed === undefined) throw malformed('Missing required field Statement')
  const statements = [listed].flat() as readonly unknown[]
  if (statements.length === 0) throw malformed('Could not parse the policy: Statement is empty!')
  if (statements.some((each) => each === null || typeof each !== 'object'))
    throw malformed('This policy contains invalid Json')
  return statements as readonly Statement[]
}

/** One of each is needed. */
const NEEDED = [
  ['Effect'],
  ['Principal', 'NotPrincipal'],
  ['Action', 'NotAction'],
  ['Resource', 'NotResource'],
] as const

function requireElements(statement: Statement): void {
  for (const names of NEEDED)
    if (names.every((name) => statement[name] === undefined)) throw malformed(`Missing required field ${names[0]}`)
}

interface Action {
  readonly name: string
  readonly on: readonly string[]
}

interface Reference {
  readonly actions: readonly Action[]
  /** In lower case; of keys with a variable end, what comes before it. */
  readonly keys: readonly string[]
}

let loading: Promise<Reference> | undefined

function s3Reference(): Promise<Reference> {
  loading ??= serviceDetails('s3').then((details) => ({
    actions: Object.entries(details?.actions ?? {}).map(([name, { on }]) => ({ name: `s3:${name}`.toLowerCase(), on })),
    keys: Object.keys(details?.keys ?? {}).map((key) => key.replace(/\$\{.*|<.*/, '').toLowerCase()),
  }))
  return loading
}

const list = (value: unknown): readonly string[] => [value ?? []].flat().map(String)

/** Every action must fit one of the resources, and be one of S3's; a pattern must hold one that does. */
function requireFit(statement: Statement, arn: string, { actions, keys }: Reference): void {
  const { Action: actionPatterns, NotAction: spared, Resource: on, NotResource: but, Condition: conditions } = statement
  const matched = new Map<string, readonly Action[]>()
  for (const pattern of new Set([...list(actionPatterns), ...list(spared)].map((each) => each.toLowerCase()))) {
    const codes = globCodes(pattern)
    const found = actions.filter(({ name }) => globMatches(codes, name))
    if (found.length === 0) throw malformed('Policy has invalid action')
    matched.set(pattern, found)
  }
  const resources = list(on ?? but)
  const isBucket = (resource: string) => resource === '*' || resource === arn || resource.startsWith(`${arn}*`)
  const isObject = (resource: string) =>
    resource === '*' || resource.startsWith(`${arn}/`) || resource.startsWith(`${arn}*`)
  if (!resources.every((each) => isBucket(each) || isObject(each))) throw malformed('Policy has invalid resource')
  if (actionPatterns !== undefined && on !== undefined) {
    const types = new Set([
      ...(resources.some(isBucket) ? ['bucket'] : []),
      ...(resources.some(isObject) ? ['object'] : []),
    ])
    for (const found of matched.values())
      if (!found.some((action) => action.on.some((type) => types.has(type))))
        throw malformed('Action does not apply to any resource(s) in statement')
  }
  for (const key of keysOf(conditions))
    if (key.startsWith('s3:') && !keys.some((known) => key === known || (known.endsWith('/') && key.startsWith(known))))
      throw malformed('Policy has an invalid condition key')
}

/** In lower case. */
function keysOf(conditions: unknown): readonly string[] {
  if (conditions === null || typeof conditions !== 'object') return []
  return Object.values(conditions).flatMap((each) =>
    each !== null && typeof each === 'object' ? Object.keys(each).map((key) => key.toLowerCase()) : [],
  )
}
