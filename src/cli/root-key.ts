/** Showing the root key, once, and writing it where AWS's clients look. */
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import type { RunningServer } from '../server/server.ts'
import { UsageError } from './command.ts'

export type Made = RunningServer['made'][number]

export function shownKey({ accountId, rootKey }: Made): string {
  return [
    `Account ${accountId} is ready. This is its root access key; the secret is shown only now:`,
    '',
    `  AWS_ACCESS_KEY_ID=${rootKey.accessKeyId}`,
    `  AWS_SECRET_ACCESS_KEY=${rootKey.secretAccessKey}`,
    '',
    '',
  ].join('\n')
}

export function keyAsJson({ accountId, rootKey }: Made): object {
  return { accountId, accessKeyId: rootKey.accessKeyId, secretAccessKey: rootKey.secretAccessKey }
}

const PROFILE_NAME = /^[\w.@+-]+$/

/** To be asked before anything is made: a profile that exists is never overwritten. */
export function checkProfile(name: string): void {
  if (!PROFILE_NAME.test(name)) throw new UsageError(`'${name}' cannot be the name of an AWS profile.`)
  const { credentials, config } = files()
  for (const [file, header] of [
    [credentials, `[${name}]`],
    [config, `[profile ${name}]`],
  ] as const) {
    if (
      existsSync(file) &&
      readFileSync(file, 'utf8')
        .split('\n')
        .some((line) => line.trim() === header)
    ) {
      throw new UsageError(`${file} has a profile '${name}' already. Choose another name, or remove it first.`)
    }
  }
}

/** `aws --profile NAME …` then reaches this server. Source: AWS SDKs and Tools Reference Guide, "Shared config and credentials files". */
export function writeProfile(name: string, { rootKey }: Made, url: string): void {
  const { credentials, config } = files()
  append(
    credentials,
    `[${name}]\naws_access_key_id = ${rootKey.accessKeyId}\naws_secret_access_key = ${rootKey.secretAccessKey}\n`,
  )
  append(config, `[profile ${name}]\nregion = us-east-1\nendpoint_url = ${url}\n`)
}

function files() {
  return {
    credentials: process.env['AWS_SHARED_CREDENTIALS_FILE'] ?? join(homedir(), '.aws', 'credentials'),
    config: process.env['AWS_CONFIG_FILE'] ?? join(homedir(), '.aws', 'config'),
  }
}

function append(file: string, section: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const before = existsSync(file) ? readFileSync(file, 'utf8') : ''
  const gap = before === '' ? '' : before.endsWith('\n') ? '\n' : '\n\n'
  appendFileSync(file, gap + section, { mode: 0o600 })
}
