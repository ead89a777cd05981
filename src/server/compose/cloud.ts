/** A whole Merlon without its sockets: store, vault, ports and services joined behind one gate. */
import { TamperWatch } from '../../kernel/events/tamper-watch.ts'
import { Gate, type RequestOutcome } from '../../kernel/gate/gate.ts'
import { Throttle } from '../../kernel/gate/throttle.ts'
import { type Job, type JobHandler, JobRunner } from '../../kernel/jobs/jobs.ts'
import { mailbox, webhooks } from '../../kernel/jobs/outbox.ts'
import { CheckpointService } from '../../kernel/log-integrity/keeper.ts'
import { planeSite } from '../../kernel/planes/plane-site.ts'
import { type Publishing, publishing } from '../../kernel/planes/publishing.ts'
import { snapshots } from '../../kernel/planes/snapshot.ts'
import { bootstrap, type InstalledAccount, type RootKey } from '../../kernel/ports/bootstrap.ts'
import { PortTable, type Provided, provide, type Use } from '../../kernel/ports/port.ts'
import { type OutboundPort, type Ports, portsOf } from '../../kernel/ports/ports.ts'
import { type EndpointFilter, requestFilter } from '../../kernel/ports/request-filter.ts'
import { joinedWebAclResources, webAclResources } from '../../kernel/ports/web-acl-resources.ts'
import { AccountKeys, keyringAccounts, type PreparesAccounts } from '../../kernel/service/account-keys.ts'
import { readDocument } from '../../kernel/service/documents.ts'
import type { ServiceContext } from '../../kernel/service/open-services.ts'
import { type Quotas, quotaDefaults } from '../../kernel/service/quota.ts'
import type { JobContext, Service } from '../../kernel/service/service.ts'
import type { Clock } from '../../kernel/state/clock.ts'
import type { WebSite } from '../../kernel/web/site.ts'
import { WebGate } from '../../kernel/web/web-gate.ts'
import type { StreamStatus } from '../../planes/streams/stream.ts'
import type { Store, Unit } from '../../store/store.ts'
import type { KeyTree } from '../../vault/key-tree.ts'
import { ThreadPool } from '../../vault/material/pool.ts'
import { openVault, type VaultOptions } from '../../vault/sealed.ts'
import type { Unsealed } from '../../vault/sealer.ts'
import type { Vault } from '../../vault/vault.ts'
import { type HttpRequest, type HttpResponse, header } from '../../wire/http.ts'
import { analyses as analysisPool } from './analysis-pool.ts'
import { holdsOthers, OpenedLater } from './later.ts'
import { openPlanes, type PlanesOptions } from './planes.ts'
import { type PlaneHandlers, RunningServices } from './running-services.ts'
import { serverPorts } from './server-ports.ts'

export interface CloudOptions extends PlanesOptions {
  readonly store: Store
  /** An open keyring, or a root key for what lives in memory. */
  readonly unsealed: Unsealed | { readonly tree: KeyTree }
  readonly clock: Clock
  /** The bundled thread for slow private operations. Default: they run on this one. */
  readonly keyScript?: URL | undefined
  readonly quotas?: Quotas
  readonly throttle?: Throttle | undefined
  readonly publicUrl?: string | undefined
  /** How browsers reach the pages. Default: as each request reached them. */
  readonly webUrl?: string | undefined
  /** The address of the listener of pages, where `webUrl` is not set; undefined before it listens. */
  readonly webAddress?: (() => string | undefined) | undefined
  /** What the server provides besides: the mail transport. Replaces what the server or a plane would provide otherwise. */
  readonly provides?: readonly Provided[] | undefined
  /** Web sites besides those of the services. */
  readonly sites?: readonly WebSite[] | undefined
  /**
   * Whose operations and pages are served. Default: all that are built. The others are opened, too, unless `later` is given: they
   * provide ports.
   */
  readonly services?: readonly Service[]
  /**
   * Services that are loaded and opened when they are first needed: at once where the store is shared or holds documents of theirs, else
   * with the first call or page that is not of `services` alone.
   */
  readonly later?: (() => Promise<readonly Service[]>) | undefined
  /** Called with services when they have been opened. */
  readonly onOpened?: ((services: readonly Service[]) => void) | undefined
  /** Default: the network, guarded. */
  readonly outbound?: OutboundPort
  readonly observe?: (answer: RequestOutcome) => void
  readonly onDecisionError?: ((error: unknown, requestId: string) => void) | undefined
  readonly onJobError?: (job: Job, error: unknown) => void
  /** Called when work of a service's own failed and is repeated. */
  readonly onServiceFailure?: ((work: string, error: unknown) => void) | undefined
  /**
   * Called when something is wrong with the log's integrity: chains changed while no server ran, a checkpoint that
   * failed.
   */
  readonly onEvidenceError?: (error: unknown) => void
}

