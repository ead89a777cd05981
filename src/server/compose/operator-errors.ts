/**
 * Errors that an operator can fix: one table of codes. docs/errors.md has a section for each code: what happened, why, and
 * what to do. A code has one meaning and never changes; the text may.
 */
import { ApiError, UnreachableError } from '../../kernel/client/client.ts'
import { LockedError } from '../../store/lock.ts'
import { type TrustCode, TrustError, VaultError } from '../../vault/vault.ts'

/** Code to what happened. The codes of `TrustError` are part of the table. */
export const operatorErrors = {
  MERLON_SEALED: 'The server is sealed.',
  MERLON_SHARE_INVALID: 'A key share was rejected.',
  MERLON_SHARE_DUPLICATE: 'A key share was entered twice.',
  MERLON_SHARES_COUNT: 'The number of key shares or the threshold is out of range.',
  MERLON_UNSEAL_ENDED: 'The unseal attempt has ended.',
  MERLON_SEALER_UNAVAILABLE: 'A sealer could not unlock the root key.',
  MERLON_SEALER_NEEDED: 'The sealer was not removed.',
  MERLON_PASSPHRASE_WEAK: 'The passphrase is too short.',
  MERLON_KEY_FILE_UNSAFE: 'Other users can use the key file.',
  MERLON_KEY_FILE_INVALID: 'The file is not a key file.',
  MERLON_KEYRING_DAMAGED: 'The keyring failed its integrity check.',
  MERLON_KEYRING_MISSING: 'The keyring is missing.',
  MERLON_KEYRING_MISMATCH: 'The keyring does not belong to the database.',
  MERLON_ROLLBACK_DETECTED: 'The data is older than the last recorded state.',
  MERLON_BACKUP_TAMPERED: 'A backup failed authentication.',
  MERLON_ACCOUNT_ERASED: "The account's key was erased.",
  MERLON_UNSAFE_PROCESS: 'The memory of the process could be read from outside.',
  MERLON_DATA_NOT_A_DIRECTORY: 'The data directory is not a directory.',
  MERLON_DATA_NOT_WRITABLE: 'The data directory cannot be written.',
  MERLON_DATA_MISMATCH: 'The data directory belongs to other data.',
  MERLON_DATA_NOT_EMPTY: 'The destination holds data already.',
  MERLON_DATA_IN_USE: 'Another process uses the data directory.',
  MERLON_ALREADY_INITIALIZED: 'There is an installation already.',
  MERLON_NOT_INITIALIZED: 'There is no installation.',
  MERLON_NOT_RUNNING: 'No server runs on the data directory.',
  MERLON_DISK_FULL: 'The disk is full.',
  MERLON_DATABASE_MISSING: 'The database is missing.',
  MERLON_DATABASE_DAMAGED: 'The database is damaged.',
  MERLON_DATABASE_NEWER: 'The data was written by a newer build.',
  MERLON_STORE_URL_INVALID: 'The address of the database is not a PostgreSQL URL.',
  MERLON_STORE_UNREACHABLE: 'PostgreSQL cannot be reached.',
  MERLON_STORE_LOGIN_FAILED: 'PostgreSQL refused the role or its password.',
  MERLON_STORE_NO_DATABASE: 'The PostgreSQL database does not exist.',
  MERLON_STORE_FORBIDDEN: 'The PostgreSQL role lacks a privilege.',
  MERLON_STORE_TLS: 'The encrypted connection to PostgreSQL failed.',
  MERLON_STORE_FAILED: 'PostgreSQL refused a statement.',
  MERLON_NODE_NAME_INVALID: 'The node name is invalid.',
  MERLON_NODE_NAME_IN_USE: 'The node name belongs to another data directory.',
  MERLON_ADDRESS_IN_USE: 'The port is in use.',
  MERLON_ADDRESS_NOT_ALLOWED: 'The server must not listen on this address.',
  MERLON_TLS_REQUIRED: 'The server does not send plain HTTP beyond this machine.',
  MERLON_TLS_INVALID: 'The TLS certificate or its key cannot be used.',
  MERLON_ADDRESS_UNAVAILABLE: 'The server cannot listen on this address.',
  MERLON_ENDPOINT_UNREACHABLE: 'The endpoint cannot be reached.',
  MERLON_SEED_INVALID: 'The seed file is invalid.',
  MERLON_ACCOUNT_ID_INVALID: 'The account ID is invalid.',
  MERLON_ROOT_SIGN_IN_REFUSED: 'The e-mail address or the password of the root user was refused.',
  MERLON_PORTAL_PASSWORD_REFUSED: 'The password of a user of IAM Identity Center was refused.',
  MERLON_IDENTITY_CENTER_REFUSED: 'A setting of IAM Identity Center was refused.',
  MERLON_COPY_FAILED: 'The copy differs from the original.',
  MERLON_FILE_EXISTS: 'A file exists already, and is never overwritten.',
  MERLON_FILE_MISSING: 'A file does not exist.',
  MERLON_PLANE_NOT_ENROLLED: 'A data plane has no identity, or its enrollment was refused.',
  MERLON_FILE_NOT_USABLE: 'A file cannot be read or written.',
  MERLON_INTERNAL: 'Merlon failed for a reason that it does not know.',
} as const satisfies Record<TrustCode, string> & Record<string, string>

