/** The cloud of a data directory: sealed until its root key is there, and served to operators on the machine's socket. */
import { systemClock } from '../../kernel/state/clock.ts'
import { folderBlobs } from '../../planes/objects/folder.ts'
import { createAdminApi } from '../admin/admin-api.ts'
import { type AdminSocket, listenForAdmin } from '../admin/admin-socket.ts'
import { replaceKeyrings } from '../trust/backup.ts'
import {
  factsOfThisProcess,
  forbidCoreDumps,
  ignoreDebuggerSignal,
  refuseUnsafe,
  unsafeIn,
} from '../trust/safe-process.ts'
import { SealManager } from '../trust/seal-manager.ts'
import { isAutomatic } from '../trust/sealers.ts'
import { openCloud } from './cloud.ts'
import { firstAccount } from './first-account.ts'
import { InstallationError, objectsOf } from './installation.ts'
import type { Logger } from './log.ts'
import { type Common, type Opened, troubles, type WithPlane } from './opened.ts'
import { asOperatorError } from './operator-errors.ts'
import { refuseBeyondLoopback, refusePlainHttp } from './safe-address.ts'
import type { DurableOptions, RunningServer, ServerOptions } from './server-options.ts'

export async function openDurable(
  world: DurableOptions,
  options: ServerOptions,
  common: Common,
  withPlane: WithPlane,
  onSealed: () => Promise<void>,
): Promise<Opened> {
  const { host, logger } = options
  ignoreDebuggerSignal()
  let made: RunningServer['made'] = []
  const reportTrouble = troubles(logger)
  const custody = await SealManager.open({
    data: world.data,
    clock: systemClock,
    logger,
    storage: world.storage,
    onSealed,
    onDestroyed: async (custody) => void (await replaceKeyrings(custody)),
    environment: process.env,
    openCloud: async ({ store, keyring }) =>
      withPlane(
        await openCloud({
          store,
          unsealed: { tree: keyring },
          clock: systemClock,
          ...common,
          blobs: common.blobs ?? store.blobs ?? folderBlobs(objectsOf(world.data)),
          ...reportTrouble,
        }),
      ),
    onUnsealed: async (cloud) => {
      made = await firstAccount(cloud, world.accountId)
    },
  })
  try {
    if (!custody.keyBesideData) forbidCoreDumps()
    const facts = factsOfThisProcess()
    if (custody.keyBesideData) refuseBeyondLoopback(host, 'the root key is in a file in the data directory')
    else refuseUnsafe(facts)
    refusePlainHttp(options)
    let socket: AdminSocket | undefined
    return {
      during: (work, otherwise) => custody.during(work, otherwise),
      begin: async (health) => {
        await unsealOrWait(custody, world, logger)
        const desk = createAdminApi(custody, () => ({ unsafe: unsafeIn(facts) }), health)
        socket = await listenForAdmin(world.data, desk, logger)
        return made
      },
      sealed: () => custody.sealed,
      store: () => (custody.sealed ? undefined : custody.unsealed().store),
      fenced: () => !custody.sealed && custody.body().fenced === true,
      close: async () => {
        await socket?.close()
        await custody.close()
      },
    }
  } catch (error) {
    await custody.close()
    throw error
  }
}

/** A server that nothing but a file could unseal does not wait for a person who cannot help it. */
async function unsealOrWait(custody: SealManager, world: DurableOptions, logger: Logger): Promise<void> {
  const reasons = await custody
    .unsealAutomatically({ acceptRollback: world.acceptRollback ?? false })
    .catch((error: unknown) => {
      throw asOperatorError(error, { data: world.data }) ?? error
    })
  if (!reasons) return
  const { sealers } = custody.body()
  // On data that nodes share another one may add a sealer, and its key file may yet come here.
  if (!custody.shared && sealers.every(({ settings }) => settings.kind === 'file'))
    throw new InstallationError(
      `no sealer unlocks the root key. Put back the key file that belongs to this data directory. ${reasons.join('. ').replaceAll('MERLON_SEALER_UNAVAILABLE: ', '')}`,
      'MERLON_SEALER_UNAVAILABLE',
    )
  const people = sealers.filter((sealer) => !isAutomatic(sealer)).map(({ settings }) => settings.kind)
  logger.log('warn', 'sealed: run merlon unseal', { reasons, people })
}
