/**
 * What an operation makes of a key's state, as AWS documents it.
 * Source: https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
 */
import { arnOf } from './resources.ts'
import type { KeyRow, KeyState } from './rows.ts'
import { kms } from './words.ts'

/** `ok`, or what is wrong. */
export type StateAnswer =
  | 'ok'
  | 'disabled'
  | 'deleting'
  | 'not-deleting'
  | 'importing'
  | 'unavailable'
  | 'creating'
  | 'updating'

type Column = 'Enabled' | 'Disabled' | 'PendingDeletion' | 'PendingImport' | 'Unavailable' | 'Creating' | 'Updating'

const COLUMNS: readonly Column[] = [
  'Enabled',
  'Disabled',
  'PendingDeletion',
  'PendingImport',
  'Unavailable',
  'Creating',
  'Updating',
]

type Cells = readonly [StateAnswer, StateAnswer, StateAnswer, StateAnswer, StateAnswer, StateAnswer, StateAnswer]

// biome-ignore format: a matrix is read in columns
const ANY: Cells =     ['ok', 'ok', 'ok', 'ok', 'ok', 'ok', 'ok']
// biome-ignore format: see above
const USE: Cells =     ['ok', 'disabled', 'deleting', 'importing', 'unavailable', 'creating', 'ok']
// biome-ignore format: see above
const CHANGE: Cells =  ['ok', 'ok', 'deleting', 'ok', 'ok', 'ok', 'ok']
// biome-ignore format: see above
const ROTATE: Cells =  ['ok', 'disabled', 'deleting', 'importing', 'unavailable', 'creating', 'ok']

// biome-ignore format: a matrix is read in columns
const table = {
  //                         Enabled         Disabled        PendingDeletion PendingImport   Unavailable     Creating        Updating
  CancelKeyDeletion:         ['not-deleting', 'not-deleting', 'ok',           'not-deleting', 'not-deleting', 'not-deleting', 'not-deleting'],
  CreateAlias:               CHANGE,
  CreateGrant:               ['ok',           'disabled',     'deleting',     'importing',    'ok',           'creating',     'ok'],
  Decapsulate:               USE,
  Decrypt:                   USE,
  DeleteAlias:               ANY,
  DeleteImportedKeyMaterial: ['ok',           'ok',           'ok',           'ok',           'unavailable',  'creating',     'updating'],
  DeriveSharedSecret:        USE,
  DescribeKey:               ANY,
  DisableKey:                ['ok',           'ok',           'deleting',     'importing',    'ok',           'creating',     'updating'],
  DisableKeyRotation:        ROTATE,
  EnableKey:                 ['ok',           'ok',           'deleting',     'importing',    'ok',           'creating',     'updating'],
  EnableKeyRotation:         ROTATE,
  Encapsulate:               USE,
  Encrypt:                   USE,
  GenerateDataKey:           USE,
  GenerateDataKeyPair:       USE,
  GenerateDataKeyPairWithoutPlaintext: USE,
  GenerateDataKeyWithoutPlaintext:     USE,
  GenerateMac:               USE,
  GetKeyLastUsage:           ANY,
  GetKeyPolicy:              ANY,
  GetKeyRotationStatus:      ANY,
  GetParametersForImport:    ['ok',           'ok',           'deleting',     'ok',           'unavailable',  'creating',     'updating'],
  GetPublicKey:              USE,
  ImportKeyMaterial:         ['ok',           'ok',           'deleting',     'ok',           'unavailable',  'creating',     'ok'],
  ListGrants:                ANY,
  ListKeyPolicies:           ANY,
  ListKeyRotations:          ANY,
  ListResourceTags:          ANY,
  PutKeyPolicy:              ANY,
  ReEncrypt:                 USE,
  ReplicateKey:              ['ok',           'disabled',     'deleting',     'importing',    'unavailable',  'creating',     'updating'],
  RetireGrant:               ANY,
  RevokeGrant:               ANY,
  RotateKeyOnDemand:         ROTATE,
  ScheduleKeyDeletion:       ['ok',           'ok',           'deleting',     'ok',           'ok',           'ok',           'updating'],
  Sign:                      USE,
  TagResource:               CHANGE,
  UntagResource:             CHANGE,
  UpdateAlias:               CHANGE,
  UpdateKeyDescription:      CHANGE,
  UpdatePrimaryRegion:       ['ok',           'disabled',     'deleting',     'importing',    'unavailable',  'creating',     'ok'],
  Verify:                    USE,
  VerifyMac:                 USE,
} as const satisfies Readonly<Record<string, Cells>>

export type StatefulOperation = keyof typeof table

export function verdictOn(operation: StatefulOperation, state: KeyState): StateAnswer {
  const column = state === 'PendingReplicaDeletion' ? 'PendingDeletion' : state
  return table[operation][COLUMNS.indexOf(column)]!
}

const SENTENCES: Readonly<Record<Exclude<StateAnswer, 'ok' | 'disabled'>, string>> = {
  deleting: 'is pending deletion.',
  'not-deleting': 'is not pending deletion.',
  importing: 'is pending import.',
  unavailable: 'is unavailable.',
  creating: 'is creating.',
  updating: 'is updating.',
}

/** Throws when the key's state forbids the operation. */
export function requireState(row: KeyRow, operation: StatefulOperation): void {
  const verdict = verdictOn(operation, row.state)
  if (verdict === 'ok') return
  if (verdict === 'disabled') throw kms.fail('DisabledException', `${arnOf(row)} is disabled.`)
  throw kms.fail('KMSInvalidStateException', `${arnOf(row)} ${SENTENCES[verdict]}`)
}
