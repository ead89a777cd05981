/** The cloud of a development server: in memory, with a movable clock, made again by a reset. */
import type { RootKey } from '../../kernel/ports/bootstrap.ts'
import { deliveredMail } from '../../kernel/ports/delivered-mail.ts'
import { mail } from '../../kernel/ports/mail.ts'
import { provide } from '../../kernel/ports/port.ts'
import { DevelopmentClock } from '../../kernel/state/clock.ts'
import { memoryMailer } from '../../planes/mailer/memory.ts'
import { openStore } from '../../store/sqlite.ts'
import { ephemeralUnsealed } from '../../vault/ephemeral.ts'
import { type OneAccountAtATime, oneAccountAtATime, ownedStore } from '../dev/account-reset.ts'
import { answerDevelopment } from '../dev/development.ts'
import { type Administrator, addAdministrator, applySeed } from '../seed/apply-seed.ts'
import type { Seed } from '../seed/seed-format.ts'
import { openCloud } from './cloud.ts'
import { chooseAccountId } from './installation.ts'
import { type Common, type Opened, troubles, type WithPlane } from './opened.ts'
import { isLoopback, refuseBeyondLoopback } from './safe-address.ts'
import type { DevelopmentOptions, ServerOptions } from './server-options.ts'

const DEVELOPMENT_ACCOUNT = '123456789012'

export async function openDevelopment(
  world: DevelopmentOptions,
  { host, allowsRemoteDevelopment, logger }: ServerOptions,
  common: Common,
  withPlane: WithPlane,
): Promise<Opened> {
  if (!allowsRemoteDevelopment)
    refuseBeyondLoopback(
      host,
      'this is a development server',
      ' In a container, or on a network that you trust: --allow-remote-dev.',
    )
  else if (!isLoopback(host))
    logger.log('warn', 'development server beyond this machine: its root key moves the clock and removes all data', {
      host,
    })
  const clock = new DevelopmentClock()
  const defaultId = chooseAccountId(world.accountId ?? DEVELOPMENT_ACCOUNT)
  // The same keys after a reset, so that clients need not be configured again.
  let keys = new Map<string, RootKey>(world.rootKey ? [[defaultId, world.rootKey]] : [])
  const seed: Seed = {
    ...world.seed,
    accounts: [
      ...(world.seed?.accounts ?? []),
      ...(world.seed?.accounts.some(({ id }) => id === defaultId) ? [] : [{ id: defaultId }]),
    ],
  }
  let administrator: Administrator | undefined
  let mailbox = memoryMailer()
  const open = async (): Promise<OneAccountAtATime> => {
    const owned = ownedStore(await openStore({ file: ':memory:' }))
    const { store } = owned
    mailbox = memoryMailer()
    const inbox = mailbox
    const provides = common.provides ?? [
      provide(mail, inbox),
      provide(deliveredMail, { delivered: () => inbox.delivered() }),
    ]
    const options = { ...common, ...troubles(logger), provides }
    const opened = withPlane(await openCloud({ store, unsealed: ephemeralUnsealed(), clock, ...options }))
    keys = await applySeed(opened, seed, keys)
    if (world.seed === undefined) administrator = await addAdministrator(opened, defaultId, administrator)
    return oneAccountAtATime(opened, owned)
  }

  let { cloud, resetAccount } = await open()
  const development = {
    clock,
    cloud: () => cloud,
    mail: () => mailbox.delivered(),
    seed: async (more: Seed) => void (keys = new Map([...keys, ...(await applySeed(cloud, more, keys, keys))])),
    resetAccount: (account: string) => resetAccount(account),
    reset: async () => {
      const before = cloud
      clock.reset()
      ;({ cloud, resetAccount } = await open())
      cloud.start()
      await before.close()
    },
  }
  return {
    during: (work) => work(cloud),
    date: () => new Date(clock.now()).toUTCString(),
    begin: async () => {
      cloud.start()
      return [...keys].map(([accountId, rootKey]) => ({
        accountId,
        rootKey,
        ...(accountId === defaultId && administrator && { administrator }),
      }))
    },
    sealed: () => false,
    store: () => cloud.store,
    fenced: () => false,
    development: (request) => answerDevelopment(development, request),
    close: () => cloud.close(),
  }
}
