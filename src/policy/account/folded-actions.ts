/** Lists of actions folded for reading. */

/** `*` for all there are, `s3:*` for all of a service, `s3:Get*` for all that begin so, else each. */
export function folded(
  actions: readonly string[],
  services: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  const given = new Set(actions)
  const all = [...services.values()].flat()
  const known = all.filter((name) => given.has(name))
  const unknown = [...given].filter((name) => !known.includes(name))
  if (known.length === all.length) return ['*', ...unknown]
  return [...[...services].flatMap(([service, names]) => foldedWithin(service, names, given)), ...unknown]
}

/** Fewer are read faster as they are. */
const FOLDED_MIN = 3

function foldedWithin(service: string, names: readonly string[], given: ReadonlySet<string>): readonly string[] {
  const here = names.filter((name) => given.has(name))
  if (here.length > 0 && here.length === names.length) return [`${service}:*`]
  const shown = new Set<string>()
  for (const name of here) {
    const verb = /^[^:]+:[A-Z][a-z]*/.exec(name)?.[0] ?? name
    const alike = names.filter((other) => other.startsWith(verb))
    const whole = alike.length >= FOLDED_MIN && alike.every((other) => given.has(other))
    shown.add(whole ? `${verb}*` : name)
  }
  return [...shown]
}
