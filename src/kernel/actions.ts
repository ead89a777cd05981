/** What the public authorisation reference says of each IAM action. Generated: see `tools/`. */
import reference from '../../models/iam-actions.json' with { type: 'json' }
import { remembering } from '../wire/remember.ts'

export type AccessLevel = 'List' | 'Read' | 'Write' | 'Tagging' | 'Permissions management'

interface ActionFacts {
  readonly level: AccessLevel
}

const actions = (reference as unknown as { services: Record<string, { actions: Record<string, ActionFacts> }> })
  .services

function find(action: string): ActionFacts | undefined {
  const colon = action.indexOf(':')
  return actions[action.slice(0, colon)]?.actions[action.slice(colon + 1)]
}

export function isKnownAction(action: string): boolean {
  return find(action) !== undefined
}

/**
 * What the trail counts as reading though IAM calls it writing: uses of keys change nothing.
 * Source: https://docs.aws.amazon.com/kms/latest/developerguide/logging-using-cloudtrail.html
 */
const USES: ReadonlySet<string> = new Set(
  [
    'Decapsulate',
    'Decrypt',
    'DeriveSharedSecret',
    'Encapsulate',
    'Encrypt',
    'GenerateDataKey',
    'GenerateDataKeyPair',
    'GenerateDataKeyPairWithoutPlaintext',
    'GenerateDataKeyWithoutPlaintext',
    'GenerateMac',
    'GenerateRandom',
    'ReEncryptFrom',
    'Sign',
    'Verify',
    'VerifyMac',
  ].map((name) => `kms:${name}`),
)

const ACTIONS_MAX = 5_000

export const isReading = remembering(ACTIONS_MAX, (action: string): boolean => {
  const level = accessLevel(action)
  return level === 'Read' || level === 'List' || USES.has(action)
})

export function accessLevel(action: string): AccessLevel | undefined {
  return find(action)?.level
}
