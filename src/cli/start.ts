/** `merlon start`: runs a server until it receives a stop signal. */
import { readFileSync } from 'node:fs'
import { bucketOf } from '../kernel/client/bucket.ts'
import type { RootKey } from '../kernel/ports/bootstrap.ts'
import { type MailTransport, readMailTransport } from '../planes/mailer/mailer.ts'
import type { BlobStore } from '../planes/objects/blobs.ts'
import { bucketBlobs } from '../planes/objects/remote.ts'
import { readTarget, type Target } from '../planes/streams/target.ts'
import { type Limits, readLimits } from '../server/compose/limits.ts'
import { createLogger, isLevel, type Level, type Logger } from '../server/compose/log.ts'
import { startServer } from '../server/compose/server.ts'
import type { DevelopmentOptions, DurableOptions, TlsChoice, WebOptions } from '../server/compose/server-options.ts'
import { TrustedProxies } from '../server/listen/trusted-proxies.ts'
import { readSeed } from '../server/seed/seed.ts'
import { readOrigin } from '../server/web/origins.ts'
import { installedFile } from '../wire/installed-file.ts'
import { folderOf, storageAt, storeOptions } from './admin-client.ts'
import { authorityDirectoryOf } from './ca.ts'
import { type Command, portOf, readOptions, UsageError } from './command.ts'
import { gatewayOf } from './gateway-options.ts'
import { isChildOfNpx, onParentDeath } from './parent.ts'
import { keyAsJson, shownKey } from './root-key.ts'
import { version } from './version.ts'

const options = {
  data: { type: 'string', value: 'DIR', about: 'the data directory; created on the first start (default .merlon)' },
  ...storeOptions,
  host: { type: 'string', value: 'HOST', about: 'where to listen (default 127.0.0.1)' },
  port: { type: 'string', value: 'PORT', about: 'on which port; 0 takes any (default 4566)' },
  account: {
    type: 'string',
    value: 'ID',
    about: 'the id of the first account (default: MERLON_ACCOUNT_ID, or at random)',
  },
  dev: { type: 'boolean', about: 'in memory, with a movable clock; see MERLON_ROOT_ACCESS_KEY_ID in the docs' },
  'allow-remote-dev': {
    type: 'boolean',
    about:
      'With --dev: listen beyond this machine, in a container for one; signatures are still required; logged at each start',
  },
  seed: { type: 'string', value: 'FILE', about: 'with --dev: accounts, users, keys and policies to begin with' },
  'accept-rollback': {
    type: 'boolean',
    about: 'serve data that is older than the last recorded state; this is recorded in the audit log',
  },
  'public-url': { type: 'string', value: 'URL', about: 'how others reach this server; tokens it issues name it' },
  'console-port': {
    type: 'string',
    value: 'PORT',
    about: 'Serve the console and the sign-in pages on PORT; 0 takes any (default: the port after --port)',
  },
  'console-url': {
    type: 'string',
    value: 'URL',
    about: 'How browsers reach the console, where a proxy is in between (default: MERLON_CONSOLE_URL)',
  },
  'no-console': { type: 'boolean', about: 'Do not serve the console and the sign-in pages' },
  tls: {
    type: 'string',
    value: 'auto',
    about: "Serve TLS with a certificate authority of the installation's own; see 'merlon ca' (default: MERLON_TLS)",
  },
  'tls-name': {
    type: 'string',
    multiple: true,
    value: 'NAME',
    about: 'With --tls auto: another host name or address of this server; repeatable (default: MERLON_TLS_NAMES)',
  },
  'tls-cert': {
    type: 'string',
    value: 'FILE',
    about: 'Serve TLS with this certificate (PEM); read again when it changes (default: MERLON_TLS_CERT)',
  },
  'tls-key': { type: 'string', value: 'FILE', about: 'The key of --tls-cert (PEM; default: MERLON_TLS_KEY)' },
  'tls-certificate': {
    type: 'string',
    value: 'ARN',
    about: 'Besides: a certificate of ACM here, served as soon as it is issued (default: MERLON_TLS_CERTIFICATE)',
  },
  'insecure-http': { type: 'boolean', about: 'Allow plain HTTP beyond this machine; logged at each start' },
  'trusted-proxy': {
    type: 'string',
    multiple: true,
    value: 'CIDR',
    about:
      'Believe X-Forwarded-For, X-Forwarded-Proto and the PROXY protocol of these addresses; repeatable (default: MERLON_TRUSTED_PROXIES)',
  },
  'cors-origin': {
    type: 'string',
    multiple: true,
    value: 'ORIGIN',
    about: "Allow pages of ORIGIN to call the API, besides the console's; repeatable (default: MERLON_CORS_ORIGINS)",
  },
  functions: { type: 'string', value: 'process', about: 'run deployment packages of customers, in bubblewrap' },
  objects: { type: 'string', value: 'URL', about: 'keep the sealed bytes of objects in s3://bucket/prefix?endpoint=…' },
  stream: { type: 'string', multiple: true, value: 'URL', about: 'send every event there, too; see docs/streams.md' },
  witness: { type: 'string', multiple: true, value: 'URL', about: 'send every checkpoint of the log there, too' },
  resolver: {
    type: 'string',
    value: 'HOST:PORT',
    about: 'Answer DNS queries for the zones of Route 53 there, over UDP and TCP (default: MERLON_RESOLVER)',
  },
  gateway: {
    type: 'string',
    value: 'HOST',
    about:
      'Serve application load balancers at this address, on the ports of their listeners (default: MERLON_GATEWAY)',
  },
  'gateway-port': {
    type: 'string',
    multiple: true,
    value: 'PORT=PORT',
    about: 'Open another port than a listener has, such as 443=8443; repeatable',
  },
  'gateway-trust': {
    type: 'string',
    multiple: true,
    value: 'CIDR',
    about: 'Believe PROXY protocol of connections from CIDR; repeatable',
  },
  'gateway-hops': {
    type: 'string',
    value: 'NUMBER',
    about: 'Proxies within --gateway-trust that add to X-Forwarded-For: the client is so far from its end (default 0)',
  },
  mail: {
    type: 'string',
    value: 'URL',
    about:
      'send mail by smtp://HOST?from=ADDRESS, smtps://… or file:///DIRECTORY (better in MERLON_MAIL: it has a password)',
  },
  limits: {
    type: 'string',
    value: 'LIST',
    about: 'rate limits of each caller, such as account=8000,principal=4000; see the docs',
  },
  'lame-duck': {
    type: 'string',
    value: 'SECONDS',
    about:
      'after SIGTERM, still answer so long while /health says 503 (default 0; behind a load balancer, two of its checks)',
  },
  'exit-with-parent': { type: 'boolean', about: 'stop when the process that started this one ends' },
  json: { type: 'boolean', about: 'announce readiness as one JSON line' },
  log: { type: 'string', value: 'LEVEL', about: 'debug, info, warn or error (default info)' },
  'access-log': { type: 'boolean', about: 'log every answer' },
} as const

