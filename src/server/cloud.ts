/** A whole Merlon without its sockets: store, vault, ports and services joined behind one gate. */
import { readFileSync } from 'node:fs'
import { AccountKeys, keyringAccounts, type PreparesAccounts } from '../kernel/account-keys.ts'
import type { Clock } from '../kernel/clock.ts'
import { readDocument } from '../kernel/documents.ts'
import { EvidenceKeeper } from '../kernel/evidence/keeper.ts'
import { type Answer, Gate } from '../kernel/gate.ts'
import { mailbox, webhooks } from '../kernel/jobs/outbox.ts'
import { type Job, type JobHandler, JobRunner } from '../kernel/jobs.ts'
import { directoryLogin } from '../kernel/ports/directory-login.ts'
import { directoryServers } from '../kernel/ports/directory-servers.ts'
import { federationHttp } from '../kernel/ports/federation-http.ts'
import { PortTable, type Provided, provide, type Use } from '../kernel/ports/port.ts'
import { samlSignIn } from '../kernel/ports/saml-sign-in.ts'
import { signInIdentities } from '../kernel/ports/sign-in-identities.ts'
import { socialSignIn } from '../kernel/ports/social-sign-in.ts'
import { webOrigin } from '../kernel/ports/web-origin.ts'
import type { OutboundPort, Ports } from '../kernel/ports.ts'
import { type Quotas, quotaDefaults } from '../kernel/quota.ts'
import type { Service, Work } from '../kernel/service.ts'
import { TamperWatch } from '../kernel/tamper-watch.ts'
import { Throttle } from '../kernel/throttle.ts'
import type { WebSite } from '../kernel/web/site.ts'
import { WebGate } from '../kernel/web/web-gate.ts'
import { directories } from '../planes/directories/directories.ts'
import { readDomainServers } from '../planes/directories/servers.ts'
import { type EgressList, readEgress } from '../planes/functions/egress.ts'
import { functionHost } from '../planes/functions/host.ts'
import { type BlobStore, sealedBlobs } from '../planes/objects/blobs.ts'
import { heldBlobs } from '../planes/objects/held.ts'
import { memoryBlobs } from '../planes/objects/memory.ts'
import { checkpoints, events } from '../planes/streams/source.ts'
import { Stream, type StreamOptions, type StreamStatus } from '../planes/streams/stream.ts'
import type { Target } from '../planes/streams/target.ts'
import { directoryLoginPort } from '../services/ds/login.ts'
import { accountsPort } from '../services/iam/account/accounts.ts'
import { type AccountRow, createAccount, type RootKey } from '../services/iam/account/bootstrap.ts'
import { identityPort } from '../services/iam/identities.ts'
import { signInIdentitiesPort } from '../services/iam/sign-in.ts'
import { keysPort } from '../services/kms/port.ts'
import { organizationPort } from '../services/organizations/standing.ts'
import { samlSignInPort } from '../services/sts/saml-sign-in.ts'
import { type Store, type Unit, under } from '../store/store.ts'
import type { KeyTree } from '../vault/key-tree.ts'
import { ThreadPool } from '../vault/material/pool.ts'
import { openVault, type VaultOptions } from '../vault/sealed.ts'
import type { Unsealed } from '../vault/sealer.ts'
import type { Vault } from '../vault/vault.ts'
import { type HttpRequest, type HttpResponse, header } from '../wire/http.ts'
import { analyses } from './analysis-pool.ts'
import { federationRequests, outbound, readHosts } from './outbound.ts'
import { proofSite } from './proof-site.ts'
import { services } from './services.ts'
import { readSocialSettings, socialSignInPort } from './social-sign-in.ts'

export interface CloudOptions {
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
  /** Whether deployment packages of customers run here. */
  readonly packages?: boolean | undefined
  /** Where functions may go inside: `MERLON_FUNCTION_EGRESS`. */
  readonly egress?: EgressList | undefined
  /** Where the bytes of objects lie. Default: in memory. */
  readonly blobs?: BlobStore | undefined
  /** Where every event goes, too. */
  readonly streams?: readonly Target[] | undefined
  /** Where every checkpoint goes, too. */
  readonly witnesses?: readonly Target[] | undefined
  readonly onStream?: StreamOptions['tell']
  /** What the server provides besides: the mail transport. A port that is left out has no provider. */
  readonly provides?: readonly Provided[] | undefined
  /** Web sites besides those of the services. */
  readonly sites?: readonly WebSite[] | undefined
  /** Default: all that are built. */
  readonly services?: readonly Service[]
  /** Default: the network, guarded. */
  readonly outbound?: OutboundPort
  readonly observe?: (answer: Answer) => void
  readonly onDecisionError?: ((error: unknown, requestId: string) => void) | undefined
  readonly onJobError?: (job: Job, error: unknown) => void
  /** Told when something is wrong with the evidence: chains changed while no server ran, a checkpoint that failed. */
  readonly onEvidenceError?: (error: unknown) => void
}