export type OperatorCode = keyof typeof operatorErrors

/** Something the operator can fix; its message begins with the code, and says how. */
export class InstallationError extends Error {
  override readonly name = 'InstallationError'
  readonly code: OperatorCode | undefined

  /** Without a code only where a server reported none. */
  constructor(message: string, code: OperatorCode | undefined, options?: ErrorOptions) {
    // One that a server reported has its code in front already.
    super(code === undefined || message.startsWith(code) ? message : `${code}: ${message}`, options)
    this.code = code
  }
}

/** The place in the documentation that explains a code. */
export const explanationOf = (code: OperatorCode): string => `docs/errors.md#${code.toLowerCase()}`

/** What an error is called in the table; undefined when it needs no explanation, or has none. */
export function codeOf(error: unknown): OperatorCode | undefined {
  if (error instanceof InstallationError || error instanceof TrustError) return error.code
  return undefined
}

/** Where an error came from: its message names it. */
export interface ErrorContext {
  readonly data?: string
  /** Host and database of a PostgreSQL, without the password. */
  readonly store?: string
}

/**
 * The same error for an operator. Errors of the system, of SQLite, of PostgreSQL and of the network become an
 * `InstallationError` with a code; undefined for an error that is none of these: a defect.
 */
export function asOperatorError(error: unknown, context: ErrorContext = {}): Error | undefined {
  if (!(error instanceof Error)) return undefined
  if (error instanceof InstallationError || error instanceof VaultError || error instanceof ApiError) return error
  if (error instanceof LockedError) return new InstallationError(error.message, 'MERLON_DATA_IN_USE', { cause: error })
  const found =
    ofSqlite(error, context) ??
    ofPostgres(error, context) ??
    ofSystem(error, context) ??
    ofNetwork(error) ??
    ofNewerBuild(error)
  if (found) return new InstallationError(found.message, found.code, { cause: error })
  // What wraps an error of one of these kinds: the store that could not write, the thread that has ended.
  return error.cause instanceof Error ? asOperatorError(error.cause, context) : undefined
}

interface Explained {
  readonly code: OperatorCode
  readonly message: string
}

const explained = (code: OperatorCode, message: string): Explained => ({ code, message })

const DAMAGED = /file is not a database|database disk image is malformed|malformed database schema|file is encrypted/
const FULL = /database or disk is full|ENOSPC|no space left|could not extend file|could not write to file/i
const READ_ONLY = /attempt to write a readonly database|unable to open database file/

function ofSqlite({ message }: Error, { data, store }: ErrorContext): Explained | undefined {
  if (store !== undefined) return undefined
  const database = data === undefined ? 'The database' : `The database in ${data}`
  if (DAMAGED.test(message))
    return explained('MERLON_DATABASE_DAMAGED', `${database} is damaged (${message}). Restore a backup: merlon restore`)
  if (FULL.test(message)) return diskFull(data)
  if (READ_ONLY.test(message)) return notWritable(data ?? 'the data directory', message)
  return undefined
}

const diskFull = (at: string | undefined): Explained =>
  explained('MERLON_DISK_FULL', `The disk${at === undefined ? '' : ` of ${at}`} is full. Free some space.`)

const notWritable = (data: string, why: string): Explained =>
  explained(
    'MERLON_DATA_NOT_WRITABLE',
    `${data} cannot be written (${why}). Make it writable for the user that runs Merlon, or choose another --data.`,
  )

