/**
 * What a name answers, from zones that are plain values: RFC 1034 §4.3.2 with aliases (CNAME), wildcards (RFC 4592),
 * delegations, empty non-terminals and negative answers with the zone's SOA (RFC 2308); and Route 53's record sets that are chosen by
 * their routing and health, and its aliases to names of the zone. Pure.
 *
 * @example
 * lookup(compileZones([{ name: 'corp.test.', records }]), 'www.corp.test.', 'A') // { rcode: 'NOERROR', answers: […] }
 */
import { type Alias, parseValue, type RecordData, type RecordSet, type RecordType } from './records.ts'
import { chooseSets, type Routed } from './routing.ts'

export interface Zone {
  /** Fully qualified, lower case, with its last dot. */
  readonly name: string
  /** With one SOA and at least one NS record set at the zone's name. */
  readonly records: readonly RecordSet[]
}

export interface ResourceRecord {
  readonly name: string
  readonly type: RecordType
  readonly ttl: number
  readonly data: RecordData
}

export interface LookupResult {
  readonly rcode: 'NOERROR' | 'NXDOMAIN' | 'REFUSED'
  /** False for a referral to another server. */
  readonly authoritative: boolean
  readonly answers: readonly ResourceRecord[]
  readonly authorities: readonly ResourceRecord[]
  readonly additionals: readonly ResourceRecord[]
}

interface CompiledSet extends Routed {
  readonly records: readonly ResourceRecord[]
  readonly healthCheckId: string | undefined
  readonly alias: Alias | undefined
}

type Node = ReadonlyMap<RecordType, readonly CompiledSet[]>

export interface LookupOptions {
  /** IDs of health checks. */
  readonly unhealthy?: ReadonlySet<string>
  /** From 0 up to 1. */
  readonly random?: () => number
}

interface CompiledZone {
  readonly name: string
  /** Names with records, and empty names between them and the zone's. */
  readonly nodes: ReadonlyMap<string, Node>
}

/** Zones by their name. */
export type CompiledZones = ReadonlyMap<string, CompiledZone>

/** RFC 1034 sets no bound on chains of aliases. */
const ALIASES_MAX = 8

/** Throws `RecordValueError` for a value that is not of its type. */
export function compileZones(zones: readonly Zone[]): CompiledZones {
  return new Map(zones.map((zone) => [zone.name, compileZone(zone)]))
}

function compileZone({ name, records }: Zone): CompiledZone {
  const nodes = new Map<string, Map<RecordType, CompiledSet[]>>([[name, new Map()]])
  for (const { name: owner, type, ttl, values, routing, healthCheckId, alias } of records) {
    for (let at = owner; at !== name && at.endsWith(name) && !nodes.has(at); at = parentOf(at)) nodes.set(at, new Map())
    const set = values.map((value) => ({ name: owner, type, ttl, data: parseValue(type, value) }))
    const compiled: CompiledSet = { records: set, routing, healthCheckId, alias }
    const node = nodes.get(owner)
    const others = node?.get(type)
    if (others) others.push(compiled)
    else node?.set(type, [compiled])
  }
  return { name, nodes }
}

/** The name itself, and every name above it but the root. */
export function ancestorsOf(name: string): readonly string[] {
  const labels = name.replace(/\.$/, '').split('.')
  return labels.map((_, index) => `${labels.slice(index).join('.')}.`)
}

/** Without its first label; '' above the last one, also of a name whose last dot is missing. */
const parentOf = (name: string): string => (name.includes('.') ? name.slice(name.indexOf('.') + 1) : '')

/** `name` is fully qualified, lower case, with its last dot. */
export function lookup(zones: CompiledZones, name: string, type: string, options: LookupOptions = {}): LookupResult {
  const zone = zoneOf(zones, name)
  if (!zone) return { rcode: 'REFUSED', authoritative: false, answers: [], authorities: [], additionals: [] }
  const choice = new Choice(zone, options)
  const answers: ResourceRecord[] = []
  let current = name
  for (let aliases = 0; aliases <= ALIASES_MAX; aliases++) {
    const delegation = delegationOf(zone, current)
    if (delegation) return referral(zone, delegation, answers)
    const node = nodeOf(zone, current)
    if (!node) return negative(zone, answers, 'NXDOMAIN')
    const alias = choice.records(node, 'CNAME')[0]
    const found = alias ? [alias] : choice.records(node, type as RecordType)
    if (found.length === 0) return negative(zone, answers, 'NOERROR')
    answers.push(...found.map((record) => ({ ...record, name: current })))
    if (!alias || type === 'CNAME') break
    current = `${(alias.data as string).toLowerCase()}.`
    // The client continues in zones that are not ours.
    if (current !== zone.name && !current.endsWith(`.${zone.name}`)) break
  }
  return { rcode: 'NOERROR', authoritative: true, answers, authorities: [], additionals: [] }
}

