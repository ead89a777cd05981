/**
 * The administration of the root of trust: what the Unix socket offers, and what the command line does directly when no
 * server runs. Secrets come in and shares go out; neither is ever logged.
 */
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { readWitness } from '../../kernel/log-integrity/checkpoint.ts'
import { keepVerification } from '../../kernel/log-integrity/verification.ts'
import { verifyLog } from '../../kernel/log-integrity/verify.ts'
import { CODE_LIFETIME_MS, createCode, enrolledPlanes, revokePlane } from '../../kernel/planes/enrollment.ts'
import { parseScope } from '../../kernel/planes/plane-scope.ts'
import { snapshots } from '../../kernel/planes/snapshot.ts'
import { randomKey } from '../../vault/aead.ts'
import { createKeyFile } from '../../vault/file-sealer.ts'
import { type NewSealer, named, openRootKey, type SealerRecord } from '../../vault/sealer.ts'
import { newKms } from '../../vault/sealers/kms.ts'
import { checkPassphrase, newPassphraseSettings, passphraseSeed } from '../../vault/sealers/passphrase.ts'
import { newPkcs11 } from '../../vault/sealers/pkcs11.ts'
import { splitSeed } from '../../vault/sealers/shamir.ts'
import { setOf } from '../../vault/sealers/share-text.ts'
import { TrustError, VaultError } from '../../vault/vault.ts'
import { eraseAccount } from '../compose/account-erasure.ts'
import { keyFileOf, newSealerId } from '../compose/installation.ts'
import { asOperatorError, codeOf } from '../compose/operator-errors.ts'
import { setRootSignIn } from '../compose/root-sign-in.ts'
import { why } from '../compose/why.ts'
import { listScimTokens, makeScimToken, removeScimToken, setPortalPassword } from '../directory-operator.ts'
import type { Health } from '../listen/health.ts'
import { exportSeed } from '../seed/export-seed.ts'
import { type BackupsRow, backupsOf, besideBackup, makeBackup, replaceKeyrings } from '../trust/backup.ts'
import { drill, verifyBackup } from '../trust/restore.ts'
import type { SealManager } from '../trust/seal-manager.ts'
import { automaticSeed, isAutomatic, keyFileSeed, kmsCaller, pinFrom } from '../trust/sealers.ts'
import { identitySourceRoutes } from './identity-source-routes.ts'
import { instanceRoutes } from './instance-routes.ts'
import { importNetworkEvents } from './network-events.ts'
import { samlApplicationRoutes } from './saml-application-routes.ts'
import { shownSealer } from './shown-sealer.ts'
import { trustReport } from './trust-report.ts'
import { UnsealAttempts } from './unseal-attempts.ts'

export interface AdminRequest {
  /** `POST /unseal` */
  readonly route: string
  readonly input: Readonly<Record<string, unknown>>
}

export interface AdminResponse {
  readonly status: number
  readonly body: object
}

type Input = AdminRequest['input']
export type Act = (desk: AdminContext, input: Input) => Promise<object>

export interface AdminContext {
  readonly custody: SealManager
  readonly entries: UnsealAttempts
  /** Facts about the process, for the report. */
  readonly process: () => object
  /** What `/health` says. */
  readonly health: () => Promise<Health>
}

export function createAdminApi(
  custody: SealManager,
  process: AdminContext['process'],
  health: AdminContext['health'] = async () => ({
    status: custody.sealed ? 'sealed' : custody.body().fenced ? 'fenced' : 'ok',
  }),
): (request: AdminRequest) => Promise<AdminResponse> {
  const desk: AdminContext = { custody, entries: new UnsealAttempts(() => custody.clock.now()), process, health }
  return async ({ route, input }) => {
    const act = routes[route]
    if (!act) return { status: 404, body: { message: `Unknown admin route: ${route}` } }
    try {
      // It may concern any service; the state, which is read often, concerns none.
      if (route !== 'GET /status') await custody.cloud?.whole()
      // A backup may take long, and sealing must not wait for it.
      const body = await (atAnyTime.has(route) ? act(desk, input) : custody.runExclusive(() => act(desk, input)))
      return { status: 200, body }
    } catch (error) {
      const shown = asOperatorError(error, { data: custody.data })
      if (!shown) throw error
      return { status: 400, body: { message: shown.message, code: codeOf(shown) } }
    }
  }
}

