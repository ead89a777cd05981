/** Administration of the identity source of IAM Identity Center, which AWS has in its console only. */
import { MetadataError, parseRedirectProviderMetadata } from '../../engines/saml/metadata.ts'
import { instanceIdOf } from '../../kernel/identity-center.ts'
import { directoryLogin } from '../../kernel/ports/directory-login.ts'
import { type IdentityStoreFacts, identityStore } from '../../kernel/ports/identity-store.ts'
import { type DirectorySource, type SamlSource, ssoInstances } from '../../kernel/ports/sso-instances.ts'
import type { Cloud } from '../compose/cloud.ts'
import { InstallationError } from '../compose/operator-errors.ts'
import type { Act, AdminRequest } from './admin-api.ts'

const refused = (text: string) => new InstallationError(text, 'MERLON_IDENTITY_CENTER_REFUSED')

async function storeNamed(cloud: Cloud, input: AdminRequest['input']) {
  const named = input['store']
  const id = typeof named === 'string' ? named : (await cloud.use(ssoInstances).only(cloud.store.reader))?.storeId
  const found = id === undefined ? undefined : await cloud.use(identityStore).find(cloud.store.reader, id)
  if (!found) throw refused('Name the identity store with --store: there is none of that ID, or more than one.')
  return found
}

async function shown(cloud: Cloud, store: Awaited<ReturnType<typeof storeNamed>>) {
  const source = await cloud.use(ssoInstances).externalSource(cloud.store.reader, store.instanceArn)
  const directory = source && 'directoryId' in source ? source : undefined
  return {
    store: store.id,
    source: directory ? 'ACTIVE_DIRECTORY' : source ? 'SAML' : 'DIRECTORY',
    ...(source &&
      'metadata' in source && { issuer: source.metadata.entityId, signOn: source.metadata.signOnByRedirect }),
    ...(directory && {
      directoryId: directory.directoryId,
      groups: directory.groups,
      sync: (await cloud.use(identityStore).syncStatus(cloud.store.reader, store.id)) ?? null,
    }),
    /** Below the web address: the entity ID and the metadata for the provider. */
    path: `/start/sign-in/saml/${store.id}`,
  }
}

export const identitySourceRoutes: Readonly<Record<string, Act>> = {
  'POST /identity-source/show': async ({ custody }, input) => {
    const { cloud } = custody.unsealed()
    return shown(cloud, await storeNamed(cloud, input))
  },
  /**
   * `metadata`: XML of a SAML provider. `directory`: the ID of a directory, with names of `groups`. Without either, people
   * sign in with passwords of the store again.
   */
  'POST /identity-source/set': async ({ custody }, input) => {
    const { cloud } = custody.unsealed()
    const store = await storeNamed(cloud, input)
    const source = samlIn(input['metadata']) ?? (await directoryIn(cloud, store, input))
    const now = cloud.clock.now()
    await cloud.store.run(async (unit) => {
      await cloud.use(ssoInstances).setExternalSource(unit, instanceIdOf(store.instanceArn) ?? '', source)
      if (source && 'directoryId' in source) await cloud.use(identityStore).scheduleSync(unit, store, { now })
    })
    await custody.record('SetIdentitySource', { account: store.account, store: store.id })
    return shown(cloud, store)
  },
  /** Synchronizes now. `isDeletionAllowed`: even when most of the people would be deleted. */
  'POST /identity-source/sync': async ({ custody }, input) => {
    const { cloud } = custody.unsealed()
    const store = await storeNamed(cloud, input)
    const source = await cloud.use(ssoInstances).externalSource(cloud.store.reader, store.instanceArn)
    if (!source || !('directoryId' in source))
      throw refused('The identity source is not a directory that is synchronized.')
    const options = { now: cloud.clock.now(), isDeletionAllowed: input['isDeletionAllowed'] === true }
    await cloud.store.run((unit) => cloud.use(identityStore).scheduleSync(unit, store, options))
    await custody.record('SynchronizeIdentitySource', { account: store.account, store: store.id })
    return shown(cloud, store)
  },
}

function samlIn(document: unknown): SamlSource | undefined {
  if (typeof document !== 'string') return undefined
  try {
    return { metadata: parseRedirectProviderMetadata(document) }
  } catch (error) {
    throw error instanceof MetadataError ? refused(`The metadata cannot be used: ${error.message}.`) : error
  }
}

const GROUPS_MAX = 100

async function directoryIn(
  cloud: Cloud,
  store: IdentityStoreFacts,
  { directory, groups = [] }: AdminRequest['input'],
): Promise<DirectorySource | undefined> {
  if (typeof directory !== 'string') return undefined
  const found = await cloud.use(directoryLogin).find(directory)
  if (found?.accountId !== store.account)
    throw refused(`There is no active directory ${directory} in the account ${store.account} of the instance.`)
  if (!Array.isArray(groups) || groups.length > GROUPS_MAX || !groups.every(isGroupName))
    throw refused(`A source has at most ${GROUPS_MAX} groups, each of 1 to 256 characters.`)
  return { directoryId: found.directoryId, groups }
}

const isGroupName = (name: unknown): name is string => typeof name === 'string' && name !== '' && name.length <= 256
