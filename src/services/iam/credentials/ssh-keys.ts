/** SSH public keys of users. */
import type * as IAM from '@aws-sdk/client-iam'
import {
  fingerprint,
  parsePublicKey,
  pem,
  SshKeyError,
  type SshKeyProblem,
  sshLine,
} from '../../../engines/ssh-public-key/ssh-public-key.ts'
import type { Call } from '../../../kernel/gate/call.ts'
import type { FaultName } from '../../../wire/typed.ts'
import { listItems } from '../lists.ts'
import { type UserRow, user } from '../resources.ts'
import { userOnly } from '../users/owners.ts'
import { userNamedOrSelf } from '../users/self.ts'
import { date, iam, withinQuota } from '../words.ts'
import { hangingOf, subordinateKey } from './subordinates.ts'

interface SshKeyRow {
  /** `APKA…` */
  readonly id: string
  /** The key's wire form, base64. */
  readonly blob: string
  readonly active: boolean
  readonly uploadedAt: number
}

export const uploadSshPublicKey = iam
  .operation('UploadSSHPublicKey')
  .on(user.named('UserName'))
  .run(async (call, input, { row: owner }) => {
    const blob = uploadedKey(input.SSHPublicKeyBody).toString('base64')
    const existing = await keysOf(call, owner)
    if (existing.some((row) => row.blob === blob)) {
      throw iam.fail(
        'DuplicateSSHPublicKeyException',
        'The SSH public key is already associated with the specified IAM user.',
      )
    }
    withinQuota(call, 'SSHPublicKeysPerUser', existing.length + 1)

    const row: SshKeyRow = { id: call.uniqueId('APKA'), blob, active: true, uploadedAt: call.now }
    save(call, owner, row)
    return { SSHPublicKey: shownInFull(owner, row, 'SSH') }
  })

export const getSshPublicKey = iam
  .operation('GetSSHPublicKey')
  .on(user.named('UserName'))
  .run(async (call, input, { row: owner }) => {
    const row = await required(call, owner, input.SSHPublicKeyId)
    return { SSHPublicKey: shownInFull(owner, row, input.Encoding) }
  })

export const listSshPublicKeys = iam
  .operation('ListSSHPublicKeys')
  .on(userNamedOrSelf('UserName'))
  .run(async (call, input, self) => {
    const owner = userOnly(self)
    const { items, rest } = await listItems(call, await keysOf(call, owner), (row) => row.id, input)
    return { SSHPublicKeys: items.map((row) => shown(owner, row)), ...rest }
  })

export const updateSshPublicKey = iam
  .operation('UpdateSSHPublicKey')
  .on(user.named('UserName'))
  .run(async (call, input, { row: owner }) => {
    const row = await required(call, owner, input.SSHPublicKeyId)
    if (input.Status === 'Expired') throw iam.fail('InvalidInputException', 'Status must be Active or Inactive.')
    save(call, owner, { ...row, active: input.Status === 'Active' })
    return {}
  })

export const deleteSshPublicKey = iam
  .operation('DeleteSSHPublicKey')
  .on(user.named('UserName'))
  .run(async (call, input, { row: owner }) => {
    const row = await required(call, owner, input.SSHPublicKeyId)
    call.unit.delete(subordinateKey(call.account, owner.id, 'ssh-public-key', row.id))
    return {}
  })

const codeOf: Readonly<Record<SshKeyProblem, FaultName<typeof IAM>>> = {
  encoding: 'UnrecognizedPublicKeyEncodingException',
  invalid: 'InvalidPublicKeyException',
  weak: 'InvalidPublicKeyException',
}

function uploadedKey(text: string): Buffer {
  try {
    return parsePublicKey(text)
  } catch (error) {
    if (!(error instanceof SshKeyError)) throw error
    throw iam.fail(codeOf[error.problem], error.message)
  }
}

async function keysOf(call: Call, owner: UserRow): Promise<readonly SshKeyRow[]> {
  const entries = await hangingOf<SshKeyRow>(call, owner.id, 'ssh-public-key')
  return entries.map(({ document }) => document)
}

function save(call: Call, owner: UserRow, row: SshKeyRow): void {
  call.unit.put(subordinateKey(call.account, owner.id, 'ssh-public-key', row.id), row)
}

async function required(call: Call, owner: UserRow, id: string): Promise<SshKeyRow> {
  const row = (await keysOf(call, owner)).find((each) => each.id === id)
  if (!row) throw iam.fail('NoSuchEntityException', `The Public Key with id ${id} cannot be found.`)
  return row
}

function shown(owner: UserRow, row: SshKeyRow) {
  return {
    UserName: owner.name,
    SSHPublicKeyId: row.id,
    Status: row.active ? ('Active' as const) : ('Inactive' as const),
    UploadDate: date(row.uploadedAt),
  }
}

function shownInFull(owner: UserRow, row: SshKeyRow, encoding: 'SSH' | 'PEM') {
  const blob = Buffer.from(row.blob, 'base64')
  const body = encoding === 'SSH' ? sshLine(blob) : pem(blob)
  return { ...shown(owner, row), Fingerprint: fingerprint(blob), SSHPublicKeyBody: body }
}