const routes: Readonly<Record<string, Act>> = {
  'GET /status': async ({ custody, entries, health }) => ({
    ...state(custody),
    health: await health(),
    entries: entries.progress(),
    streams: custody.cloud?.streams() ?? [],
  }),
  'GET /report': ({ custody, process }) => trustReport(custody, process()),
  'POST /seal': async ({ custody, entries }) => {
    entries.cancel()
    await custody.seal()
    return state(custody)
  },
  'POST /unseal': unseal,
  'POST /unseal/cancel': async ({ entries }) => {
    entries.cancel()
    return {}
  },
  'GET /sealers': async ({ custody }) => ({ sealers: custody.body().sealers.map(shownSealer) }),
  'POST /sealers': async ({ custody }, input) => {
    const { sealer, shares } = await newSealer(custody, input)
    // The seed is here and worked, except where people have still to prove that they can read what they wrote down.
    await custody.unsealed().keyring.addSealer(sealer, custody.clock.now(), { tested: shares === undefined })
    await custody.record('AddSealer', { sealer: sealer.id, kind: sealer.settings.kind })
    return { sealer: shownSealer(custody.unsealed().keyring.sealer(sealer.id)), ...(shares && { shares }) }
  },
  'POST /sealers/remove': async ({ custody, entries }, input) => {
    const id = text(input, 'id')
    await custody.unsealed().keyring.removeSealer(id, custody.clock.now())
    entries.cancel(id)
    await custody.record('RemoveSealer', { sealer: id })
    return { removed: id, copies: await replaceKeyrings(custody) }
  },
  'POST /sealers/test': test,
  'POST /rekey': async ({ custody }, input) => {
    const { keyring } = custody.unsealed()
    const old = keyring.body.sealers.find(({ settings, id }) =>
      input['id'] === undefined ? settings.kind === 'shamir' : id === input['id'],
    )
    if (!old)
      throw new TrustError(
        'MERLON_SEALER_UNAVAILABLE',
        'there are no shares to replace. Add some: merlon sealer add shamir',
      )
    for (const { id, replaces } of keyring.body.sealers)
      if (replaces === old.id) await keyring.removeSealer(id, custody.clock.now())
    const { sealer, shares } = await newSealer(custody, { kind: 'shamir', ...input })
    await keyring.addSealer(sealer, custody.clock.now(), { tested: false, replaces: old.id })
    await custody.record('BeginRekey', { sealer: sealer.id, replaces: old.id })
    return { sealer: shownSealer(keyring.sealer(sealer.id)), shares }
  },
  'POST /rotate-root': async ({ custody }) => {
    const rootVersion = await custody.unsealed().keyring.rotateRoot()
    const copies = await replaceKeyrings(custody)
    await custody.record('RotateRootKey', { rootVersion })
    return { rootVersion, copies }
  },
  'POST /root-password': async ({ custody }, input) => {
    const { account } = optional(input, 'account')
    const { cloud } = custody.unsealed()
    const id = await setRootSignIn(cloud, { account, email: text(input, 'email'), password: text(input, 'password') })
    await custody.record('SetRootPassword', { account: id })
    return { account: id }
  },
  'POST /scim-token': async ({ custody }, input) => {
    const { store } = optional(input, 'store')
    const made = await makeScimToken(custody.unsealed().cloud, store)
    await custody.record('CreateScimToken', { account: made.account, store: made.store, token: made.id })
    return made
  },
  'POST /scim-token/list': ({ custody }, input) =>
    listScimTokens(custody.unsealed().cloud, optional(input, 'store').store),
  'POST /scim-token/delete': async ({ custody }, input) => {
    const token = text(input, 'token')
    const { store, account } = await removeScimToken(custody.unsealed().cloud, optional(input, 'store').store, token)
    await custody.record('DeleteScimToken', { account, store, token })
    return { store, token }
  },
  ...samlApplicationRoutes,
  ...identitySourceRoutes,
  ...instanceRoutes,
  'POST /portal-password': async ({ custody }, input) => {
    const { store } = optional(input, 'store')
    const { cloud } = custody.unsealed()
    const userName = text(input, 'user')
    const set = await setPortalPassword(cloud, {
      store,
      userName,
      password: text(input, 'password'),
      isOneTime: input['oneTime'] === true,
    })
    await custody.record('SetPortalPassword', { account: set.account, store: set.store, user: userName })
    return { store: set.store }
  },
  'POST /backup': ({ custody }, input) =>
    makeBackup(custody, { file: text(input, 'file'), ...optional(input, 'keyring') }),
  'POST /backup/verify': ({ custody }, input) => rehearse(custody, input),
  'POST /store/copy': copy,
  'POST /audit/verify': audit,
  'POST /policy/why': async ({ custody }, input) => {
    const { cloud } = custody.unsealed()
    const explained = await why(cloud, text(input, 'event'))
    await custody.record('ExplainEvent', { id: text(input, 'event') })
    return explained
  },
  'GET /audit/key': async ({ custody }) => ({
    publicKey: custody.unsealed().cloud.vault.installationPublicKey().toString('base64'),
  }),
  'POST /planes/enroll': async ({ custody }, input) => {
    const { store, cloud } = custody.unsealed()
    const plane = text(input, 'plane')
    if (!cloud.use(snapshots).planes.includes(plane))
      throw new VaultError(`no service publishes snapshots for a plane named '${plane}'.`)
    const scope = parseScope(input['scope'])
    if (scope && !cloud.use(snapshots).scopedPlanes.includes(plane))
      throw new VaultError(`planes named '${plane}' have no scope: they get all of their snapshot.`)
    const code = await store.run((unit) => createCode(unit, cloud.vault, plane, custody.clock.now(), scope))
    await custody.record('CreatePlaneCode', { plane, ...(scope && { scope }) })
    return { plane, code, expiresInMs: CODE_LIFETIME_MS }
  },
  'GET /planes': async ({ custody }) => ({ planes: await enrolledPlanes(custody.unsealed().store.reader) }),
  'POST /planes/revoke': async ({ custody }, input) => {
    const [plane, node] = [text(input, 'plane'), text(input, 'node')]
    const isRevoked = await custody.unsealed().store.run((unit) => revokePlane(unit, plane, node))
    if (!isRevoked) throw new VaultError(`no plane ${plane} is enrolled under the name ${node}.`)
    await custody.record('RevokePlane', { plane, node })
    return { plane, node }
  },
  'POST /network-events': async ({ custody }, input) => {
    const results = await importNetworkEvents(custody.unsealed().cloud, input['events'])
    await custody.record('ImportNetworkEvents', { results })
    return { results }
  },
  'POST /accounts/erase': ({ custody }, input) => eraseAccount(custody, text(input, 'account')),
  'POST /export': async ({ custody }, input) => {
    const { region } = optional(input, 'region')
    const exported = await exportSeed(custody.unsealed().cloud, region)
    await custody.record('Export', { accounts: exported.seed.accounts.length })
    return exported
  },
  'POST /activate': async ({ custody }) => {
    const { keyring } = custody.unsealed()
    if (!keyring.body.fenced) throw new VaultError('this installation is active already')
    await custody.activate()
    await custody.record('Activate', { epoch: keyring.body.epoch })
    return state(custody)
  },
}

