/** Other people's programs, run to their end, in an environment that knows one server and nothing of the developer's own AWS. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { type Ended, temporaryFolder } from '../process.ts'

export interface Keys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

type Environment = Readonly<Record<string, string>>

/** Without keys, for profiles: the two files are in the folder, and do not exist until someone writes them. */
export function cleanEnvironment(folder = temporaryFolder()): Environment {
  const kept = Object.entries(process.env).filter(([name]) => !/^(AWS|TF)_|_proxy$/i.test(name))
  return {
    ...(Object.fromEntries(kept) as Environment),
    AWS_CONFIG_FILE: join(folder, 'config'),
    AWS_SHARED_CREDENTIALS_FILE: join(folder, 'credentials'),
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_PAGER: '',
  }
}

export function environmentFor(url: string, keys: Keys): Environment {
  return {
    ...cleanEnvironment(),
    AWS_ENDPOINT_URL: url,
    AWS_REGION: 'us-east-1',
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
    ...(keys.sessionToken !== undefined && { AWS_SESSION_TOKEN: keys.sessionToken }),
  }
}

/** Returns how it ended, whatever that was; throws only when there is no such program. */
export async function run(
  program: string,
  words: readonly string[],
  environment: Environment,
  folder?: string,
): Promise<Ended> {
  const child = spawn(program, words, {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(folder !== undefined && { cwd: folder }),
  })
  const text = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (chunk: string) => (text[stream] += chunk))
  }
  // A missing program is an 'error' event, which `once` throws.
  const [status] = await once(child, 'close')
  return { status, ...text }
}

export const policy = (...statements: readonly object[]): string =>
  JSON.stringify({ Version: '2012-10-17', Statement: statements.map((each) => ({ Effect: 'Allow', ...each })) })