export interface Cloud {
  readonly gate: Gate
  /** Answers a request to the API's listener: by a site that belongs there, else as an API call. */
  handle(request: HttpRequest): Promise<HttpResponse>
  /** Answers a request to the listener of pages; undefined when no site has the path. */
  handleWeb(request: HttpRequest): Promise<HttpResponse | undefined>
  /** The public document at this path. */
  document(path: string): Promise<object | undefined>
  readonly store: Store
  readonly vault: Vault
  readonly clock: Clock
  readonly jobs: JobRunner
  /** Starts its automatic work: jobs that fall due, streams. */
  start(): void
  /** To be awaited before `use` reaches a port of a service that is opened later; undefined when all are open. */
  whole(): Promise<void> | undefined
  isWhole(): boolean
  streams(): readonly StreamStatus[]
  /** Lines of services in the Prometheus text format. */
  metrics(): Promise<readonly string[]>
  readonly evidence: CheckpointService
  readonly ports: Ports
  /** What services and planes provide. */
  readonly use: Use
  /** What services do with records and messages of a plane in this process. */
  readonly planeHandlers: PlaneHandlers
  /** For work that copies objects' bytes: meanwhile this node removes none. */
  holdingObjects<T>(work: () => Promise<T>): Promise<T>
  /** Makes an account with its root user; returns that user's key, whose secret is shown this once. */
  addAccount(account: AddedAccount): Promise<RootKey>
  /** The same, if the unit that makes it finds that it may. */
  addAccountIf(account: AddedAccount, may: (unit: Unit) => Promise<boolean>): Promise<RootKey | undefined>
  /** The one it began with first. */
  accounts(): Promise<readonly InstalledAccount[]>
  /**
   * Writes down what is gathered in memory: which credentials were used, and findings. Done automatically twice a
   * minute.
   */
  flush(): Promise<void>
  /** Everything acknowledged is on disk when this returns. */
  close(): Promise<void>
}

interface AddedAccount {
  readonly id: string
  readonly name: string
  readonly rootKey?: RootKey | undefined
}