const atAnyTime: ReadonlySet<string> = new Set([
  'GET /status',
  'GET /report',
  'POST /backup',
  'POST /backup/verify',
  'POST /store/copy',
  'POST /audit/verify',
  'POST /export',
])

export function state(custody: SealManager) {
  const { installId, epoch, rootVersion, sealers, fenced } = custody.body()
  return {
    state: custody.sealed ? 'sealed' : fenced ? 'fenced' : 'unsealed',
    installId,
    epoch,
    rootVersion,
    sealers: sealers.map(shownSealer),
  }
}

async function unseal(desk: AdminContext, input: Input): Promise<object> {
  const { custody } = desk
  if (!custody.sealed) return state(custody)
  const options = { acceptRollback: input['acceptRollback'] === true }
  if (input['share'] === undefined && input['passphrase'] === undefined) {
    const reasons = await custody.unsealAutomatically(options)
    if (!reasons) return state(custody)
    const needed = custody
      .body()
      .sealers.filter((sealer) => !isAutomatic(sealer))
      .map(shownSealer)
    return { ...state(custody), reasons, needed }
  }
  const opened = await seedByPeople(desk, chosen(desk, input), input)
  if ('progress' in opened) return { ...state(custody), progress: opened.progress }
  await custody.unsealWith(opened.sealer, opened.seed, options)
  desk.entries.cancel()
  return state(custody)
}