export interface Cloud {
  readonly gate: Gate
  /** Answers a request to the API's listener: by a site that belongs there, else as an API call. */
  handle(request: HttpRequest): Promise<HttpResponse>
  /** Answers a request to the listener of pages; undefined when no site has the path. */
  handleWeb(request: HttpRequest): Promise<HttpResponse | undefined>
  /** What anybody may read at this path. */
  document(path: string): Promise<object | undefined>
  readonly store: Store
  readonly vault: Vault
  readonly clock: Clock
  readonly jobs: JobRunner
  /** Begins what it does by itself: jobs that fall due, streams. */
  start(): void
  streams(): readonly StreamStatus[]
  readonly evidence: EvidenceKeeper
  readonly ports: Ports
  /** What services and planes provide. */
  readonly use: Use
  /** For work that copies objects' bytes: meanwhile this node removes none. */
  holdingObjects<T>(work: () => Promise<T>): Promise<T>
  /** Makes an account with its root user; returns that user's key, whose secret is shown this once. */
  addAccount(account: AddedAccount): Promise<RootKey>
  /** The same, if the unit that makes it finds that it may. */
  addAccountIf(account: AddedAccount, may: (unit: Unit) => Promise<boolean>): Promise<RootKey | undefined>
  /** The one it began with first. */
  accounts(): Promise<readonly AccountRow[]>
  /** Writes down what is gathered in memory: which credentials were used, and findings. Done by itself twice a minute. */
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
  const pool = options.keyScript && new ThreadPool(options.keyScript)
  const onEvidenceError = options.onEvidenceError ?? (() => undefined)
  const tampering = new TamperWatch({
    store,
    clock,
    owner: (account) => ownerOf(store, account),
    onError: onEvidenceError,
  })
  const { vault, keys } = await unsealedVault(store, options.unsealed, {
    pool,
    onTampered: (place) => tampering.see(place),
  })
  // The bundle's threads are beside each other.
  const analyzing = analyses(options.keyScript && new URL('./analysis-thread.js', options.keyScript))
  const evidence = new EvidenceKeeper(store, vault, clock, onEvidenceError)
  await evidence.start()
  const identities = identityPort(store, vault, clock)
  const functions = functionHost({
    handler: (request) => gate.handle(request),
    now: () => clock.now(),
    egress: options.egress ?? readEgress(process.env['MERLON_FUNCTION_EGRESS']),
    process: options.packages ?? false,
  })
  const blobs = heldBlobs(options.blobs ?? memoryBlobs())
  const ports: Ports = {
    keys: keysPort,
    identity: identities,
    organizations: organizationPort(store),
    accounts: accountsPort((account) => keys.prepare(vault, account)),
    outbound: options.outbound ?? outbound(),
    events: { query: (query) => store.log(query) },
    functions,
    blobs: sealedBlobs(vault, blobs),
    analyses: analyzing,
  }
  const table = new PortTable()
  for (const provided of options.provides ?? []) table.provide(provided)
  table.provide(provide(signInIdentities, signInIdentitiesPort(identities)))
  const pagesOrigin = () => options.webUrl ?? options.webAddress?.()
  const origins = () => [pagesOrigin(), options.publicUrl].filter((origin) => origin !== undefined)
  table.provide(provide(webOrigin, { origin: pagesOrigin, origins }))
  table.provide(
    provide(
      samlSignIn,
      samlSignInPort({
        reader: store.reader,
        identity: identities,
        accounts: ports.accounts,
        now: () => clock.now(),
        origins,
      }),
    ),
  )
  if (!options.provides?.some(({ token }) => token.name === directoryServers.name))
    table.provide(provide(directoryServers, configuredDirectories(clock)))
  if (!options.provides?.some(({ token }) => token.name === federationHttp.name))
    table.provide(provide(federationHttp, federationRequests()))
  const { use } = table
  if (!options.provides?.some(({ token }) => token.name === socialSignIn.name))
    table.provide(
      provide(
        socialSignIn,
        socialSignInPort(readSocialSettings(process.env['MERLON_SOCIAL_SIGN_IN']), use(federationHttp)),
      ),
    )
  table.provide(
    provide(directoryLogin, directoryLoginPort({ reader: store.reader, vault, use, now: () => clock.now() })),
  )
  const quotas = { ...quotaDefaults, ...options.quotas }
  const throttle = options.throttle ?? new Throttle()
  const gate = new Gate({
    store,
    vault,
    clock,
    services: options.services ?? services,
    ports,
    use,
    quotas,
    throttle,
    publicUrl: options.publicUrl,
    ...(observe && { observe }),
    onDecisionError: options.onDecisionError,
  })
  const web = new WebGate({
    store,
    vault,
    clock,
    ports,
    use,
    quotas,
    throttle,
    act: gate.act,
    callAs: gate.callAs,
    authorizeAs: gate.authorizeAs,
    sites: [
      ...(options.services ?? services).flatMap((service) => service.sites ?? []),
      proofSite(store),
      ...(options.sites ?? []),
    ],
    publicUrl: options.publicUrl,
    webUrl: options.webUrl,
    observe,
  })
  const work = (now: number): Work => ({ now, reader: store.reader, vault, ports, use, quotas, act: gate.act })
  const jobs = new JobRunner(
    store,
    clock,
    new Map([
      ...handlers(options.services ?? services, work),
      ...[mailbox, webhooks].flatMap((outbox) => outbox.handlers({ vault, use })),
    ]),
    options.onJobError ?? (() => undefined),
  )