export async function openCloud(options: CloudOptions): Promise<Cloud> {
  const { store, clock, observe } = options
  const served = options.services ?? (await allServices())
  const pool = options.keyScript && new ThreadPool(options.keyScript)
  const onEvidenceError = options.onEvidenceError ?? (() => undefined)
  const table = new PortTable()
  const { use } = table
  const accounts = () => use(bootstrap).accounts(store.reader)
  const tampering = new TamperWatch({
    store,
    clock,
    owner: async (account) => ownerOf(await accounts(), account),
    onError: onEvidenceError,
  })
  const { vault, keys } = await unsealedVault(store, options.unsealed, {
    pool,
    onTampered: (place) => tampering.see(place),
  })
  // The bundle's threads are beside each other.
  const analyzing = analysisPool(options.keyScript && new URL('./analysis-thread.js', options.keyScript))
  const evidence = new CheckpointService(store, vault, clock, onEvidenceError)
  await evidence.start()
  const planes = openPlanes(options, { store, vault, clock, handler: (request) => gate.handle(request) })
  const provided = serverPorts({
    store,
    vault,
    keys,
    analyses: analyzing,
    planes: planes.provides,
    publicUrl: options.publicUrl,
    pagesOrigin: () => options.webUrl ?? options.webAddress?.(),
    outbound: options.outbound,
    provides: options.provides,
  })
  for (const each of provided) table.provide(each)
  const quotas = { ...quotaDefaults, ...options.quotas }
  const throttle = options.throttle ?? new Throttle()
  const isOpened = ({ api }: Service) => served.some(({ api: { id }, open }) => id === api.id && open)
  const others = options.later ? [] : (await allServices()).filter((service) => !served.includes(service))
  const context: ServiceContext = {
    store,
    vault,
    clock,
    quotas,
    use,
    actAs: (...call) => gate.actAs(...call),
    onFailure: options.onServiceFailure ?? (() => undefined),
  }
  const services = new RunningServices(context, table)
  services.open([...served, ...others.filter((service) => !isOpened(service))])
  const ports = portsOf(use)
  // Without the service that filters there is no web ACL: the store would have its documents, and it would be open.
  const endpointFilter: EndpointFilter = (request, requestId) =>
    later.isOpen ? use(requestFilter).endpointRefusal(request, requestId) : UNFILTERED
  const gate = new Gate({
    store,
    vault,
    clock,
    services: served,
    openAll: () => later.opened(),
    ports,
    use,
    quotas,
    throttle,
    publicUrl: options.publicUrl,
    ...(observe && { observe }),
    onDecisionError: options.onDecisionError,
    endpointFilter,
  })
  const planesSite = planeSite({
    feedOf: (plane, scope) => use(snapshots).feedOf(plane, scope),
    owner: async () => ownerOf(await accounts(), '') ?? '',
    handlers: (plane) => services.records(plane),
    exchange: (plane) => services.exchange(plane),
  })
  const web = new WebGate({
    store,
    vault,
    clock,
    ports,
    use,
    quotas,
    throttle,
    actAs: gate.actAs,
    callAs: gate.callAs,
    authorizeAs: gate.authorizeAs,
    sites: [planesSite, ...served.flatMap((service) => service.sites ?? []), ...(options.sites ?? [])],
    publicUrl: options.publicUrl,
    webUrl: options.webUrl,
    observe,
    endpointFilter,
  })
  const work = (now: number): JobContext => ({
    now,
    reader: store.reader,
    vault,
    ports,
    use,
    quotas,
    actAs: gate.actAs,
  })
  const jobHandlers = new Map([
    ...handlers(served, work),
    ...[mailbox, webhooks].flatMap((outbox) => outbox.handlers({ vault, use })),
  ])
  const jobs = new JobRunner(store, clock, jobHandlers, options.onJobError ?? (() => undefined), () => later.opened())
  const documents = served.flatMap((service) => service.documents ?? [])
  let publishers: Publishing | undefined
  const later = new OpenedLater(async () => {
    const more = (await options.later?.()) ?? []
    services.open(more)
    services.assertProvided()
    publishers = publishing(services.all, store, vault, use)
    table.provide(provide(snapshots, publishers))
    const filtered = services.all.flatMap((service) => service.webAclResources ?? [])
    table.provide(provide(webAclResources, joinedWebAclResources(filtered)))
    gate.add(more)
    web.add(more.flatMap((service) => service.sites ?? []))
    for (const [kind, handler] of handlers(more, work)) jobHandlers.set(kind, handler)
    documents.push(...more.flatMap((service) => service.documents ?? []))
    options.onOpened?.(services.all)
    services.startLast()
  })
  options.onOpened?.(services.all)
  if (!options.later || store.shared || (await holdsOthers(store, served))) await later.opened()

  const addAccountIf: Cloud['addAccountIf'] = async ({ id, name, rootKey }, may) => {
    await keys.prepare(vault, id)
    const given = rootKey && { id: rootKey.accessKeyId, secret: rootKey.secretAccessKey }
    const account = { id, name, now: clock.now(), rootKey: given }
    return store.run(async (unit) => ((await may(unit)) ? use(bootstrap).createAccount(unit, account) : undefined))
  }

  const handle = async (request: HttpRequest): Promise<HttpResponse> => {
    if (!isApiCall(request)) await later.opened()
    const matched =
      web.match(request, 'host', 'api') ?? (isApiCall(request) ? undefined : web.match(request, 'path', 'api'))
    if (matched === undefined) return gate.handle(request)
    return matched === 'method' ? METHOD_NOT_ALLOWED : web.handle(request, matched)
  }

  const handleWeb = async (request: HttpRequest): Promise<HttpResponse | undefined> => {
    await later.opened()
    const matched = web.match(request, 'host', 'web') ?? web.match(request, 'path', 'web')
    return matched === 'method' ? METHOD_NOT_ALLOWED : matched && web.handle(request, matched)
  }

  return {
    gate,
    handle,
    handleWeb,
    document: async (path) => {
      await later.opened()
      return readDocument(documents, store.reader, path)
    },
    store,
    vault,
    clock,
    jobs,
    start: () => {
      services.start()
      jobs.start()
      planes.start()
    },
    whole: () => later.opened(),
    isWhole: () => later.isOpen,
    streams: () => planes.streams(),
    metrics: () => services.metrics(),
    evidence,
    ports,
    use,
    planeHandlers: services,
    holdingObjects: (work) => planes.holdingObjects(work),
    addAccount: async (account) => (await addAccountIf(account, async () => true))!,
    addAccountIf,
    accounts,
    flush: async () => {
      await tampering.flush()
      await services.flush()
    },
    close: async () => {
      await jobs.stop()
      await later.close()
      publishers?.close()
      await planes.close()
      await gate.close()
      await web.close()
      await services.close()
      await tampering.flush()
      await evidence.stop()
      // The last checkpoint, too.
      await planes.closeStreams()
      vault.materials.forget()
      await pool?.close()
      await analyzing.close()
      await store.close()
    },
  }
}

