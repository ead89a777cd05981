/** Material that customers bring: wrapped on its way, theirs to take back, gone when its time is over. */
import { cancelJob } from '../../kernel/jobs/jobs.ts'
import type { JobContext, ServiceJob } from '../../kernel/service/service.ts'
import type { Unit } from '../../store/store.ts'
import type { GeneratedMaterial, ImportRefusal, Wrapping } from '../../vault/material/materials.ts'
import { recordServiceEvent } from './events.ts'
import { type KeyJob, keyJob, keyOfJob } from './key-jobs.ts'
import { homeOf, isReplica, lacksMaterial, noteOwner, relatives, saveKey } from './key-materials.ts'
import { isSymmetric } from './key-specs.ts'
import { invalidInput, materialPending, originUnfit, silent } from './messages.ts'
import { arnOf } from './resources.ts'
import { at, type KeyRow, type MaterialRow } from './rows.ts'
import { requireState } from './states.ts'
import { ownKey } from './targets.ts'
import { DAY_MS, date, invalid, kms } from './words.ts'

export const EXPIRE_JOB = 'kms.expire-material'

const TOKEN_MS = DAY_MS
const VALID_MS_MAX = 365 * DAY_MS

const SCHEMES: Readonly<Record<string, Pick<Wrapping, 'scheme' | 'hash'>>> = {
  RSAES_OAEP_SHA_1: { scheme: 'oaep', hash: 'sha1' },
  RSAES_OAEP_SHA_256: { scheme: 'oaep', hash: 'sha256' },
  RSA_AES_KEY_WRAP_SHA_1: { scheme: 'aes-kwp', hash: 'sha1' },
  RSA_AES_KEY_WRAP_SHA_256: { scheme: 'aes-kwp', hash: 'sha256' },
}
const BITS: Readonly<Record<string, Wrapping['bits']>> = { RSA_2048: 2048, RSA_3072: 3072, RSA_4096: 4096 }

function requireExternal(row: KeyRow): void {
  if (row.origin === 'EXTERNAL') return
  throw originUnfit(row)
}

export const getParametersForImport = kms
  .operation('GetParametersForImport')
  .on(ownKey)
  .run(async (call, { WrappingAlgorithm, WrappingKeySpec }, { row }) => {
    requireExternal(row)
    requireState(row, 'GetParametersForImport')
    const scheme = SCHEMES[WrappingAlgorithm]
    const bits = BITS[WrappingKeySpec]
    if (!scheme || !bits) {
      const combination = `WrappingAlgorithm ${WrappingAlgorithm} with WrappingKeySpec ${WrappingKeySpec}`
      throw kms.fail('UnsupportedOperationException', `${combination} is not supported.`)
    }
    const expiresAt = call.now + TOKEN_MS
    const offer = await call.vault.materials.offerImport(homeOf(row), { ...scheme, bits }, expiresAt)
    return {
      KeyId: arnOf(row),
      ImportToken: offer.token,
      PublicKey: offer.publicKey,
      ParametersValidTo: date(expiresAt),
    }
  })

const REFUSALS: Readonly<Record<ImportRefusal, () => Error>> = {
  'bad-token': () => kms.fail('InvalidImportTokenException', 'The import token is not valid for this key.'),
  'expired-token': () => kms.fail('ExpiredImportTokenException', 'The import token has expired.'),
  undecryptable: silent.ciphertext,
  'wrong-material': () =>
    kms.fail('IncorrectKeyMaterialException', 'The key material does not fit the spec of the KMS key.'),
}

interface ExpiryInput {
  readonly ExpirationModel?: string | undefined
  readonly ValidTo?: Date | undefined
}

function expiryOf({ ExpirationModel, ValidTo }: ExpiryInput, now: number): number | undefined {
  if (ExpirationModel === 'KEY_MATERIAL_DOES_NOT_EXPIRE') {
    if (ValidTo) throw invalidInput.expiryForbidden()
    return undefined
  }
  if (!ValidTo) throw invalidInput.expiryNeeded()
  const expiresAt = ValidTo.getTime()
  if (expiresAt <= now || expiresAt > now + VALID_MS_MAX) {
    throw invalid('The validTo date must be in the future, by no more than 365 days.')
  }
  return expiresAt
}

