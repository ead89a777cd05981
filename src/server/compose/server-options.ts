/** What a server is started with, and what a running one offers. */
import type { RootKey } from '../../kernel/ports/bootstrap.ts'
import type { MailTransport } from '../../planes/mailer/mailer.ts'
import type { BlobStore } from '../../planes/objects/blobs.ts'
import type { Target } from '../../planes/streams/target.ts'
import type { WebListenerOptions } from '../listen/front.ts'
import type { TrustedProxies } from '../listen/trusted-proxies.ts'
import type { ServerPlaneOptions } from '../plane/server-plane.ts'
import type { Administrator } from '../seed/apply-seed.ts'
import type { Seed } from '../seed/seed-format.ts'
import type { Limits } from './limits.ts'
import type { Logger } from './log.ts'
import type { Storage } from './storage.ts'

export interface ServerOptions {
  readonly host: string
  readonly port: number
  readonly version: string
  readonly logger: Logger
  /** Logs every answer, not only failures of ours. */
  readonly accessLog?: boolean
  readonly publicUrl?: string | undefined
  /** The console and sign-in pages; undefined: none are served. */
  readonly web?: WebOptions | undefined
  /** Origins besides the console's whose pages may call the API. */
  readonly corsOrigins?: readonly string[]
  /** Undefined: plain HTTP, which beyond this machine needs `allowsPlainHttp`. */
  readonly tls?: TlsChoice | undefined
  readonly allowsPlainHttp?: boolean
  /** Lets a development server listen on other addresses than loopback: in a container, no client reaches loopback. */
  readonly allowsRemoteDevelopment?: boolean
  readonly proxies?: TrustedProxies | undefined
  readonly packages?: boolean | undefined
  readonly streams?: readonly Target[]
  readonly witnesses?: readonly Target[]
  /** Sends mail of the services. Default: none, so that messages wait; with `--dev` they are kept in memory. */
  readonly mail?: MailTransport | undefined
  /** Answers DNS queries for the zones of Route 53. Default: no resolver runs in this process. */
  readonly resolver?: { readonly host: string; readonly port: number } | undefined
  /** Serves application load balancers. Default: no gateway runs in this process. */
  readonly gateway?: Pick<ServerPlaneOptions, 'host' | 'gateway'> | undefined
  /** Where the bytes of objects are stored instead of the data directory. */
  readonly blobs?: BlobStore | undefined
  /** Default: those of `throttle.ts` and `admission.ts`. */
  readonly limits?: Limits | undefined
  /**
   * How long the server still answers after it received a stop signal, while /health already sends load balancers
   * elsewhere, in milliseconds.
   */
  readonly lameDuckMs?: number
  /** The bundled thread for slow key operations; without it they run on the server's own. */
  readonly keyScript?: URL
  readonly world: DurableOptions | DevelopmentOptions
}

export interface WebOptions extends WebListenerOptions {
  /** How browsers reach the pages, where a proxy is in between. */
  readonly url?: string | undefined
  /** The console's built files; ends with `/`. */
  readonly files?: URL | undefined
}

interface IssuedHere {
  /** A certificate of this installation's ACM, used instead as soon as it is issued: its ARN. */
  readonly certificate?: string | undefined
}

type InitialTls =
  /** PEM files, read again when they change. */
  | { readonly kind: 'files'; readonly cert: string; readonly key: string }
  /** An authority of its own in a directory, for further names than those of its addresses. */
  | { readonly kind: 'own'; readonly directory: string; readonly names: readonly string[] }

export type TlsChoice = InitialTls & IssuedHere

/** A folder on disk. */
export interface DurableOptions {
  readonly kind: 'durable'
  readonly data: string
  readonly storage: Storage
  readonly accountId?: string | undefined
  /** Serve data that is older than what was there before. */
  readonly acceptRollback?: boolean
}

/** In memory, gone with the process. */
export interface DevelopmentOptions {
  readonly kind: 'development'
  readonly accountId?: string | undefined
  readonly rootKey?: RootKey | undefined
  readonly seed?: Seed | undefined
}

export interface RunningServer {
  readonly url: string
  /** Where the console and the sign-in pages are; undefined while they are not served. */
  readonly pages: { readonly console: string; readonly signIn: string } | undefined
  /** Accounts that were made by this start, with their root keys: shown this once. */
  readonly made: readonly {
    readonly accountId: string
    readonly rootKey: RootKey
    /** Of `--dev` without a seed. */
    readonly administrator?: Administrator
  }[]
  /** Waits for its people: every call is refused until `merlon unseal`. */
  readonly sealed: boolean
  /** False when the store did not answer, so that something is still waiting for it: the process must be ended. */
  close(): Promise<boolean>
}
