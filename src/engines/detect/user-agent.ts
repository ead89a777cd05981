/** The family of a client: what stays the same from version to version, and what is rare in an account that never used it. */

/** Texts that decide, in this order: a tool built on an SDK names both. */
const FAMILIES: readonly (readonly [text: string, family: string])[] = [
  ['hashicorp', 'terraform'],
  ['terraform', 'terraform'],
  ['pulumi', 'pulumi'],
  ['aws-cdk', 'aws-cdk'],
  ['cloudformation', 'cloudformation'],
  ['console.amazonaws.com', 'console'],
  ['console.aws', 'console'],
  ['s3console', 'console'],
  [' console,', 'console'],
  ['aws internal', 'console'],
  ['aws-internal', 'console'],
  ['cloudshell', 'cloudshell'],
  ['aws-cli', 'aws-cli'],
  ['boto3', 'boto3'],
  ['botocore', 'boto3'],
  ['aws-sdk-java', 'aws-sdk-java'],
  ['aws-sdk-js', 'aws-sdk-js'],
  ['aws-sdk-nodejs', 'aws-sdk-js'],
  ['aws-sdk-go', 'aws-sdk-go'],
  ['aws-sdk-rust', 'aws-sdk-rust'],
  ['aws-sdk-dotnet', 'aws-sdk-dotnet'],
  ['aws-sdk-ruby', 'aws-sdk-ruby'],
  ['aws-sdk-php', 'aws-sdk-php'],
  ['mozilla/', 'browser'],
]

/** Families that are common everywhere. */
export const KNOWN_FAMILIES: ReadonlySet<string> = new Set(FAMILIES.map(([, family]) => family))

const LENGTH_MAX = 200
const FAMILY_LENGTH_MAX = 40

/** `amazonaws.com` names are services. Others are the first product's name, without versions and identifiers. */
export function userAgentFamily(userAgent: string): string {
  const known = cache.get(userAgent)
  if (known !== undefined) return known
  if (cache.size >= CACHE_MAX) cache.clear()
  const family = compute(userAgent)
  cache.set(userAgent, family)
  return family
}

/** Families are a pure function of the text, so it does not matter what is forgotten. */
const cache = new Map<string, string>()
const CACHE_MAX = 5_000

function compute(userAgent: string): string {
  const text = userAgent.slice(0, LENGTH_MAX).toLowerCase()
  for (const [needle, family] of FAMILIES) {
    // A product that wraps an SDK names itself first; its own name is the family.
    const at = text.indexOf(needle)
    if (at < 0) continue
    const isSdk = family.startsWith('aws-sdk') || family === 'boto3'
    if (!isSdk || at <= 1) return family
    break
  }
  if (text.endsWith('.amazonaws.com')) return 'service'
  const product = /^\[?([^\s/([\]]+)/.exec(text)?.[1] ?? ''
  return product.replace(/[_-][0-9a-f][0-9a-f-]{7,}$/, '').slice(0, FAMILY_LENGTH_MAX) || 'none'
}
