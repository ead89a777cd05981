/**
 * The file of a user import: its header, its lines, and the user that a line describes.
 * Source: https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-using-import-tool.html
 */
import type { PoolRow } from './resources.ts'
import { type Attributes, checkAttributes, checkRequired } from './schema.ts'
import { checkUserName } from './sign-up.ts'
import { newUser, type UserRow } from './user-rows.ts'

const NAME_COLUMN = 'cognito:username'
const MFA_COLUMN = 'cognito:mfa_enabled'

/** Source: the page above, "Formatting the CSV file". */
export const LINE_LENGTH_MAX = 16_000

/** The columns of the pool's file, in AWS's order. */
export const headerOf = ({ schema }: Pick<PoolRow, 'schema'>): string[] => [
  ...schema.map(({ Name = '' }) => Name).filter((name) => name !== 'sub' && name !== 'identities'),
  MFA_COLUMN,
  NAME_COLUMN,
]

/**
 * The values of a line. A value with commas is in quotation marks (RFC 4180 section 2, within a line), or has a backslash before each
 * comma. undefined for a line that is not well-formed.
 */
export function splitLine(line: string): readonly string[] | undefined {
  const values: string[] = []
  let at = 0
  for (;;) {
    if (line[at] === '"') {
      const found = /^"((?:[^"]|"")*)"(?=,|$)/.exec(line.slice(at))
      if (!found) return undefined
      values.push(found[1]!.replaceAll('""', '"'))
      at += found[0].length
    } else {
      const [text] = /^(?:\\.|[^,\\]|\\$)*/.exec(line.slice(at))!
      values.push(text.replaceAll('\\,', ','))
      at += text.length
    }
    if (at >= line.length) return values
    at++
  }
}

/** Where each column is, by its name; undefined for a header that is not the pool's. */
export function readHeader(pool: PoolRow, line: string): readonly string[] | undefined {
  const columns = splitLine(line.replace(/^\uFEFF/, ''))?.map((name) => name.trim())
  const wanted = headerOf(pool)
  const isSame = columns?.length === wanted.length && wanted.every((name) => columns.includes(name))
  return isSame ? columns : undefined
}

/** The user that a line describes, in the state RESET_REQUIRED: people set a password at their first sign-in. Throws a reason. */
export function readUser(
  pool: PoolRow,
  columns: readonly string[],
  line: string,
  { sub, now }: { readonly sub: string; readonly now: number },
): { readonly user: UserRow; readonly login: string } {
  if (line.length > LINE_LENGTH_MAX) throw new Error(`The line is longer than ${LINE_LENGTH_MAX} characters.`)
  const values = splitLine(line)
  if (values?.length !== columns.length) throw new Error('The number of values is not that of the columns.')
  const given: Record<string, string> = {}
  for (const [index, column] of columns.entries()) {
    const value = values[index]!.trim()
    if (value !== '') given[column] = value
  }
  const { [NAME_COLUMN]: login, [MFA_COLUMN]: mfa = 'false', ...attributes } = given
  if (login === undefined) throw new Error(`${NAME_COLUMN} is missing.`)
  if (login.length > 128) throw new Error(`${NAME_COLUMN} is longer than 128 characters.`)
  if (mfa !== 'true' && mfa !== 'false') throw new Error(`${MFA_COLUMN} is neither true nor false.`)
  const named = checkUserName(pool, login, attributes as Attributes)
  checkAttributes(pool, named.attributes, { before: undefined, isAdmin: true })
  checkRequired(pool, named.attributes)
  const verified = ['email', 'phone_number'].filter(
    (name) => named.attributes[`${name}_verified`] === 'true' && named.attributes[name] !== undefined,
  )
  // Without one, the person could never set a password.
  if (verified.length === 0)
    throw new Error(
      'The user record has no verified attribute: email_verified or phone_number_verified must be true, with its value.',
    )
  const hasPhone = named.attributes['phone_number'] !== undefined
  if (mfa === 'true' && !hasPhone) throw new Error(`${MFA_COLUMN} is true without a phone_number.`)
  const user: UserRow = {
    ...newUser(sub, named.username ?? sub, now),
    attributes: named.attributes,
    status: 'RESET_REQUIRED',
    factors: mfa === 'true' ? { sms: { isEnabled: true, isPreferred: true } } : {},
  }
  return { user, login: named.login }
}
