/** For tests with a table for an IAM: accounts in no organisation, of which no more are made, and where nothing runs. */
import type { Ports } from './ports.ts'

export const loneAccounts: Pick<Ports, 'organizations' | 'accounts' | 'outbound' | 'functions' | 'blobs' | 'analyses'> =
  {
    organizations: { standing: async () => undefined, membership: async () => undefined },
    outbound: { get: () => Promise.reject(new Error('there is no world outside')) },
    functions: {
      refusal: () => 'no functions run here',
      faultIn: () => 'no functions run here',
      run: () => Promise.reject(new Error('no functions run here')),
    },
    blobs: {
      put: () => Promise.reject(new Error('no objects are kept here')),
      get: () => Promise.reject(new Error('no objects are kept here')),
      delete: async () => undefined,
      older: async () => [],
    },
    analyses: { analyze: () => Promise.reject(new Error('no policies are analyzed here')) },
    accounts: {
      create: () => Promise.reject(new Error('no accounts are made here')),
      close: () => Promise.reject(new Error('no accounts are closed here')),
      describe: async (_reader, account) => ({ name: account }),
    },
  }
