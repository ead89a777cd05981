/** Administration of the identity source of IAM Identity Center, which AWS has in its console only. */
import { MetadataError, parseRedirectProviderMetadata } from '../../engines/saml/metadata.ts'
import { instanceIdOf } from '../../kernel/identity-center.ts'
import { identityStore } from '../../kernel/ports/identity-store.ts'
import { ssoInstances } from '../../kernel/ports/sso-instances.ts'
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
  return {
    store: store.id,
    source: source ? 'SAML' : 'DIRECTORY',
    ...(source && { issuer: source.metadata.entityId, signOn: source.metadata.signOnByRedirect }),
    /** Below the web address: the entity ID and the metadata for the provider. */
    path: `/start/sign-in/saml/${store.id}`,
  }
}

export const identitySourceRoutes: Readonly<Record<string, Act>> = {
  'POST /identity-source/show': async ({ custody }, input) => {
    const { cloud } = custody.unsealed()
    return shown(cloud, await storeNamed(cloud, input))
  },
  /** `metadata`: XML of the provider; without it people sign in with passwords of the directory again. */
  'POST /identity-source/set': async ({ custody }, input) => {
    const { cloud } = custody.unsealed()
    const store = await storeNamed(cloud, input)
    const metadata = sourceIn(input['metadata'])
    await cloud.store.run((unit) =>
      cloud.use(ssoInstances).setExternalSource(unit, instanceIdOf(store.instanceArn) ?? '', metadata && { metadata }),
    )
    await custody.record('SetIdentitySource', { account: store.account, store: store.id })
    return shown(cloud, store)
  },
}

function sourceIn(document: unknown) {
  if (typeof document !== 'string') return undefined
  try {
    return parseRedirectProviderMetadata(document)
  } catch (error) {
    throw error instanceof MetadataError ? refused(`The metadata cannot be used: ${error.message}.`) : error
  }
}
