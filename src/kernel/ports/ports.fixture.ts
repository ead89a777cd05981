/**
 * For tests with a table for an IAM: accounts in no organization, of which no more are created, and where nothing runs.
 */
import { PortTable } from './port.ts'
import type { Ports } from './ports.ts'

/** Nothing is provided. */
export const { use: noPorts } = new PortTable()

export const standaloneAccounts: Pick<
  Ports,
  'organizations' | 'accounts' | 'keys' | 'outbound' | 'functions' | 'blobs' | 'analyses'
> = {
  organizations: { standing: async () => undefined, membership: async () => undefined, accountsOf: async () => [] },
  outbound: { get: () => Promise.reject(new Error('there is no world outside')) },
  functions: {
    refusal: () => 'no functions run here',
    faultIn: async () => 'no functions run here',
    run: () => Promise.reject(new Error('no functions run here')),
  },
  analyses: {
    analyze: () => Promise.reject(new Error('no policies are analyzed here')),
    lint: () => Promise.reject(new Error('no policies are analyzed here')),
  },
  keys: { arnOf: async () => undefined },
  blobs: {
    put: () => Promise.reject(new Error('no objects are kept here')),
    get: () => Promise.reject(new Error('no objects are kept here')),
    delete: async () => undefined,
    older: async () => [],
  },
  accounts: {
    create: () => Promise.reject(new Error('no accounts are made here')),
    close: () => Promise.reject(new Error('no accounts are closed here')),
    describe: async (_reader, account) => ({ name: account }),
  },
}