/** Sets that are examined for one answer: aliases may lead to many names with many sets each. */
const EXAMINED_MAX = 500

/** Which record sets are answered, for one lookup. */
class Choice {
  readonly #zone: CompiledZone
  readonly #options: LookupOptions
  /** False while a set is being examined: an alias of itself is not healthy by itself. */
  readonly #health = new Map<CompiledSet, boolean>()
  #left = EXAMINED_MAX

  constructor(zone: CompiledZone, options: LookupOptions) {
    this.#zone = zone
    this.#options = options
  }

  records(node: Node, type: RecordType, depth = 0): readonly ResourceRecord[] {
    const sets = node.get(type)
    if (!sets) return NONE
    const [only] = sets
    if (sets.length === 1 && !only!.alias) return only!.records
    const chosen = chooseSets(sets, (set) => this.#isHealthy(set, type), this.#options.random ?? Math.random)
    return chosen.flatMap(({ alias, records }) => {
      if (!alias) return records
      // Only where one set is chosen: following several from name to name would multiply.
      const target = chosen.length === 1 && depth < ALIASES_MAX ? nodeOf(this.#zone, alias.name) : undefined
      return target ? this.records(target, type, depth + 1) : NONE
    })
  }

  #isHealthy(set: CompiledSet, type: RecordType): boolean {
    const known = this.#health.get(set)
    if (known !== undefined) return known
    if (--this.#left < 0) return true
    this.#health.set(set, false)
    const { healthCheckId, alias } = set
    const isOwn = healthCheckId === undefined || !this.#options.unhealthy?.has(healthCheckId)
    const targets = isOwn && alias?.evaluatesHealth ? nodeOf(this.#zone, alias.name)?.get(type) : undefined
    const isHealthy =
      isOwn && (!alias?.evaluatesHealth || (targets?.some((each) => this.#isHealthy(each, type)) ?? false))
    this.#health.set(set, isHealthy)
    return isHealthy
  }
}

const NONE: readonly ResourceRecord[] = []

/** The zone with the longest name that contains this one. */
function zoneOf(zones: CompiledZones, name: string): CompiledZone | undefined {
  for (let at = name; at !== ''; at = parentOf(at)) {
    const zone = zones.get(at)
    if (zone) return zone
  }
  return undefined
}

/** The closest name below the zone's own that is delegated and contains this one. */
function delegationOf(zone: CompiledZone, name: string): readonly ResourceRecord[] | undefined {
  let found: readonly CompiledSet[] | undefined
  for (let at = name; at !== zone.name && at !== ''; at = parentOf(at)) found = zone.nodes.get(at)?.get('NS') ?? found
  return found?.flatMap(({ records }) => records)
}

/** A node by its name, or by the wildcard of its closest ancestor that exists. */
function nodeOf(zone: CompiledZone, name: string): Node | undefined {
  const exact = zone.nodes.get(name)
  if (exact) return exact
  let ancestor = parentOf(name)
  while (!zone.nodes.has(ancestor) && ancestor !== '') ancestor = parentOf(ancestor)
  return zone.nodes.get(`*.${ancestor}`)
}

function referral(
  zone: CompiledZone,
  authorities: readonly ResourceRecord[],
  answers: readonly ResourceRecord[],
): LookupResult {
  const additionals = authorities.flatMap(({ data }) => {
    const node = zone.nodes.get(`${data as string}.`)
    const glue = [...(node?.get('A') ?? []), ...(node?.get('AAAA') ?? [])]
    return glue.flatMap((set) => set.records)
  })
  return { rcode: 'NOERROR', authoritative: answers.length > 0, answers, authorities, additionals }
}

function negative(zone: CompiledZone, answers: readonly ResourceRecord[], rcode: 'NOERROR' | 'NXDOMAIN'): LookupResult {
  const soa = zone.nodes.get(zone.name)?.get('SOA')?.[0]?.records[0]
  // RFC 2308 §3: kept no longer than the SOA's minimum.
  const authorities = soa ? [{ ...soa, ttl: Math.min(soa.ttl, (soa.data as { minimum: number }).minimum) }] : []
  return { rcode, authoritative: true, answers, authorities, additionals: [] }
}
