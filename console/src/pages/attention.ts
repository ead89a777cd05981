/** What needs attention: found with the permissions of the person; what they may not read is left out. */
import type { Client } from '../api/client.ts'
import { hrefOf } from '../app/router.ts'

export interface Matter {
  readonly text: string
  readonly href?: string
  readonly type: 'error' | 'warning' | 'info'
}

const DAY_MS = 86_400_000
const OLD_KEY_DAYS = 90

/** Resolves to an empty list when a check is denied: another page says so where it matters. */
export async function attentionOf(client: Client): Promise<readonly Matter[]> {
  const checks = [accountSummary, oldKeys, keysToBeDeleted, secretsToBeRotated]
  const found = await Promise.all(checks.map((check) => check(client).catch((): readonly Matter[] => [])))
  return found.flat()
}

async function accountSummary(client: Client): Promise<readonly Matter[]> {
  const { SummaryMap = {} } = await client.call('iam', 'GetAccountSummary', {})
  const matters: Matter[] = []
  if (!SummaryMap.AccountMFAEnabled)
    matters.push({ type: 'warning', text: 'The root user has no MFA device.', href: '/signin/security' })
  if (SummaryMap.AccountAccessKeysPresent)
    matters.push({
      type: 'warning',
      text: 'The root user has an access key: use a user or role instead, and delete it.',
    })
  return matters
}

async function oldKeys(client: Client): Promise<readonly Matter[]> {
  const users = await client.list('iam', 'ListUsers', {}, 'Users', 100)
  const perUser = await Promise.all(
    users.slice(0, 50).map(async ({ UserName }) => {
      const keys = await client.list('iam', 'ListAccessKeys', { UserName: UserName! }, 'AccessKeyMetadata')
      const old = keys.filter(
        ({ Status, CreateDate }) => Status === 'Active' && Date.now() - CreateDate!.getTime() > OLD_KEY_DAYS * DAY_MS,
      )
      return old.map(
        (): Matter => ({
          type: 'warning',
          text: `An access key of ${UserName} is older than ${OLD_KEY_DAYS} days.`,
          href: hrefOf(['iam', 'users', UserName!]),
        }),
      )
    }),
  )
  return perUser.flat()
}

async function keysToBeDeleted(client: Client): Promise<readonly Matter[]> {
  const keys = await client.list('kms', 'ListKeys', {}, 'Keys', 100)
  const metadata = await Promise.all(
    keys
      .slice(0, 50)
      .map(async ({ KeyId }) => (await client.call('kms', 'DescribeKey', { KeyId: KeyId! })).KeyMetadata!),
  )
  return metadata
    .filter(({ KeyState }) => KeyState === 'PendingDeletion')
    .map(({ KeyId, DeletionDate }) => ({
      type: 'warning',
      text: `The KMS key ${KeyId} is deleted on ${DeletionDate?.toLocaleDateString()}.`,
      href: hrefOf(['kms', KeyId!]),
    }))
}

async function secretsToBeRotated(client: Client): Promise<readonly Matter[]> {
  const secrets = await client.list('secretsmanager', 'ListSecrets', {}, 'SecretList', 500)
  return secrets
    .filter(({ NextRotationDate }) => NextRotationDate && NextRotationDate.getTime() < Date.now())
    .map(({ Name }) => ({
      type: 'error',
      text: `The rotation of the secret ${Name} is overdue.`,
      href: hrefOf(['secrets', Name!]),
    }))
}
