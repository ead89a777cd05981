/** One line in the log for a client that is set up in a way that cannot work, with what to do; each kind once a minute at most. */
import type { SetupMistake } from '../../kernel/gate/setup-mistakes.ts'
import type { Logger } from '../compose/log.ts'

const MINUTE_MS = 60_000

type Kind = SetupMistake['kind']

export class SetupLog {
  readonly #logger: Logger
  readonly #loggedAt = new Map<Kind, number>()

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** `at`: milliseconds of a clock that does not go back. */
  note(mistake: SetupMistake, at = performance.now()): void {
    if (at - (this.#loggedAt.get(mistake.kind) ?? Number.NEGATIVE_INFINITY) < MINUTE_MS) return
    this.#loggedAt.set(mistake.kind, at)
    this.#logger.log('warn', textOf(mistake), { mistake: mistake.kind, help: 'docs/coming-from-localstack.md' })
  }
}

function textOf(mistake: SetupMistake): string {
  switch (mistake.kind) {
    case 'placeholder-key':
      return `a client signs with the access key '${mistake.accessKeyId}', which no user here has: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to the key that merlon start printed, or give a user keys in a seed`
    case 'unsigned':
      return 'a client does not sign its requests: give it credentials, and remove --no-sign-request and anonymous credentials'
    case 'clock': {
      const { aheadSeconds } = mistake
      const off = aheadSeconds === 0 ? 'differs from' : `is ${shown(aheadSeconds)} of`
      return `the clock of a client ${off} this server's: set it by NTP; with --dev, a moved clock is reset by POST /_merlon/reset`
    }
    case 'region':
      return 'a client signs for a Region that does not exist: set AWS_REGION and AWS_DEFAULT_REGION, to us-east-1 for one'
    case 'host':
      return 'a client uses a host name of LocalStack: set AWS_ENDPOINT_URL to the address of this server, and path-style addressing for S3'
  }
}

const shown = (aheadSeconds: number): string =>
  `${Math.abs(aheadSeconds)} seconds ${aheadSeconds > 0 ? 'ahead' : 'behind'}`
