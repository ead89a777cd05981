/**
 * Passwords that a directory checks, for each page at which its people sign in: one failure budget for a name, and one text
 * for each answer that a person can do something about.
 *
 * @example
 * const answer = await signInAtDirectory(call, directory, userName, password)
 * if (answer.outcome === 'waits') return again(retryText(answer.retryAfterMs))
 */
import { createHash } from 'node:crypto'
import { type DirectoryLoginAnswer, directoryLogin, type LoginDirectory } from '../ports/directory-login.ts'
import type { Use } from '../ports/port.ts'
import type { CheckSecret, FailurePolicy } from '../state/failure-budget.ts'

/** Before the directory's own lock-out, which it counts itself. */
const GUESSING: FailurePolicy = { free: 4, delayMs: 60_000, maxMs: 60 * 60_000 }
const BUCKETS = 65_536
/** Names and passwords are cut to it. */
export const DIRECTORY_INPUT_MAX = 256

export const DIRECTORY_FAILURES: Readonly<Record<Exclude<DirectoryLoginAnswer['outcome'], 'accepted'>, string>> = {
  refused: 'The user name or the password is incorrect.',
  'not-permitted': 'The directory does not permit this sign-in now, or from here. Contact your administrator.',
  'must-change-password': 'Your password must be changed before you can sign in. Change it in your directory.',
  'password-expired': 'Your password has expired. Change it in your directory, then sign in here.',
  disabled: 'Your account is disabled. Contact your administrator.',
  'account-expired': 'Your account has expired. Contact your administrator.',
  locked: 'Your account is locked after too many failed attempts. Wait, or contact your administrator.',
  unavailable: 'The directory cannot be reached. Try again in a few minutes.',
}

/** `waits`: not compared, since the name still waits after earlier failures. */
export type DirectorySignIn = DirectoryLoginAnswer | { readonly outcome: 'waits'; readonly retryAfterMs: number }

/** An empty name or password is refused here: directories take such a bind as anonymous, and answer that it succeeded. */
export async function signInAtDirectory(
  { checkSecret, use }: { readonly checkSecret: CheckSecret; readonly use: Use },
  directory: LoginDirectory,
  userName: string,
  password: string,
): Promise<DirectorySignIn> {
  if (userName === '' || password === '') return { outcome: 'refused' }
  // Called once, though the comparison may be retried: directories count wrong passwords themselves.
  let pending: Promise<DirectoryLoginAnswer> | undefined
  const checked = await checkSecret(secretOf(directory, userName), async () => {
    pending ??= use(directoryLogin).login(directory.directoryId, userName, password)
    const answer = await pending
    return answer.outcome === 'refused' ? undefined : answer
  })
  if (checked.outcome === 'refused') return { outcome: 'waits', retryAfterMs: checked.retryAfterMs }
  return checked.outcome === 'wrong' ? { outcome: 'refused' } : checked.value
}

function secretOf({ directoryId, accountId }: LoginDirectory, userName: string) {
  const hash = createHash('sha256')
    .update(JSON.stringify([directoryId, userName.toLowerCase()]))
    .digest()
  return {
    account: accountId,
    kind: 'password',
    id: `directory-${hash.readUInt32BE() % BUCKETS}`,
    arn: directoryId,
    type: 'AWS::DirectoryService::MicrosoftAD',
    policy: GUESSING,
  } as const
}
