/** Configurations of Terraform's AWS provider, each before an empty server of its own. */
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeAll } from 'vitest'
import { type MadeAccount, type Running, startMerlon, temporaryFolder } from '../process.ts'
import { environmentFor, type Keys, run } from './command.ts'
import { findMirror, writeCliConfig } from './terraform-mirror.ts'

export interface Workspace {
  readonly server: Running
  readonly account: MadeAccount
  /** Of the configuration. */
  readonly folder: string
  /** Returns what it printed; throws with what it complained of. */
  terraform(...words: readonly string[]): Promise<string>
  /** What `plan` would change; empty when it would change nothing. */
  plan(rev: number): Promise<string>
  apply(rev: number): Promise<string>
  /** Of the second revision. */
  destroy(): Promise<string>
}

let mirror: string

beforeAll(async () => {
  if (skipped) return
  const found = findMirror()
  if (found === undefined) {
    throw new Error(
      'No file system mirror with hashicorp/aws was found. Say where it is (TF_PLUGIN_MIRROR), make one ' +
        '(terraform providers mirror DIR), or leave these tests out (MERLON_TEST_SKIP_TERRAFORM=1).',
    )
  }
  mirror = found
})

export const skipped = process.env['MERLON_TEST_SKIP_TERRAFORM'] === '1'
const running: Running[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop('SIGKILL')))
})

/** A copy of the configuration, initialised, before an empty server of its own. */
export async function workspace(
  configuration: string,
  files: Readonly<Record<string, Buffer>> = {},
  more: Readonly<Record<string, string>> = {},
): Promise<Workspace> {
  const folder = join(temporaryFolder(), configuration)
  cpSync(fileURLToPath(new URL(`./terraform/${configuration}`, import.meta.url)), folder, { recursive: true })
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
  const server = await startMerlon(['--data', join(temporaryFolder(), 'data'), '--functions', 'process'], more)
  running.push(server)
  const account = server.accounts[0]!
  const environment = {
    ...environmentFor(server.url, account),
    TF_CLI_CONFIG_FILE: writeCliConfig(temporaryFolder(), mirror),
    TF_IN_AUTOMATION: '1',
    CHECKPOINT_DISABLE: '1',
  }
  const attempt = (...words: readonly string[]) => run('terraform', [...words, '-no-color'], environment, folder)
  const terraform = async (...words: readonly string[]) => {
    const { status, stdout, stderr } = await attempt(...words)
    if (status !== 0) throw new Error(`terraform ${words.join(' ')}: ${stderr}`)
    return stdout
  }
  await terraform('init', '-input=false')
  return {
    server,
    account,
    folder,
    terraform,
    apply: (rev) => terraform('apply', '-auto-approve', '-input=false', `-var=rev=${rev}`),
    destroy: () => terraform('destroy', '-auto-approve', '-input=false', '-var=rev=2'),
    plan: async (rev) => {
      const { status, stdout, stderr } = await attempt('plan', '-detailed-exitcode', '-input=false', `-var=rev=${rev}`)
      if (status !== 0 && status !== 2) throw new Error(stderr)
      return status === 0 ? '' : stdout.slice(stdout.indexOf('Terraform will perform'))
    },
  }
}

export const at = ({ server }: Workspace, { accessKeyId, secretAccessKey, sessionToken }: Keys) => ({
  endpoint: server.url,
  region: 'us-east-1',
  credentials: { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) },
})
