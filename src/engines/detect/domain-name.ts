/** The registered part of a domain name. An approximation: public suffixes of two labels are a short list. */

/** Second levels under which registries of countries register. */
const SECOND_LEVELS: ReadonlySet<string> = new Set(['ac', 'co', 'com', 'edu', 'gob', 'gov', 'ne', 'net', 'or', 'org'])

/** `a.b.example.co.uk` → `example.co.uk`. */
export function registeredDomain(name: string): string {
  const labels = name.split('.')
  const isCountry = labels.length >= 3 && labels.at(-1)!.length === 2 && SECOND_LEVELS.has(labels.at(-2)!)
  return labels.slice(isCountry ? -3 : -2).join('.')
}