/** Imported when they are wanted: a server names its own, and reads the code of the others later. */
const allServices = async (): Promise<readonly Service[]> => (await import('./services.ts')).services

const UNFILTERED = Promise.resolve(undefined)

const METHOD_NOT_ALLOWED: HttpResponse = { status: 405, headers: { 'content-type': 'text/plain' }, body: '' }

/** Signed, or in the form of an API call: its path is the API's. */
const isApiCall = (request: HttpRequest): boolean =>
  (header(request, 'authorization') ?? '').startsWith('AWS4-') ||
  header(request, 'x-amz-target') !== undefined ||
  /(?:^|&)X-Amz-(?:Signature|Algorithm)=/i.test(request.query)

/** What belongs to no account is the first account's to know. */
function ownerOf(accounts: readonly InstalledAccount[], account: string): string | undefined {
  return accounts.some(({ id }) => id === account) ? account : accounts[0]?.id
}

async function unsealedVault(
  store: Store,
  unsealed: CloudOptions['unsealed'],
  watched: Pick<VaultOptions, 'pool' | 'onTampered'>,
): Promise<{ readonly vault: Vault; readonly keys: PreparesAccounts }> {
  if ('tree' in unsealed) return { vault: openVault({ ...unsealed, ...watched }), keys: keyringAccounts(store) }
  const keys = await AccountKeys.open(store)
  return { vault: openVault({ ...unsealed, accountKeys: keys, ...watched }), keys }
}

function handlers(all: readonly Service[], work: (now: number) => JobContext): ReadonlyMap<string, JobHandler> {
  const jobs = all.flatMap((service) => Object.entries(service.jobs ?? {}))
  return new Map(
    jobs.map(([kind, { effect, run }]) => [
      kind,
      {
        ...(effect && { effect: (job, now) => effect(work(now), job.payload) }),
        run: (unit, job, now, outcome) => run(unit, work(now), job.payload, outcome),
      } satisfies JobHandler,
    ]),
  )
}
