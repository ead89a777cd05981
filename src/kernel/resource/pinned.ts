/**
 * Policies on resources that store the users and roles they name by their unique IDs, as AWS does: a later user or role
 * with the same name does not match, and the policy then shows the bare ID.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
 */
import { type CompiledPolicy, compilePolicy, type PolicySource, parsePolicy, readPolicy } from '../../policy/index.ts'
import type { Call } from '../gate/call.ts'

/** ARN as written → unique id. */
export type Pins = Readonly<Record<string, string>>

export interface Pinned {
  readonly pins: Pins
  /** Names of users and roles that do not exist. */
  readonly missing: readonly string[]
}

/** Throws `PolicyError` for what cannot be saved as a policy on a resource. */
export async function pinPolicy({ ports, unit }: Pick<Call, 'ports' | 'unit'>, text: string): Promise<Pinned> {
  const pins: Record<string, string> = {}
  const missing: string[] = []
  for (const { principal } of parsePolicy(text, 'resource').statements) {
    for (const name of principal?.values.AWS ?? []) {
      const id = await ports.identity.pin(unit, name)
      if (id === 'missing') missing.push(name)
      else if (id !== undefined) pins[name] = id
    }
  }
  return { pins, missing }
}

/** The text as it reads today: renamed users under their new name, deleted ones as bare ids. */
export async function shownPolicy({ ports, unit }: Pick<Call, 'ports' | 'unit'>, text: string, pins: Pins) {
  const names = new Map<string, string>()
  for (const [arn, id] of Object.entries(pins)) {
    const now = await ports.identity.unpin(unit, arn, id)
    if (now !== arn) names.set(arn, now)
  }
  return renamed(text, names)
}

/** As it is decided by: ids instead of names. */
export function compilePinned(text: string, pins: Pins, source: PolicySource): CompiledPolicy {
  return compilePolicy(readPolicy(renamed(text, new Map(Object.entries(pins))), 'resource'), source)
}

function renamed(text: string, names: ReadonlyMap<string, string>): string {
  if (names.size === 0) return text
  const document = JSON.parse(text)
  for (const statement of [document.Statement].flat()) {
    for (const element of ['Principal', 'NotPrincipal']) {
      const listed = statement[element]?.AWS
      if (listed === undefined) continue
      const now = [listed].flat().map((name: string) => names.get(name) ?? name)
      statement[element].AWS = Array.isArray(listed) ? now : now[0]
    }
  }
  return JSON.stringify(document)
}
