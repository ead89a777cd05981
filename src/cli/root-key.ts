/** Showing the root key, once, and writing it where AWS's clients look. */
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { RunningServer } from '../server/compose/server-options.ts'
import { profileFiles } from './client.ts'
import { UsageError } from './command.ts'

export type CreatedAccount = RunningServer['made'][number]

export function shownKey({ accountId, rootKey, administrator }: CreatedAccount): string {
  return [
    `Account ${accountId} is ready. This is its root access key; the secret is shown only now:`,
    '',
    `  AWS_ACCESS_KEY_ID=${rootKey.accessKeyId}`,
    `  AWS_SECRET_ACCESS_KEY=${rootKey.secretAccessKey}`,
    '',
    ...(administrator
      ? [
          `The user '${administrator.userName}' may do everything that an IAM user may, and can assume roles:`,
          '',
          `  AWS_ACCESS_KEY_ID=${administrator.accessKeyId}`,
          `  AWS_SECRET_ACCESS_KEY=${administrator.secretAccessKey}`,
          '',
        ]
      : []),
    '',
  ].join('\n')
}

export function keyAsJson({ accountId, rootKey, administrator }: CreatedAccount): object {
  return { accountId, ...rootKey, ...(administrator && { administrator }) }
}

const PROFILE_NAME = /^[\w.@+-]+$/

/** To be called before anything is made: a profile that exists is never overwritten. */
export function checkProfile(name: string): void {
  if (!PROFILE_NAME.test(name)) throw new UsageError(`'${name}' cannot be the name of an AWS profile.`)
  const { credentials, config } = profileFiles()
  for (const [file, headers] of [
    [credentials, [name]],
    [config, name === 'default' ? ['default', 'profile default'] : [`profile ${name}`]],
  ] as const) {
    const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []
    const found = lines.map((line) => /^\s*\[\s*(.*?)\s*\]/.exec(line)?.[1]?.replace(/\s+/g, ' '))
    if (found.some((header) => header !== undefined && headers.includes(header))) {
      throw new UsageError(`${file} has a profile '${name}' already. Choose another name, or remove it first.`)
    }
  }
}

/** `aws --profile NAME …` then reaches this server. Source: AWS SDKs and Tools Reference Guide, "Shared config and credentials files". */
export function writeProfile(name: string, { rootKey }: CreatedAccount, url: string): void {
  const { credentials, config } = profileFiles()
  append(
    credentials,
    `[${name}]\naws_access_key_id = ${rootKey.accessKeyId}\naws_secret_access_key = ${rootKey.secretAccessKey}\n`,
  )
  const header = name === 'default' ? 'default' : `profile ${name}`
  append(config, `[${header}]\nregion = us-east-1\nendpoint_url = ${url}\n`)
}

function append(file: string, section: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const before = existsSync(file) ? readFileSync(file, 'utf8') : ''
  const gap = before === '' ? '' : before.endsWith('\n') ? '\n' : '\n\n'
  appendFileSync(file, gap + section, { mode: 0o600 })
}
