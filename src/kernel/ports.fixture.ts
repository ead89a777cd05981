/** For tests with a table for an IAM: accounts that are in no organisation, and of which no more are made. */
import type { Ports } from './ports.ts'

export const loneAccounts: Pick<Ports, 'organizations' | 'accounts' | 'outbound'> = {
  organizations: { standing: async () => undefined, membership: async () => undefined },
  outbound: { get: () => Promise.reject(new Error('there is no world outside')) },
  accounts: {
    create: () => Promise.reject(new Error('no accounts are made here')),
    close: () => Promise.reject(new Error('no accounts are closed here')),
    describe: async (_reader, account) => ({ name: account }),
  },
}