async function copy({ custody }: AdminContext, input: Input): Promise<object> {
  // Only who needs its client loads it.
  const { copyInstallation } = await import('../compose/store-copy.ts')
  const {
    data,
    store: url,
    passwordFile,
  } = { ...optional(input, 'data'), ...optional(input, 'store'), ...optional(input, 'passwordFile') }
  const to = url === undefined ? { data: text(input, 'data') } : { store: { url, passwordFile } }
  const copied = await copyInstallation(custody, to)
  // An address may hold a password.
  await custody.record('CopyStore', { ...copied, to: data ?? 'a database' })
  return copied
}

/** With the keyring in the backup's directory, since that is what a real restore would use. */
async function rehearse(custody: SealManager, input: Input): Promise<object> {
  const file = text(input, 'file')
  const { keyring, store } = custody.unsealed()
  const copy = await keyring.openCopy(optional(input, 'keyring')['keyring'] ?? besideBackup(file))
  try {
    if (input['drill'] !== true) return await verifyBackup(file, copy)
    const drilled = await drill(file, copy, tmpdir())
    await store.run(async (unit) => {
      const at = backupsOf(store.node)
      const row = await unit.get<BackupsRow>(at)
      if (row) unit.put(at, { ...row, lastDrillAt: custody.clock.now() } satisfies BackupsRow)
    })
    await custody.record('DrillBackup', { file })
    return drilled
  } finally {
    copy.wipe()
  }
}

/** The whole log, against its checkpoints and those in a witness's file. */
async function audit({ custody }: AdminContext, input: Input): Promise<object> {
  const { store, cloud } = custody.unsealed()
  const { witness } = optional(input, 'witness')
  const witnessed = witness === undefined ? [] : readWitness(readFileSync(witness, 'utf8'))
  const verdict = await verifyLog(store, cloud.vault, witnessed)
  const { records, findings } = verdict
  await store.run(async (unit) =>
    keepVerification(unit, { at: custody.clock.now(), records, findings: findings.length }),
  )
  await custody.record('VerifyAudit', { records: verdict.records, findings: verdict.findings.length })
  return verdict
}

/** Opens the root key once more by one sealer: nothing less proves that it would. */
async function test(desk: AdminContext, input: Input): Promise<object> {
  const { custody } = desk
  const { keyring } = custody.unsealed()
  const sealer = keyring.sealer(text(input, 'id'))
  const opened = isAutomatic(sealer)
    ? { sealer, seed: await automaticSeed(custody, keyring.body, sealer) }
    : await seedByPeople(desk, sealer, input)
  if ('progress' in opened) return { progress: opened.progress }
  const rootKey = openRootKey(keyring.body, sealer, opened.seed)
  const same = await keyring.holds(rootKey)
  rootKey.fill(0)
  if (!same) throw new TrustError('MERLON_SEALER_UNAVAILABLE', `${named(sealer)} opens another root key.`)
  await keyring.tested(sealer.id, custody.clock.now())
  await custody.record('TestSealer', { sealer: sealer.id, ...(sealer.replaces && { replaced: sealer.replaces }) })
  if (!sealer.replaces) return { tested: sealer.id }
  return { tested: sealer.id, removed: sealer.replaces, copies: await replaceKeyrings(custody) }
}

