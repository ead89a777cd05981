/** Administration from the command line: by the server's socket, or, when none runs, by this process for a moment. */
import { systemClock } from '../kernel/state/clock.ts'
import { createAdminApi } from '../server/admin/admin-api.ts'
import { type Complaint, callServer } from '../server/admin/admin-socket.ts'
import { openCloud } from '../server/compose/cloud.ts'
import { InstallationError, isInstalled } from '../server/compose/installation.ts'
import { createLogger } from '../server/compose/log.ts'
import { type Storage, type StorageOptions, storageOf } from '../server/compose/storage.ts'
import { factsOfThisProcess, unsafeIn } from '../server/trust/safe-process.ts'
import { SealManager, type SealManagerOptions } from '../server/trust/seal-manager.ts'

export const dataOption = {
  data: { type: 'string', value: 'DIR', about: 'the data directory (default .merlon)' },
} as const

export const storeOptions = {
  store: {
    type: 'string',
    value: 'URL',
    about: 'data that nodes share: postgres://USER@HOST/DATABASE (better in MERLON_STORE: others see this line)',
  },
  node: { type: 'string', value: 'NAME', about: 'with --store: what this node is called (default: made up once)' },
} as const

export const placeOptions = { ...dataOption, ...storeOptions } as const

/** The installation that a command means: the values of {@link placeOptions}. */
export interface InstallationOptions {
  readonly data?: string | undefined
  readonly store?: string | undefined
  readonly node?: string | undefined
}

export const folderOf = ({ data = '.merlon' }: InstallationOptions): string => data

export const storageAt = (
  place: InstallationOptions,
  more: Pick<StorageOptions, 'writerScript' | 'onEnd' | 'acceptRollback'> = {},
): Storage =>
  storageOf({
    data: folderOf(place),
    store: place.store ?? process.env['MERLON_STORE'],
    node: place.node ?? process.env['MERLON_NODE'],
    passwordFile: process.env['MERLON_STORE_PASSWORD_FILE'],
    ...more,
  })

/** A folder in this process's hands; for one thing, then to be closed. */
export function openCustody(
  place: InstallationOptions,
  options: Pick<SealManagerOptions, 'first' | 'only'>,
): Promise<SealManager> {
  return SealManager.open({
    data: folderOf(place),
    storage: storageAt(place),
    clock: systemClock,
    logger: createLogger('warn'),
    environment: process.env,
    openCloud: ({ store, keyring }) => openCloud({ store, unsealed: { tree: keyring }, clock: systemClock }),
    idle: true,
    ...options,
  })
}

/** Throws an `InstallationError` that names the obstacle. */
export async function callAdmin<T extends object>(
  place: InstallationOptions,
  route: string,
  input: object = {},
): Promise<T> {
  const data = folderOf(place)
  const request = { route, input: input as Readonly<Record<string, unknown>> }
  const response = await callServer(data, request)
  if (response) return response as T

  if (!storageAt(place).shared && !isInstalled(data))
    throw new InstallationError(
      `${data} is not a Merlon data directory. Create one: merlon init --data ${data}`,
      'MERLON_NOT_INITIALIZED',
    )
  const custody = await openCustody(place, isInstalled(data) ? {} : { only: 'existing' })
  try {
    const reasons = await custody.unsealAutomatically()
    if (reasons) {
      const why = reasons.length > 0 ? ` (${reasons.join('; ')})` : ''
      throw new InstallationError(
        `No server runs on ${data}, and it cannot be unsealed without people${why}. Start it and unseal it, then run the command again.`,
        'MERLON_NOT_RUNNING',
      )
    }
    const { status, body } = await createAdminApi(custody, () => ({ unsafe: unsafeIn(factsOfThisProcess()) }))(request)
    if (status !== 200) {
      const { message, code } = body as Complaint
      throw new InstallationError(message, code)
    }
    return body as T
  } finally {
    await custody.close()
  }
}
