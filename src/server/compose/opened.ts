/** The clouds that a server serves, one after another: of a data directory, once it is unsealed, or of a development server. */
import type { Store } from '../../store/store.ts'
import type { HttpRequest, HttpResponse } from '../../wire/http.ts'
import type { Health } from '../listen/health.ts'
import type { Cloud, CloudOptions } from './cloud.ts'
import type { Logger } from './log.ts'
import type { RunningServer } from './server-options.ts'

export interface Opened {
  /** Answers by the cloud, or otherwise while there is none. */
  during<T>(work: (cloud: Cloud) => Promise<T>, otherwise: () => Promise<T>): Promise<T>
  /**
   * Begins to work, once the process listens: from here on it acts in the node's name. Returns the accounts that this
   * start made.
   */
  begin(health: () => Promise<Health>): Promise<RunningServer['made']>
  sealed(): boolean
  /** undefined while sealed. */
  store(): Store | undefined
  fenced(): boolean
  /** For the Date header, where it is not the system's: SDKs correct their clocks by it. */
  readonly date?: () => string
  readonly development?: (request: HttpRequest) => Promise<HttpResponse>
  close(): Promise<void>
}

/** What every cloud of a server is opened with. */
export type Common = Pick<
  CloudOptions,
  | 'keyScript'
  | 'publicUrl'
  | 'webUrl'
  | 'webAddress'
  | 'packages'
  | 'streams'
  | 'witnesses'
  | 'blobs'
  | 'provides'
  | 'throttle'
  | 'observe'
  | 'onDecisionError'
  | 'onServiceFailure'
  | 'services'
  | 'later'
  | 'onOpened'
>

/** Adds the planes that run in the server's process. */
export type WithPlane = (cloud: Cloud) => Cloud

export const troubles = (logger: Logger): Pick<CloudOptions, 'onJobError' | 'onEvidenceError' | 'onStream'> => ({
  onJobError: (job, error) => logger.log('error', 'job failed', { job, error }),
  onEvidenceError: (error) => logger.log('error', 'evidence', { error }),
  onStream: (level, message, facts) => logger.log(level, message, facts),
})