export const importKeyMaterial = kms
  .operation('ImportKeyMaterial')
  .on(ownKey)
  .run(async (call, input, { row }) => {
    requireExternal(row)
    requireState(row, 'ImportKeyMaterial')
    const expiresAt = expiryOf(input, call.now)
    const made = await call.vault.materials.import(
      homeOf(row),
      row.spec,
      input.ImportToken,
      input.EncryptedKeyMaterial,
      call.now,
    )
    if (typeof made === 'string') throw REFUSALS[made]()
    if (input.KeyMaterialId !== undefined && input.KeyMaterialId !== made.id) throw notTheSame()

    const fresh =
      (input.ImportType ?? (row.materials.length === 0 ? 'NEW_KEY_MATERIAL' : 'EXISTING_KEY_MATERIAL')) ===
      'NEW_KEY_MATERIAL'
    const before = row.materials.find(({ id }) => id === made.id)
    if (before?.expiryJob) cancelJob(call.unit, before.expiryJob)
    const expiryJob = expiresAt === undefined ? undefined : keyJob(call.unit, EXPIRE_JOB, expiresAt, row, made.id)
    const material: MaterialRow = {
      ...(fresh ? added(row, made, before) : existing(before)),
      id: made.id,
      sealed: made.sealed,
      madeAt: call.now,
      ...(input.KeyMaterialDescription !== undefined && { description: input.KeyMaterialDescription }),
      ...(expiresAt !== undefined && { expiresAt }),
      ...(expiryJob !== undefined && { expiryJob }),
    }
    const materials = before
      ? row.materials.map((each) => (each === before ? material : each))
      : [...row.materials, material]
    const filled: KeyRow = {
      ...row,
      materials,
      current: row.current ?? made.id,
      ...(made.publicKey && { publicKey: made.publicKey.toString('base64') }),
    }
    const ready = row.state === 'PendingImport' && !lacksMaterial(filled)
    saveKey(call.unit, ready ? { ...filled, state: 'Enabled' } : filled)
    noteOwner(call.unit, row, made.id)
    if (material.pending && !before) await announce(call.unit, row, { id: made.id, madeAt: call.now, pending: true })
    return { KeyId: arnOf(row), ...(isSymmetric(row) && { KeyMaterialId: made.id }) }
  })

/** The Regions of a multi-Region key wait for the same material, each for its own copy. */
async function announce(unit: Unit, row: KeyRow, material: MaterialRow): Promise<void> {
  for (const each of await relatives(unit, row)) {
    if (each.region === row.region) continue
    saveKey(unit, { ...each, materials: [...each.materials, material] })
    noteOwner(unit, each, material.id)
  }
}

const notTheSame = () =>
  kms.fail(
    'IncorrectKeyMaterialException',
    'The key material is not the one that was imported into this KMS key before.',
  )

/** What stays of a material that comes back. */
function existing(before: MaterialRow | undefined): Partial<MaterialRow> {
  if (!before) throw notTheSame()
  const { expiresAt: _at, expiryJob: _job, sealed: _sealed, ...kept } = before
  return kept
}

/** The first takes its place at once; a later one waits for a rotation. */
function added(row: KeyRow, made: GeneratedMaterial, before: MaterialRow | undefined): Partial<MaterialRow> {
  if (row.materials.length === 0) return {}
  if (!isSymmetric(row)) {
    if (before && before.id === made.id) return existing(before)
    throw notTheSame()
  }
  if (isReplica(row)) {
    throw kms.fail(
      'UnsupportedOperationException',
      `${arnOf(row)} is a replica key: new key material is imported into its primary key first.`,
    )
  }
  if (before) {
    throw kms.fail('IncorrectKeyMaterialException', 'The key material has been imported into this KMS key before.')
  }
  const waiting = row.materials.find(({ pending }) => pending)
  if (waiting) throw materialPending(row, made.id, waiting.id)
  return { pending: true }
}

export const deleteImportedKeyMaterial = kms
  .operation('DeleteImportedKeyMaterial')
  .on(ownKey)
  .run(async (call, { KeyMaterialId }, { row }) => {
    requireExternal(row)
    requireState(row, 'DeleteImportedKeyMaterial')
    const id = KeyMaterialId ?? row.current
    const material = row.materials.find((each) => each.id === id)
    if (KeyMaterialId !== undefined && !material) {
      throw kms.fail('NotFoundException', `Key material ${KeyMaterialId} does not exist.`)
    }
    if (material) await empty(call.unit, row, material)
    return { KeyId: arnOf(row), ...(isSymmetric(row) && material && { KeyMaterialId: material.id }) }
  })

/** Takes the bytes away; which material it was stays known, so that only the same can come back. */
async function empty(unit: Unit, row: KeyRow, material: MaterialRow): Promise<void> {
  if (material.expiryJob) cancelJob(unit, material.expiryJob)
  // What was never in use is forgotten, unless the primary goes on waiting for it.
  if (!material.pending || isReplica(row)) return void saveKey(unit, emptied(row, material))
  for (const each of await relatives(unit, row)) {
    const there = each.materials.find(({ id }) => id === material.id)
    if (there?.expiryJob) cancelJob(unit, there.expiryJob)
    unit.delete(at.material(each.region, material.id))
    saveKey(unit, { ...each, materials: each.materials.filter(({ id }) => id !== material.id) })
  }
}

function emptied(row: KeyRow, material: MaterialRow): KeyRow {
  const { sealed: _sealed, expiresAt: _at, expiryJob: _job, ...kept } = material
  const works = row.state === 'Enabled' || row.state === 'Disabled'
  const state = works && !material.pending ? 'PendingImport' : row.state
  return { ...row, state, materials: row.materials.map((each) => (each === material ? kept : each)) }
}

async function expireMaterial(unit: Unit, { now }: JobContext, payload: KeyJob): Promise<void> {
  const row = await keyOfJob(unit, payload)
  const { materialId } = payload
  const material = row?.materials.find(({ id }) => id === materialId)
  if (!row || !material?.sealed || material.expiresAt === undefined || material.expiresAt > now) return
  await empty(unit, row, material)
  recordServiceEvent(unit, row, 'DeleteExpiredKeyMaterial', now, { keyMaterialId: material.id })
}

export const expireJob: ServiceJob<KeyJob> = { run: expireMaterial }
