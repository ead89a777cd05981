/** Condition keys that requests to this server never carry, with the reasons: for the linter. */

/** Key, or family of keys (`kms:RecipientAttestation:*`) → why requests never carry it. */
export type AbsentKeys = Readonly<Record<string, string>>

/** Why no request has a key; undefined where requests have it, or where the service is not built. */
export interface Absence {
  (key: string): string | undefined
  /** What it was made of, for other threads. */
  readonly lists: readonly AbsentKeys[]
}

/** Entries of one action (`kms:CreateAlias kms:KeySpec`) are left out: at other actions requests have the key. */
export function absenceIn(lists: readonly (AbsentKeys | undefined)[]): Absence {
  const exact = new Map<string, string>()
  const families: (readonly [prefix: string, reason: string])[] = []
  for (const [name, reason] of lists.flatMap((list) => Object.entries(list ?? {}))) {
    if (name.includes(' ')) continue
    const fixed = name.toLowerCase().split(/\$\{|<|\*/)[0]!
    if (fixed.length < name.length) families.push([fixed, reason])
    else exact.set(fixed, reason)
  }
  const reasonOf = (key: string) => {
    const lowered = key.toLowerCase()
    return exact.get(lowered) ?? families.find(([prefix]) => lowered.startsWith(prefix))?.[1]
  }
  return Object.assign(reasonOf, { lists: lists.filter((list) => list !== undefined) })
}