  const streaming = [
    ...(options.streams ?? []).map((target) => ({ target, source: events(store) })),
    ...(options.witnesses ?? []).map((target) => ({ target, source: checkpoints(store) })),
  ].map(({ target, source }) => new Stream({ store, source, target, tell: options.onStream ?? (() => undefined) }))

  const addAccountIf: Cloud['addAccountIf'] = async ({ id, name, rootKey }, may) => {
    await keys.prepare(vault, id)
    const given = rootKey && { id: rootKey.accessKeyId, secret: rootKey.secretAccessKey }
    const account = { id, name, now: clock.now(), rootKey: given }
    return store.run(async (unit) => ((await may(unit)) ? createAccount(unit, vault, account) : undefined))
  }

  const documents = (options.services ?? services).flatMap((service) => service.documents ?? [])

  const handle = async (request: HttpRequest): Promise<HttpResponse> => {
    const matched =
      web.match(request, 'host', 'api') ?? (isApiCall(request) ? undefined : web.match(request, 'path', 'api'))
    if (matched === undefined) return gate.handle(request)
    return matched === 'method' ? METHOD_NOT_ALLOWED : web.handle(request, matched)
  }

  const handleWeb = async (request: HttpRequest): Promise<HttpResponse | undefined> => {
    const matched = web.match(request, 'host', 'web') ?? web.match(request, 'path', 'web')
    return matched === 'method' ? METHOD_NOT_ALLOWED : matched && web.handle(request, matched)
  }

  return {
    gate,
    handle,
    handleWeb,
    document: (path) => readDocument(documents, store.reader, path),
    store,
    vault,
    clock,
    jobs,
    start: () => {
      jobs.start()
      for (const stream of streaming) stream.start()
    },
    streams: () => streaming.map((stream) => stream.status()),
    evidence,
    ports,
    use,
    holdingObjects: (work) => blobs.holding(work),
    addAccount: async (account) => (await addAccountIf(account, async () => true))!,
    addAccountIf,
    accounts: () => accountsOf(store),
    flush: async () => {
      await tampering.flush()
      await identities.flushUses()
    },
    close: async () => {
      await jobs.stop()
      await functions.close()
      await gate.close()
      await web.close()
      await identities.close()
      await tampering.flush()
      await evidence.stop()
      // The last checkpoint, too.
      await Promise.all(streaming.map((stream) => stream.stop()))
      vault.materials.forget()
      await pool?.close()
      await analyzing.close()
      await store.close()
    },
  }
}

/** The LDAP servers that the operator names in the environment. */
function configuredDirectories(clock: Clock) {
  const ca = process.env['MERLON_DIRECTORY_CA']
  return directories({
    servers: readDomainServers(process.env['MERLON_DIRECTORY_SERVERS']),
    hosts: readHosts(process.env['MERLON_FEDERATION_HOSTS']),
    ca: ca === undefined ? undefined : readFileSync(ca, 'utf8'),
    now: () => clock.now(),
  })
}

const METHOD_NOT_ALLOWED: HttpResponse = { status: 405, headers: { 'content-type': 'text/plain' }, body: '' }

/** Signed, or in the form of an API call: its path is the API's. */
const isApiCall = (request: HttpRequest): boolean =>
  (header(request, 'authorization') ?? '').startsWith('AWS4-') ||
  header(request, 'x-amz-target') !== undefined ||
  /(?:^|&)X-Amz-(?:Signature|Algorithm)=/i.test(request.query)

const accountsOf = async ({ reader }: Pick<Store, 'reader'>): Promise<readonly AccountRow[]> =>
  (await reader.range<AccountRow>(under('iam', 'account')))
    .map(({ document }) => document)
    .sort((a, b) => a.createdAt - b.createdAt)

/** What belongs to nobody is the first account's to know. */
async function ownerOf(store: Store, account: string): Promise<string | undefined> {
  const ids = (await accountsOf(store)).map(({ id }) => id)
  return ids.includes(account) ? account : ids[0]
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

function handlers(all: readonly Service[], work: (now: number) => Work): ReadonlyMap<string, JobHandler> {
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
