/** The issued certificates of an account and Region by domain, in memory until one of them changes. */
import { DerivedCache } from '../../src/kernel/state/derived.ts'
import type { Store } from '../../src/store/store.ts'
import type { IssuedDomainsPort } from './port.ts'
import { certificate } from './resource.ts'

export function domainIndex(store: Store): IssuedDomainsPort {
  const byPlace = new DerivedCache<ReadonlyMap<string, string>>(store, async (reader, place) => {
    const [account = '', region = ''] = place.split('/')
    const rows = (await certificate.list(reader, { account, region })).map(({ document }) => document)
    return new Map(rows.filter(({ progress }) => progress.state === 'ISSUED').map(({ domain, id }) => [domain, id]))
  })
  return { idOf: async ({ account, region }, domain) => (await byPlace.get(`${account}/${region}`)).get(domain) }
}
