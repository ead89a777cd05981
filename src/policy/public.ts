/**
 * Whether a resource policy opens its resource to the public, by S3's rule: it does, unless every Allow is limited to fixed
 * values, which hold neither a wildcard nor a policy variable.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
 */
import type { Condition, Policy, Statement } from './document.ts'
import { parseOperator } from './operators.ts'
import { contains, type Network, parseNetwork } from './values.ts'

type IsFixed = (value: string) => boolean

const isPlain: IsFixed = (value) => value !== '' && !/[*?]/.test(value) && !value.includes('${')

/** The name of an access point may have a wildcard while its Region and account are fixed. */
const isAccessPointOfAccount: IsFixed = (value) =>
  isPlain(value) || /^arn:aws[a-z-]*:s3:[a-z0-9-]+:\d{12}:accesspoint\/[^$]+$/.test(value)

/** Conditions on these limit a grant to everyone, if all their values are fixed. */
const LIMITING: Readonly<Record<string, IsFixed>> = {
  'aws:principalaccount': isPlain,
  'aws:principalarn': isPlain,
  'aws:principalorgid': isPlain,
  'aws:principalorgpaths': isPlain,
  'aws:sourceaccount': isPlain,
  'aws:sourcearn': isPlain,
  'aws:sourceip': isNarrowRange,
  'aws:sourceorgid': isPlain,
  'aws:sourceorgpaths': isPlain,
  'aws:sourceowner': isPlain,
  'aws:sourcevpc': isPlain,
  'aws:sourcevpce': isPlain,
  'aws:userid': isPlain,
  'aws:username': isPlain,
  'kms:calleraccount': isPlain,
  's3:dataaccesspointaccount': isPlain,
  's3:dataaccesspointarn': isAccessPointOfAccount,
  's3:x-amz-server-side-encryption-aws-kms-key-id': isPlain,
}

const POSITIVE: ReadonlySet<string> = new Set([
  'StringEquals',
  'StringEqualsIgnoreCase',
  'StringLike',
  'ArnEquals',
  'ArnLike',
  'IpAddress',
])

/** The statements that allow something to the public. Errs towards public: a Deny that takes it back is not looked at. */
export function publicStatements({ statements }: Policy): readonly Statement[] {
  const open = statements
    .filter((statement) => statement.effect === 'Allow' && isOpen(statement))
    .map((statement) => ({ statement, limits: statement.conditions.filter(limits) }))
    .filter(({ limits }) => limits.every(isOnAddress))
  // A wide range is as wide in parts, whether one statement lists them or several do.
  const ranges = open.flatMap(({ limits }) => limits.flatMap(({ values }) => values))
  const isWide = isWideTogether(ranges.map((text) => parseNetwork(text)!))
  return open.filter(({ limits }) => limits.length === 0 || isWide).map(({ statement }) => statement)
}

const isOnAddress = ({ key }: Condition): boolean => key.toLowerCase() === 'aws:sourceip'

/** Anyone can sign in with a provider that is shared by all its customers: only a provider of an account is fixed. */
function isOpen({ principal }: Statement): boolean {
  if (!principal || principal.negated) return true
  const { AWS = [], Federated = [], Service = [], CanonicalUser = [] } = principal.values
  return (
    [...AWS, ...Service, ...CanonicalUser].some((name) => !isPlain(name)) ||
    Federated.some((name) => !isPlain(name) || !name.startsWith('arn:'))
  )
}

/** An operator that is also met without the key, or by no value of a list, limits nothing. */
function limits({ operator, key, values }: Condition): boolean {
  const parsed = parseOperator(operator)
  const isFixed = Object.hasOwn(LIMITING, key.toLowerCase()) ? LIMITING[key.toLowerCase()] : undefined
  if (!parsed || !isFixed || parsed.ifExists || parsed.quantifier === 'forallvalues') return false
  return POSITIVE.has(parsed.operator.name) && values.length > 0 && values.every(isFixed)
}

/** Source: "values broader than /8 for IPv4 and /32 for IPv6 (excluding RFC1918 private ranges)". */
const PREFIX_MIN = { v4: 8, v6: 32 } as const
const PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'].map((text) => parseNetwork(text)!)

function isNarrowRange(text: string): boolean {
  const network = parseNetwork(text)
  return network !== undefined && (network.prefix >= minimumOf(network) || isPrivate(network))
}

const minimumOf = ({ address }: Network): number => (address.length === 2 ? PREFIX_MIN.v4 : PREFIX_MIN.v6)

const isPrivate = ({ address, prefix }: Network): boolean =>
  PRIVATE.some((each) => prefix >= each.prefix && contains(each, address))

/** Of all addresses, what narrow ranges may hold together that are no parts of one range. */
const SHARE_MAX = 1 / 16

function isWideTogether(networks: readonly Network[]): boolean {
  return [2, 8].some((groups) => {
    // Merged with private ranges first: 10.0.0.0/8 and 11.0.0.0/8 are 10.0.0.0/7, which is public.
    const merged = mergedRanges(networks.filter((each) => each.address.length === groups)).filter(
      (each) => !isPrivate(each),
    )
    const share = merged.reduce((sum, { prefix }) => sum + 2 ** -prefix, 0)
    return share > SHARE_MAX || merged.some((each) => each.prefix < minimumOf(each))
  })
}

/** The same addresses in the fewest ranges: halves of one range become it, and what another holds is left out. */
function mergedRanges(networks: readonly Network[]): readonly Network[] {
  const byPrefix = new Map<number, Set<string>>()
  const put = (bits: string) => byPrefix.set(bits.length, (byPrefix.get(bits.length) ?? new Set<string>()).add(bits))
  for (const network of networks) put(bitsOf(network))
  const isHeld = (bits: string) =>
    [...byPrefix].some(([length, all]) => length < bits.length && all.has(bits.slice(0, length)))
  for (let length = 128; length > 0; length--) {
    for (const bits of byPrefix.get(length) ?? []) {
      const half = bits.slice(0, -1) + (bits.endsWith('0') ? '1' : '0')
      if (byPrefix.get(length)!.has(half)) put(bits.slice(0, -1))
    }
  }
  const [first] = networks
  if (!first) return []
  return [...byPrefix.values()].flatMap((all) =>
    [...all].filter((bits) => !isHeld(bits)).map((bits) => ({ address: first.address, prefix: bits.length })),
  )
}

const bitsOf = ({ address, prefix }: Network): string =>
  address
    .map((group) => group.toString(2).padStart(16, '0'))
    .join('')
    .slice(0, prefix)
