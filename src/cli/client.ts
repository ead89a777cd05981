/**
 * The credentials a command calls the server with: the keys of the environment, or of a profile, as AWS's own tools
 * read them.
 */
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { Client, overHttp } from '../kernel/client/client.ts'
import type { SigningCredential } from '../wire/sigv4/index.ts'
import { UsageError } from './command.ts'

export const clientOptions = {
  endpoint: {
    type: 'string',
    value: 'URL',
    about: "the server (default: AWS_ENDPOINT_URL, the profile's endpoint_url, or http://127.0.0.1:4566)",
  },
  profile: { type: 'string', value: 'NAME', about: 'whose keys (default: the environment, or AWS_PROFILE)' },
  region: { type: 'string', value: 'REGION', about: "default: AWS_REGION, the profile's region, or us-east-1" },
} as const

interface Given {
  readonly endpoint?: string | undefined
  readonly profile?: string | undefined
  readonly region?: string | undefined
}

/** Throws a `UsageError` where no keys can be found, or the endpoint is no URL. */
export function clientFor(given: Given): Client {
  const section = profileOf(given.profile)
  const { env } = process
  const configured = env['AWS_IGNORE_CONFIGURED_ENDPOINT_URLS']?.toLowerCase() === 'true' ? undefined : section.values
  const endpoint =
    given.endpoint || env['AWS_ENDPOINT_URL'] || configured?.get('endpoint_url') || 'http://127.0.0.1:4566'
  if (!URL.canParse(endpoint) || !/^https?:$/.test(new URL(endpoint).protocol))
    throw new UsageError(`The endpoint is not a URL such as http://127.0.0.1:4566: '${endpoint}'.`)
  return new Client({
    credential: credentialOf(given.profile, section),
    region: regionFor(given),
    transport: overHttp(endpoint.replace(/\/$/, '')),
  })
}

export function regionFor({ region, profile }: Given): string {
  const { env } = process
  const profiled = () => profileOf(profile).values.get('region')
  return region || env['AWS_REGION'] || env['AWS_DEFAULT_REGION'] || profiled() || 'us-east-1'
}

interface Section {
  readonly name: string
  readonly values: ReadonlyMap<string, string>
}

function credentialOf(given: string | undefined, { name, values }: Section): SigningCredential {
  const { env } = process
  const [accessKeyId, secret] = [env['AWS_ACCESS_KEY_ID'], env['AWS_SECRET_ACCESS_KEY']]
  if (given === undefined && accessKeyId && secret)
    return { accessKeyId, secret, sessionToken: env['AWS_SESSION_TOKEN'] }
  const [id, key] = [values.get('aws_access_key_id'), values.get('aws_secret_access_key')]
  if (id && key) return { accessKeyId: id, secret: key, sessionToken: values.get('aws_session_token') }
  const { credentials } = profileFiles()
  throw new UsageError(
    `There are no keys to sign with: profile '${name}' has none in ${credentials}. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name another --profile.`,
  )
}

/** Both files; what the credentials file says comes first. */
function profileOf(given: string | undefined): Section {
  const name = given ?? process.env['AWS_PROFILE'] ?? 'default'
  const { credentials, config } = profileFiles()
  const headers = name === 'default' ? ['default', 'profile default'] : [`profile ${name}`]
  return { name, values: new Map([...sectionOf(config, headers), ...sectionOf(credentials, [name])]) }
}

export const profileFiles = () => ({
  credentials: process.env['AWS_SHARED_CREDENTIALS_FILE'] ?? join(homedir(), '.aws', 'credentials'),
  config: process.env['AWS_CONFIG_FILE'] ?? join(homedir(), '.aws', 'config'),
})

/** Source: AWS SDKs and Tools Reference Guide, "Shared config and credentials files". */
function sectionOf(file: string, headers: readonly string[]): ReadonlyMap<string, string> {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return new Map()
  }
  const values = new Map<string, string>()
  let header: string | undefined
  for (const line of text.split('\n')) {
    header = /^\s*\[\s*(.*?)\s*\]/.exec(line)?.[1]?.replace(/\s+/g, ' ') ?? header
    // What is indented belongs to a setting that has settings of its own, such as `s3 =`.
    const [, name, value] = /^([^#;=[\s]+)\s*=\s*(.*?)\s*$/.exec(line) ?? []
    if (header !== undefined && headers.includes(header) && name !== undefined) values.set(name, value!)
  }
  return values
}
