/** Policies from files, and the positions of their statements in the files. */
import { readFileSync } from 'node:fs'
import {
  type CompiledPolicy,
  compilePolicy,
  type MatchedStatement,
  type Policy,
  PolicyError,
  type PolicyKind,
  type PolicySource,
  type Position,
  parsePolicy,
  readPolicy,
} from '../../policy/index.ts'

/** A file that is missing or unreadable: its writer can fix it. */
export class InputError extends Error {
  override readonly name = 'InputError'
}

/** `-` is standard input. */
export function readText(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8').replace(/^\ufeff/, '')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') throw new InputError(`${file}: there is no such file.`)
    if (code === 'EISDIR') throw new InputError(`${file}: is a folder, not a file.`)
    throw new InputError(`${file}: cannot be read: ${message}`)
  }
}

export function readJson(file: string): unknown {
  const text = readText(file)
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new InputError(`${file}: is not JSON: ${(error as Error).message}`)
  }
}

/** Where a policy's text begins. */
export interface SourceLocation {
  readonly file: string
  /** Lines before the text in the file; undefined where the file has the text in an encoded form. */
  readonly linesBefore: number | undefined
}

const places = new WeakMap<PolicySource, SourceLocation>()

/** A document as IAM would take it. Throws an `InputError` with line and column. */
export function loadPolicy(file: string, kind: PolicyKind): CompiledPolicy {
  const text = readText(file)
  return placed(parse(text, kind, file), { id: file, kind }, { file, linesBefore: 0 })
}

/** The same, of the kind its elements show. */
export function loadPolicyOfAnyKind(file: string): CompiledPolicy {
  return loadPolicy(file, kindOf(readText(file)))
}

/** A `Principal` makes a resource policy, a `Principal` without a `Resource` a trust policy, neither an identity policy. */
export function kindOf(text: string): PolicyKind {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch {
    return 'identity'
  }
  const listed = (document as { Statement?: unknown } | null)?.Statement
  const statements = (Array.isArray(listed) ? listed : [listed]).filter(
    (each): each is object => typeof each === 'object' && each !== null,
  )
  const says = (...names: readonly string[]) => statements.some((each) => names.some((name) => name in each))
  if (!says('Principal', 'NotPrincipal')) return 'identity'
  return says('Resource', 'NotResource') ? 'resource' : 'trust'
}

function parse(text: string, kind: PolicyKind, file: string): Policy {
  try {
    return parsePolicy(text, kind)
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    throw new InputError(`${file}:${error.line}:${error.column + 1}: ${error.message}${syntaxHint(text)}`)
  }
}

/** AWS says of every slip that there are syntax errors; a person wants to know which. */
export function syntaxHint(text: string): string {
  try {
    JSON.parse(text)
    return ''
  } catch (error) {
    // The engine quotes the text around the slip, which line and column have said already.
    const said = (error as Error).message.replace(/(, (\.\.\.)?"| in JSON at position).*$/s, '')
    return ` (${said})`
  }
}

/** A document within another file, saved before, perhaps under laxer rules. */
export function compileSaved(text: string, source: PolicySource, place: SourceLocation): CompiledPolicy {
  try {
    return placed(readPolicy(text, source.kind), source, place)
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    throw new InputError(`${place.file}: ${source.id} is malformed: ${error.message}`)
  }
}

function placed(policy: Policy, source: PolicySource, place: SourceLocation): CompiledPolicy {
  places.set(source, place)
  return compilePolicy(policy, source)
}

/** From 1, both; undefined where the file does not have the policy as plain text. */
export function placeIn(
  source: PolicySource,
  at: Position,
): { readonly file: string; readonly line?: number; readonly column?: number } | undefined {
  const place = places.get(source)
  if (!place) return undefined
  if (place.linesBefore === undefined) return { file: place.file }
  const line = at.line + place.linesBefore
  // Text before the policy on its first line is not counted: the column would be wrong there.
  return place.linesBefore > 0 && at.line === 1
    ? { file: place.file, line }
    : { file: place.file, line, column: at.column + 1 }
}

/** `scp.json:4:5`, or the file, or the policy's own name. */
export function whereIs({ policy, start }: MatchedStatement): string {
  const place = placeIn(policy, start)
  if (!place) return policy.id
  return [place.file, place.line, place.column].filter((part) => part !== undefined).join(':')
}

/** `Sid`, or which statement it is. */
export const nameOf = ({ sid, index }: MatchedStatement): string => sid || `statement ${index + 1}`

export function asJson(statement: MatchedStatement): object {
  const { policy, sid, index, effect, start } = statement
  const name = { policy: policy.id, kind: policy.kind, ...(policy.arn && { arn: policy.arn }) }
  return { ...name, effect, index, ...(sid !== undefined && { sid }), ...placeIn(policy, start) }
}
