/** Whom a policy document opens to: everyone, other accounts, or, of an identity's policy, everything it may do. */
import type { Policy, Statement } from './document.ts'
import { PolicyError } from './error.ts'
import { readPolicy } from './parse.ts'
import { publicStatements } from './public.ts'

export interface Exposure {
  /** Anyone at all, by S3's rule for public policies. */
  readonly anonymous: boolean
  /** The principals of any AWS account. In a policy, `*` means both. */
  readonly anyAccount: boolean
  /** Accounts other than the owner's that statements allow by name, sorted. */
  readonly accounts: readonly string[]
  /** Allows every action on every resource, without a condition. */
  readonly administrator: boolean
}

const ACCOUNT = /^(?:arn:aws[a-z-]*:(?:iam|sts)::)?(\d{12})(?::|$)/

/**
 * Undefined for a text that is no policy. Conservative like `publicStatements`: a Deny that takes something back is not read.
 *
 * @example
 * exposureOf('{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"}}', '111122223333')
 * // { anonymous: true, anyAccount: true, accounts: [], administrator: false }
 */
export function exposureOf(document: string, account: string): Exposure | undefined {
  const hasPrincipal = document.includes('Principal"')
  const kind = hasPrincipal ? (document.includes('Resource"') ? 'resource' : 'trust') : 'identity'
  let policy: Policy
  try {
    policy = readPolicy(document, kind)
  } catch (error) {
    if (error instanceof PolicyError) return undefined
    throw error
  }
  const isPublic = hasPrincipal && publicStatements(policy).length > 0
  const others = policy.statements.filter(({ effect }) => effect === 'Allow').flatMap(accountsOf)
  return {
    anonymous: isPublic,
    anyAccount: isPublic,
    accounts: [...new Set(others)].filter((each) => each !== account).sort(),
    administrator: !hasPrincipal && policy.statements.some(allowsEverything),
  }
}

const accountsOf = ({ principal }: Statement): readonly string[] =>
  principal === undefined || principal.negated
    ? []
    : (principal.values.AWS ?? []).flatMap((name) => ACCOUNT.exec(name)?.[1] ?? [])

const allowsEverything = ({ effect, action, resource, conditions }: Statement): boolean =>
  effect === 'Allow' &&
  conditions.length === 0 &&
  !action.negated &&
  action.values.some((name) => name === '*' || name === '*:*') &&
  resource !== undefined &&
  !resource.negated &&
  resource.values.includes('*')