type Given = ReturnType<typeof readOptions<typeof options>>

export const start: Command = {
  name: 'start',
  about: 'Runs a server. On the first start it makes the installation and shows the root access key once.',
  options,
  async run(words) {
    const given = readOptions(options, words)
    const logger = createLogger(levelOf(given.log))
    // State that no longer agrees with the disk must not serve on. The store says why it failed.
    process.on('uncaughtException', (error) => {
      logger.log('error', 'stopped by an error', { error })
      process.exit(70)
    })
    // From the first moment: what starts it may end while it starts.
    const stopped = new Promise<void>((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve())
      if (given['exit-with-parent'] || isChildOfNpx()) {
        onParentDeath(() => {
          logger.log('warn', 'the process that started this one has ended')
          resolve()
        })
      }
    })
    const keyScript = installedFile('key-thread.js')
    const server = await startServer({
      host: given.host ?? '127.0.0.1',
      port: portOf(given.port, 4566),
      version,
      logger,
      packages: packagesOf(given.functions),
      publicUrl: originOf('--public-url', given['public-url']),
      web: webOf(given),
      corsOrigins: corsOriginsOf(given['cors-origin']),
      tls: tlsOf(given),
      allowsPlainHttp: given['insecure-http'] ?? false,
      allowsRemoteDevelopment: remoteDevelopmentOf(given),
      proxies: proxiesOf(given['trusted-proxy']),
      blobs: objectsIn(given.objects ?? process.env['MERLON_OBJECTS']),
      streams: targetsOf('--stream', given.stream, 'MERLON_STREAMS'),
      witnesses: targetsOf('--witness', given.witness, 'MERLON_WITNESSES'),
      mail: mailOf(given.mail ?? process.env['MERLON_MAIL']),
      resolver: resolverOf(given.resolver ?? process.env['MERLON_RESOLVER']),
      gateway: gatewayOf(given, given.gateway ?? process.env['MERLON_GATEWAY']),
      limits: limitsOf(given.limits ?? process.env['MERLON_LIMITS']),
      accessLog: given['access-log'] ?? false,
      lameDuckMs: lameDuckOf(given['lame-duck'] ?? process.env['MERLON_LAME_DUCK']),
      ...(keyScript && { keyScript }),
      world: given.dev ? await development(given) : durable(given, logger),
    })
    announce(server, folderOf(given), given.json ?? false)

    await stopped
    if (!(await server.close())) process.exit(0)
    return 0
  },
}

