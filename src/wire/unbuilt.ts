/**
 * Services of AWS without a row: recognized only to be refused by name, in their own protocol. The tables are generated
 * by tools/gen-unbuilt.py and loaded on the first request that needs them.
 */
import type { HttpRequest } from './http.ts'
import type { Protocol, ServiceRow } from './services.ts'

type Entry = readonly [
  id: string,
  protocol: Protocol,
  endpointPrefix: string,
  signingName: string,
  targetPrefix: string,
  apiVersion: string,
  xmlns: string,
]

/** `METHOD URI Operation`, by service. */
type Routes = Readonly<Record<string, readonly string[]>>

export interface UnbuiltServices {
  readonly bySigningName: ReadonlyMap<string, readonly ServiceRow[]>
  readonly byTarget: ReadonlyMap<string, ServiceRow>
  readonly byApiVersion: ReadonlyMap<string, readonly ServiceRow[]>
  readonly byHost: ReadonlyMap<string, readonly ServiceRow[]>
}

export interface UnbuiltMatch {
  readonly service: ServiceRow
  readonly operation: string | undefined
}

let services: Promise<UnbuiltServices> | undefined
let routes: Promise<RouteIndex> | undefined

export function unbuiltServices(): Promise<UnbuiltServices> {
  services ??= loadServices()
  return services
}

/** The service among the candidates whose path it is, and its operation; the first candidate when no path matches. */
export async function unbuiltByPath(
  candidates: readonly ServiceRow[],
  request: Pick<HttpRequest, 'method' | 'query'>,
  path: string,
): Promise<UnbuiltMatch | undefined> {
  const [first] = candidates
  if (!first) return undefined
  routes ??= loadRoutes()
  const found = (await routes).find(request, path, new Set(candidates.map(({ id }) => id)))
  const service = candidates.find(({ id }) => id === found?.service) ?? first
  return { service, operation: found?.operation }
}

/** A request without any other mark of its service: its path must begin with a literal that only one service has. */
export async function unbuiltByPathAlone(
  request: Pick<HttpRequest, 'method' | 'query'>,
  path: string,
): Promise<UnbuiltMatch | undefined> {
  routes ??= loadRoutes()
  const found = (await routes).findAlone(request, path)
  if (!found) return undefined
  const { bySigningName } = await unbuiltServices()
  const service = [...bySigningName.values()].flat().find(({ id }) => id === found.service)
  return service && { service, operation: found.operation }
}

async function loadServices(): Promise<UnbuiltServices> {
  const { default: entries } = await import('../../models/unbuilt-services.json', { with: { type: 'json' } })
  const rows = (entries as unknown as readonly Entry[]).map(rowOf)
  return {
    bySigningName: grouped(rows, ({ signingNames }) => signingNames),
    byTarget: new Map(rows.flatMap((row) => row.targets.map((target) => [target, row] as const))),
    byApiVersion: grouped(
      rows.filter(({ protocol }) => protocol === 'query'),
      ({ apiVersion }) => [apiVersion!],
    ),
    byHost: grouped(rows, ({ hosts }) => hosts),
  }
}

function rowOf([id, protocol, host, signingName, target, apiVersion, xmlns]: Entry): ServiceRow {
  return {
    id,
    protocol,
    also: [],
    signingNames: [signingName],
    hosts: [host],
    targets: target === '' ? [] : [target],
    apiVersion,
    ...(xmlns !== '' && { xmlns }),
    iamPrefix: signingName,
    eventSource: `${host}.amazonaws.com`,
    validationCode: 'ValidationException',
    unbuilt: true,
    load: async () => ({}),
  }
}

/** The service that is named like its key comes first: `rds` before the others that sign as `rds`. */
function grouped(
  rows: readonly ServiceRow[],
  keysOf: (row: ServiceRow) => readonly string[],
): ReadonlyMap<string, readonly ServiceRow[]> {
  const groups = new Map<string, ServiceRow[]>()
  for (const row of rows) {
    for (const key of keysOf(row)) {
      const group = groups.get(key) ?? []
      if (row.id === row.signingNames[0]) group.unshift(row)
      else group.push(row)
      groups.set(key, group)
    }
  }
  return groups
}

async function loadRoutes(): Promise<RouteIndex> {
  const { default: table } = await import('../../models/unbuilt-routes.json', { with: { type: 'json' } })
  return new RouteIndex(table as Routes)
}

interface UnbuiltRoute {
  readonly service: string
  readonly operation: string
  readonly method: string
  readonly segments: readonly string[]
  readonly query: string
  /** Literal segments and parameters: more is more specific. */
  readonly literals: number
}

const isLabel = (segment: string) => segment.startsWith('{')

/** Routes by their first segment, so that one request is compared with few of the ten thousand. */
class RouteIndex {
  readonly #byFirst = new Map<string, UnbuiltRoute[]>()

  constructor(table: Routes) {
    for (const [service, lines] of Object.entries(table)) {
      for (const line of lines) {
        const [method = '', uri = '', operation = ''] = line.split(' ')
        const [path = '', query = ''] = uri.split('?')
        const segments = segmentsOf(path)
        const first = segments[0] === undefined || isLabel(segments[0]) ? '' : segments[0]
        const literals = segments.filter((segment) => !isLabel(segment)).length + (query === '' ? 0 : 1)
        const route = { service, operation, method, segments, query, literals }
        const group = this.#byFirst.get(first)
        if (group) group.push(route)
        else this.#byFirst.set(first, [route])
      }
    }
    for (const group of this.#byFirst.values()) group.sort((a, b) => b.literals - a.literals)
  }

  find(
    request: Pick<HttpRequest, 'method' | 'query'>,
    path: string,
    of: ReadonlySet<string>,
  ): UnbuiltRoute | undefined {
    const segments = segmentsOf(path)
    const fits = (route: UnbuiltRoute) => of.has(route.service) && matches(route, request, segments)
    return (
      (segments[0] === undefined ? undefined : this.#byFirst.get(segments[0])?.find(fits)) ??
      this.#byFirst.get('')?.find(fits)
    )
  }

  findAlone(request: Pick<HttpRequest, 'method' | 'query'>, path: string): UnbuiltRoute | undefined {
    const segments = segmentsOf(path)
    const group = segments[0] === undefined ? [] : (this.#byFirst.get(segments[0]) ?? [])
    const found = group.filter((route) => matches(route, request, segments))
    return new Set(found.map(({ service }) => service)).size === 1 ? found[0] : undefined
  }
}

const segmentsOf = (path: string): string[] => path.split('/').filter((segment) => segment !== '')

function matches(
  { method, segments, query }: UnbuiltRoute,
  request: Pick<HttpRequest, 'method' | 'query'>,
  given: readonly string[],
): boolean {
  if (method !== request.method || given.length < segments.length) return false
  if (query !== '' && !`&${request.query}&`.includes(`&${query}`)) return false
  for (const [i, segment] of segments.entries()) {
    const greedy = segment.endsWith('+}')
    // What follows a greedy label is compared from the end.
    if (greedy) {
      const behind = segments.slice(i + 1)
      return behind.every((each, j) => isLabel(each) || each === given[given.length - behind.length + j])
    }
    if (!isLabel(segment) && segment !== given[i]) return false
  }
  return given.length === segments.length
}
