/** Sign-ins from a directory end when the directory disables the person: checked by a job, so that credentials end, too. */
import { scheduleJob } from '../../kernel/jobs/jobs.ts'
import { directoryLogin } from '../../kernel/ports/directory-login.ts'
import type { ServiceJob } from '../../kernel/service/service.ts'
import { endSignIns, isSignInValid, type SignIn } from '../../kernel/state/sign-in-sessions.ts'
import type { Unit } from '../../store/store.ts'
import type { Claims } from './claims.ts'

export const WATCH = 'signin.watch-directory-person'
/** The port's answer may be a minute old; with two calls a minute it is seldom older. */
const INTERVAL_MS = 30_000

interface Watched {
  readonly signIn: SignIn
  readonly directory: { readonly id: string; readonly subject: string }
  /** Epoch milliseconds. */
  readonly until: number
}

function schedule(unit: Unit, payload: Watched, dueAt: number): void {
  scheduleJob(unit, { id: `${WATCH}/${payload.signIn.id}`, kind: WATCH, dueAt, payload })
}

export function watchDirectoryPerson(unit: Unit, { signIn, principal, directory }: Claims, now: number): void {
  if (directory) schedule(unit, { signIn, directory, until: principal.session.expiresAt }, now + INTERVAL_MS)
}

export const watchJob: ServiceJob<Watched, boolean> = {
  effect: ({ use }, { directory }) => use(directoryLogin).isActive(directory.id, directory.subject),
  run: async (unit, { now }, watched, isActive) => {
    const { signIn, until } = watched
    if (now >= until || !(await isSignInValid(unit, signIn))) return
    if (isActive) schedule(unit, watched, now + INTERVAL_MS)
    else await endSignIns(unit, signIn.person)
  },
}