function remoteDevelopmentOf(given: Given): boolean {
  if (given['allow-remote-dev'] && !given.dev) throw new UsageError('--allow-remote-dev belongs to --dev.')
  return given['allow-remote-dev'] ?? false
}

function lameDuckOf(text = '0'): number {
  if (!/^\d{1,3}(\.\d{1,3})?$/.test(text)) throw new UsageError(`--lame-duck is a number of seconds, not '${text}'.`)
  return Number(text) * 1_000
}

function packagesOf(text: string | undefined): boolean {
  if (text !== undefined && text !== 'process')
    throw new UsageError(`--functions is 'process', or not said at all, not '${text}'.`)
  return text !== undefined
}

function objectsIn(text: string | undefined): BlobStore | undefined {
  if (text === undefined) return undefined
  if (!URL.canParse(text) || new URL(text).protocol !== 's3:')
    throw new UsageError(`--objects is s3://bucket/prefix?endpoint=https://…, not '${text}'.`)
  try {
    return bucketBlobs(bucketOf(new URL(text), process.env))
  } catch (error) {
    throw new UsageError(`--objects: ${(error as Error).message}`)
  }
}

function targetsOf(option: string, given: readonly string[] | undefined, variable: string): Target[] {
  try {
    const targets = listOf(given, variable).map((text) => readTarget(text, { version, environment: process.env }))
    const twice = targets.find(({ name }, n) => targets.findIndex((other) => other.name === name) < n)
    if (twice) throw new Error(`${twice.name} is named twice`)
    return targets
  } catch (error) {
    throw new UsageError(`${option}: ${(error as Error).message}`)
  }
}

function mailOf(text: string | undefined): MailTransport | undefined {
  if (text === undefined) return undefined
  try {
    return readMailTransport(text)
  } catch (error) {
    throw new UsageError(`--mail: ${(error as Error).message}`)
  }
}

function resolverOf(text: string | undefined): { readonly host: string; readonly port: number } | undefined {
  if (text === undefined) return undefined
  const [, host, port] = /^(\[[0-9a-f:.]+\]|[^:]+):(\d{1,5})$/i.exec(text) ?? []
  if (!host || Number(port) > 65_535) throw new UsageError(`--resolver is HOST:PORT, not '${text}'.`)
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) }
}

function limitsOf(text: string | undefined): Limits | undefined {
  if (text === undefined) return undefined
  try {
    return readLimits(text)
  } catch (error) {
    throw new UsageError(`--limits: ${(error as Error).message}.`)
  }
}

function originOf(option: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  try {
    return readOrigin(text)
  } catch (error) {
    throw new UsageError(`${option} ${(error as Error).message}.`)
  }
}

function webOf(given: Given): WebOptions | undefined {
  if (given['no-console']) {
    if (given['console-port'] !== undefined) throw new UsageError('--no-console and --console-port exclude each other.')
    return undefined
  }
  const port = given['console-port'] ?? process.env['MERLON_CONSOLE_PORT']
  return {
    port: port === undefined ? undefined : portOf(port, 0, '--console-port'),
    url: originOf('--console-url', given['console-url'] ?? process.env['MERLON_CONSOLE_URL']),
    files: installedFile('console/'),
  }
}

function tlsOf(given: Given): TlsChoice | undefined {
  const cert = given['tls-cert'] ?? process.env['MERLON_TLS_CERT']
  const key = given['tls-key'] ?? process.env['MERLON_TLS_KEY']
  const kind = given.tls ?? process.env['MERLON_TLS']
  const certificate = given['tls-certificate'] ?? process.env['MERLON_TLS_CERTIFICATE']
  if (certificate !== undefined && !/^arn:[\w-]+:acm:[\w-]+:\d{12}:certificate\/[\w-]+$/.test(certificate))
    throw new UsageError(`--tls-certificate is the ARN of a certificate, not '${certificate}'.`)
  if (cert !== undefined || key !== undefined) {
    if (cert === undefined || key === undefined) throw new UsageError('--tls-cert and --tls-key belong together.')
    if (given.tls !== undefined) throw new UsageError('--tls auto and --tls-cert exclude each other.')
    return { kind: 'files', cert, key, certificate }
  }
  if (kind === undefined) {
    if (certificate !== undefined)
      throw new UsageError('--tls-certificate needs --tls auto, or --tls-cert, until it is issued.')
    return undefined
  }
  if (kind !== 'auto') throw new UsageError(`--tls is 'auto', not '${kind}'.`)
  return {
    kind: 'own',
    directory: authorityDirectoryOf(given),
    names: listOf(given['tls-name'], 'MERLON_TLS_NAMES'),
    certificate,
  }
}