/** By SQLSTATE, and by what the client says where the server said nothing. */
function ofPostgres(error: Error, { store }: ErrorContext): Explained | undefined {
  const { code, severity } = error as { code?: unknown; severity?: unknown }
  const state = typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && severity !== undefined ? code : undefined
  const database = store ?? 'PostgreSQL'
  const { message } = error
  if (error.name === 'FormerPrimaryError')
    return explained(
      'MERLON_ROLLBACK_DETECTED',
      `${database}: ${message}. This node has used the server that was promoted in its place: start that one. If going back is intended: --accept-rollback`,
    )
  if (state === undefined && store === undefined) return undefined
  if (/^28/.test(state ?? '') || /SASL|client password must be a string/.test(message))
    return explained(
      'MERLON_STORE_LOGIN_FAILED',
      `${database} refused the login (${message}). Check the role in MERLON_STORE and the password in MERLON_STORE_PASSWORD_FILE.`,
    )
  switch (state) {
    case '3D000':
      return explained('MERLON_STORE_NO_DATABASE', `${database}: ${message}. Create it, or correct MERLON_STORE.`)
    case '42501':
      return explained(
        'MERLON_STORE_FORBIDDEN',
        `${database}: ${message}. Merlon's role needs CREATE on the database, and must own the schema merlon.`,
      )
    case '53100':
      return explained('MERLON_DISK_FULL', `The disk of ${database} is full. Free some space.`)
    default:
  }
  if (/does not support SSL|certificate|TLS|SSL|altname/i.test(message))
    return explained(
      'MERLON_STORE_TLS',
      `The encrypted connection to ${database} failed (${message}). Name its authority in the URL: sslrootcert=FILE. Only on a trusted network: sslmode=disable.`,
    )
  if (state !== undefined && !/^(08|57P|53300|25006)/.test(state))
    return explained('MERLON_STORE_FAILED', `${database} refused a statement: ${message} (SQLSTATE ${state}).`)
  if (state !== undefined || UNREACHABLE.test(`${String(code)} ${message}`))
    return explained(
      'MERLON_STORE_UNREACHABLE',
      `${database} cannot be reached (${reasonOf(error)}). Check that it runs and that MERLON_STORE names its host and port.`,
    )
  return undefined
}

const UNREACHABLE =
  /ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EPIPE|timeout|terminated|Connection ended|ENOENT.*\.s\.PGSQL/i

/** `connect ECONNREFUSED ::1:5432` has no message of its own where several addresses were tried. */
function reasonOf(error: Error): string {
  if (error instanceof AggregateError) return error.errors.map((each: Error) => each.message).join('; ')
  return error.message || String((error as NodeJS.ErrnoException).code)
}

function ofSystem(error: Error, { data }: ErrorContext): Explained | undefined {
  const { code, path, syscall, port, address } = error as NodeJS.ErrnoException & { port?: number; address?: string }
  if (syscall === undefined || typeof code !== 'string') return undefined
  if (syscall === 'listen' || syscall === 'bind' || (syscall === 'getaddrinfo' && data !== undefined)) {
    const place = [address, port].filter((each) => each !== undefined).join(':')
    if (code === 'EADDRINUSE')
      return explained(
        'MERLON_ADDRESS_IN_USE',
        `${place} is in use: another program listens there. Stop it, or choose another --port.`,
      )
    return explained(
      'MERLON_ADDRESS_UNAVAILABLE',
      `The server cannot listen on ${place || 'this address'} (${error.message}). Choose an address of this machine (--host) and a port that the user may use (--port).`,
    )
  }
  const at = path ?? data
  if (code === 'ENOSPC' || code === 'EDQUOT') return diskFull(at)
  if (data !== undefined && (at === data || at?.startsWith(`${data}/`))) {
    if (code === 'ENOTDIR' || code === 'EEXIST')
      return explained(
        'MERLON_DATA_NOT_A_DIRECTORY',
        `${data} is not a directory. Name a directory, or one that does not exist yet: --data DIR`,
      )
    if (['EACCES', 'EPERM', 'EROFS'].includes(code)) return notWritable(data, error.message)
  }
  if (code === 'ENOENT' && path !== undefined)
    return explained('MERLON_FILE_MISSING', `${path} does not exist. Check the path, or put the file back.`)
  if (FILE_CALLS.has(syscall))
    return explained(
      'MERLON_FILE_NOT_USABLE',
      `${path ?? 'A file'} cannot be used (${error.message}). Check its type and its mode.`,
    )
  return undefined
}

const FILE_CALLS = new Set([
  ...['access', 'chmod', 'copyfile', 'link', 'lstat', 'mkdir', 'mkdtemp', 'open', 'opendir', 'read', 'readlink'],
  ...['rename', 'rm', 'rmdir', 'scandir', 'stat', 'symlink', 'unlink', 'write', 'fsync'],
])

function ofNetwork(error: Error): Explained | undefined {
  return error instanceof UnreachableError
    ? explained(
        'MERLON_ENDPOINT_UNREACHABLE',
        `${error.message}. Check that the server runs, and the address: --endpoint, the profile's endpoint_url, or AWS_ENDPOINT_URL.`,
      )
    : undefined
}

function ofNewerBuild({ message }: Error): Explained | undefined {
  return message.startsWith('The data was written by a newer Merlon')
    ? explained('MERLON_DATABASE_NEWER', message)
    : undefined
}
