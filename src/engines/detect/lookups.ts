/** Answers about addresses and domains: threat lists, geography, instances. */
import type { Lookups, ThreatMatch } from './rule.ts'
import type { DetectorConfiguration, Geography } from './types.ts'

const CACHE_MAX = 10_000

/** Answers of pure functions, so what is dropped is computed again. */
function cached<T>(answer: (key: string) => T): (key: string) => T {
  const cache = new Map<string, T>()
  return (key) => {
    const known = cache.get(key)
    if (known !== undefined) return known
    const value = answer(key)
    if (cache.size >= CACHE_MAX) cache.clear()
    cache.set(key, value)
    return value
  }
}

const NOWHERE: Geography = Object.freeze({})

export function createLookups(configuration: DetectorConfiguration): Lookups {
  const lists = configuration.threatLists ?? []
  const matches = (look: (list: (typeof lists)[number]['list']) => string | undefined): readonly ThreatMatch[] =>
    lists.flatMap(({ kind, list }) => {
      const entry = look(list)
      return entry === undefined ? [] : [{ kind, listName: list.name, listSha256: list.sha256, threatNames: [entry] }]
    })
  const byAddress = new Map<string, string>()
  const byInterface = new Map<string, string>()
  for (const { instanceId, addresses, interfaceIds = [] } of configuration.instances ?? []) {
    for (const address of addresses) byAddress.set(address, instanceId)
    for (const id of interfaceIds) byInterface.set(id, instanceId)
  }
  const none: readonly ThreatMatch[] = []
  const geography = cached((address) => configuration.geography?.(address) ?? NOWHERE)
  return {
    configuration,
    geography: configuration.geography ? geography : () => undefined,
    threats: lists.length === 0 ? () => none : cached((address) => matches((list) => list.matchAddress(address))),
    domainThreats: lists.length === 0 ? () => none : cached((name) => matches((list) => list.matchDomain(name))),
    instanceAt: (address, interfaceId) => {
      const local = byAddress.get(address)
      const id = local ?? byInterface.get(interfaceId)
      return id === undefined ? undefined : { instanceId: id, isLocal: local !== undefined }
    },
  }
}