async function seedByPeople(desk: AdminContext, sealer: SealerRecord, input: Input) {
  const { installId } = desk.custody.body()
  if (sealer.settings.kind === 'passphrase')
    return { sealer, seed: await passphraseSeed(sealer.settings, text(input, 'passphrase')) }
  const nonce = optional(input, 'nonce')['nonce']
  const { progress, seed } = await desk.entries.add(installId, sealer, text(input, 'share'), nonce)
  return seed ? { sealer, seed } : { progress }
}

/**
 * The sealer that is named; else that of the unseal attempt in progress, so that a share of another set is detected;
 * else the one that the share names.
 */
function chosen({ custody, entries }: AdminContext, input: Input): SealerRecord {
  const kind = input['share'] === undefined ? 'passphrase' : 'shamir'
  const possible = custody.body().sealers.filter(({ settings }) => settings.kind === kind)
  const id = input['id'] ?? entries.progress()[0]?.sealer
  const set = kind === 'shamir' ? setOf(text(input, 'share')) : undefined
  const found =
    possible.find((sealer) => sealer.id === id) ??
    (input['id'] === undefined
      ? (possible.find(({ settings }) => settings.kind === 'shamir' && settings.set === set) ?? possible[0])
      : undefined)
  if (!found)
    throw new TrustError(
      'MERLON_SEALER_UNAVAILABLE',
      `no sealer here is opened by a ${kind === 'shamir' ? 'share' : kind}.`,
    )
  return found
}

/** A new sealer as requested, with its seed; the shares are in the response and nowhere else. */
export async function newSealer(
  at: Pick<SealManager, 'data' | 'environment'> & { body(): { readonly installId: string } },
  input: Input,
): Promise<{ readonly sealer: NewSealer; readonly shares?: readonly string[] }> {
  const id = newSealerId()
  const { installId } = at.body()
  switch (input['kind']) {
    case 'file': {
      const path = text(input, 'path')
      createKeyFile(keyFileOf(at.data, path)).rootKey.fill(0)
      return { sealer: { id, settings: { kind: 'file', path }, seed: keyFileSeed(keyFileOf(at.data, path)) } }
    }
    case 'passphrase': {
      const passphrase = text(input, 'passphrase')
      checkPassphrase(passphrase)
      const settings = newPassphraseSettings()
      return { sealer: { id, settings, seed: await passphraseSeed(settings, passphrase) } }
    }
    case 'shamir': {
      const seed = randomKey()
      const count = { shares: Number(input['shares'] ?? 5), threshold: Number(input['threshold'] ?? 3) }
      const { settings, texts } = await splitSeed(installId, seed, count)
      return { sealer: { id, settings, seed }, shares: texts }
    }
    case 'pkcs11': {
      const pin = optional(input, 'pin')['pin'] ?? pinFrom(at.environment)
      const token = { module: text(input, 'module'), token: text(input, 'token'), pin }
      return { sealer: { id, ...(await newPkcs11(installId, id, token)) } }
    }
    case 'kms': {
      const address = { keyId: text(input, 'keyId'), region: text(input, 'region'), endpoint: text(input, 'endpoint') }
      return { sealer: { id, ...(await newKms(installId, id, address, kmsCaller(at.environment, address))) } }
    }
    default:
      throw new VaultError(`there is no such kind of sealer; there are file, passphrase, shamir, pkcs11 and kms`)
  }
}

function text(input: Input, name: string): string {
  const value = input[name]
  if (typeof value !== 'string' || value === '') throw new VaultError(`'${name}' is missing`)
  return value
}

function optional<N extends string>(input: Input, name: N): { readonly [K in N]?: string } {
  return typeof input[name] === 'string' ? ({ [name]: input[name] } as { readonly [K in N]: string }) : {}
}
