/** Who a command asks the server as: the keys of the environment, or of a profile, as AWS's own tools read them. */
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { Client, overHttp } from '../kernel/client.ts'
import type { SigningCredential } from '../wire/sigv4/index.ts'
import { UsageError } from './command.ts'

export const clientOptions = {
  endpoint: { type: 'string', value: 'URL', about: 'the server (default: AWS_ENDPOINT_URL, or http://127.0.0.1:4566)' },
  profile: { type: 'string', value: 'NAME', about: 'whose keys (default: the environment, or AWS_PROFILE)' },
  region: { type: 'string', value: 'REGION', about: 'default: AWS_REGION, or us-east-1' },
} as const

interface Given {
  readonly endpoint?: string | undefined
  readonly profile?: string | undefined
  readonly region?: string | undefined
}

/** Throws a `UsageError` where no keys can be found. */
export function clientFor({ endpoint, profile, region }: Given): Client {
  const { env } = process
  return new Client({
    credential: credentialOf(profile),
    region: region ?? env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'] ?? 'us-east-1',
    transport: overHttp((endpoint ?? env['AWS_ENDPOINT_URL'] ?? 'http://127.0.0.1:4566').replace(/\/$/, '')),
  })
}

function credentialOf(given: string | undefined): SigningCredential {
  const { env } = process
  const [accessKeyId, secret] = [env['AWS_ACCESS_KEY_ID'], env['AWS_SECRET_ACCESS_KEY']]
  if (given === undefined && accessKeyId && secret)
    return { accessKeyId, secret, sessionToken: env['AWS_SESSION_TOKEN'] }

  const profile = given ?? env['AWS_PROFILE'] ?? 'default'
  const file = env['AWS_SHARED_CREDENTIALS_FILE'] ?? join(homedir(), '.aws', 'credentials')
  const section = sectionOf(file, profile)
  const [id, key] = [section.get('aws_access_key_id'), section.get('aws_secret_access_key')]
  if (id && key) return { accessKeyId: id, secret: key, sessionToken: section.get('aws_session_token') }
  throw new UsageError(
    `No keys to ask with: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give a --profile that ${file} has keys of.`,
  )
}

/** Source: AWS SDKs and Tools Reference Guide, "Shared config and credentials files". */
function sectionOf(file: string, profile: string): ReadonlyMap<string, string> {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return new Map()
  }
  const values = new Map<string, string>()
  let header: string | undefined
  for (const line of text.split('\n').map((each) => each.trim())) {
    header = /^\[\s*(.*?)\s*\]$/.exec(line)?.[1] ?? header
    const [, name, value] = /^([^#;=[\s]+)\s*=\s*(.*)$/.exec(line) ?? []
    if (header === profile && name !== undefined) values.set(name, value!)
  }
  return values
}