function proxiesOf(given: readonly string[] | undefined): TrustedProxies | undefined {
  const blocks = listOf(given, 'MERLON_TRUSTED_PROXIES')
  if (blocks.length === 0) return undefined
  try {
    return new TrustedProxies(blocks)
  } catch (error) {
    throw new UsageError(`--trusted-proxy: ${(error as Error).message}.`)
  }
}

const corsOriginsOf = (given: readonly string[] | undefined): readonly string[] =>
  listOf(given, 'MERLON_CORS_ORIGINS').map((text) => originOf('--cors-origin', text)!)

/** By a repeated option, or by a variable with blanks in between. */
const listOf = (given: readonly string[] | undefined, variable: string): readonly string[] =>
  given ?? (process.env[variable] ?? '').split(/\s+/).filter(Boolean)

function announce(
  { url, pages, made, sealed }: Awaited<ReturnType<typeof startServer>>,
  data: string,
  json: boolean,
): void {
  if (json) {
    process.stdout.write(
      `${JSON.stringify({ url, ...pages, accounts: made.map(keyAsJson), ...(sealed && { sealed }) })}\n`,
    )
    return
  }
  for (const each of made) process.stdout.write(shownKey(each))
  process.stdout.write(
    sealed
      ? `Merlon listens on ${url} and is sealed. Unseal it:\n\n  merlon unseal --data ${data}\n\n`
      : `Merlon listens on ${url}. Point a client at it:\n\n  export AWS_ENDPOINT_URL=${url} AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1\n\n`,
  )
  if (pages) process.stdout.write(`Console: ${pages.console}\nSign in: ${pages.signIn}\n\n`)
  // What container tools wait for.
  if (!sealed) process.stdout.write('Ready.\n')
}

function durable(given: Given, logger: Logger): DurableOptions {
  if (given.seed !== undefined)
    throw new UsageError('--seed belongs to --dev: an installation on disk is filled through its API.')
  const writerScript = installedFile('writer-thread.js')
  return {
    kind: 'durable',
    data: folderOf(given),
    // Beside the bundle; run from source, the server's own thread writes.
    storage: storageAt(given, {
      ...(writerScript && { writerScript }),
      acceptRollback: given['accept-rollback'] ?? false,
      onEnd: (error) => {
        logger.log('error', 'stopped: the store has left this node', { error })
        process.exit(70)
      },
    }),
    accountId: given.account ?? process.env['MERLON_ACCOUNT_ID'],
    acceptRollback: given['accept-rollback'] ?? false,
  }
}

async function development(given: Given): Promise<DevelopmentOptions> {
  if (given.data !== undefined || given.store !== undefined)
    throw new UsageError('--dev keeps everything in memory: it takes no --data and no --store.')
  return {
    kind: 'development',
    accountId: given.account ?? process.env['MERLON_ACCOUNT_ID'],
    rootKey: rootKeyFromEnvironment(),
    seed: given.seed === undefined ? undefined : await readSeed(textOf(given.seed), given.seed),
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    // Of a directory the system names no path.
    throw Object.assign(error as NodeJS.ErrnoException, { path: file })
  }
}

function rootKeyFromEnvironment(): RootKey | undefined {
  const accessKeyId = process.env['MERLON_ROOT_ACCESS_KEY_ID']
  const secretAccessKey = process.env['MERLON_ROOT_SECRET_ACCESS_KEY']
  if (!accessKeyId && !secretAccessKey) return undefined
  if (!accessKeyId || !secretAccessKey) {
    throw new UsageError('MERLON_ROOT_ACCESS_KEY_ID and MERLON_ROOT_SECRET_ACCESS_KEY belong together.')
  }
  if (!/^\w{16,128}$/.test(accessKeyId) || accessKeyId.startsWith('ASIA')) {
    throw new UsageError('MERLON_ROOT_ACCESS_KEY_ID has 16 to 128 letters and digits, and does not begin with ASIA.')
  }
  return { accessKeyId, secretAccessKey }
}

function levelOf(text: string | undefined): Level {
  if (text === undefined) return 'info'
  if (!isLevel(text)) throw new UsageError(`--log is debug, info, warn or error, not '${text}'.`)
  return text
}
