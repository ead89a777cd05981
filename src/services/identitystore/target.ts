/** What operations act on inside an identity store, and which accounts may call them. */
import type { Call } from '../../kernel/gate/call.ts'
import { administration } from '../../kernel/identity-center.ts'
import type { Conditions } from '../../kernel/resource/conditions.ts'
import type { ResourceFacts } from '../../kernel/resource/facts.ts'
import type { ResolvedTarget, Target } from '../../kernel/resource/target.ts'
import type { Change } from './directory.ts'
import { identitystore, type StoreRow, storeKey } from './rows.ts'

/** What the handler gets: the store, what was found in it, and what changes need. */
export interface InStore<R> {
  readonly store: StoreRow
  readonly row: R
  readonly change: Change
}

/** What a request names in a store. The last resource is what the audit log shows; all have to be allowed. */
export interface Located<R> {
  readonly on: readonly { readonly kind: 'user' | 'group' | 'membership'; readonly id: string }[]
  readonly row: R | undefined
  readonly missing?: string
  /** Issuers of the external IDs of what was found. */
  readonly issuers?: { readonly user?: readonly string[]; readonly group?: readonly string[] }
}

const TYPES = { user: 'User', group: 'Group', membership: 'GroupMembership' } as const

const forbidden = () =>
  identitystore.fail('AccessDeniedException', 'The account does not administer this identity store.')
export const noSuch = (type: string, id: string) =>
  identitystore.fail('ResourceNotFoundException', `${type} not found: ${id}`, { ResourceType: type.toUpperCase() })

export function inStore<I extends { readonly IdentityStoreId: string }, R>(
  locate: (store: StoreRow, input: I, call: Call) => Promise<Located<R>> | Located<R>,
): Target<I, InStore<R>> {
  return {
    find: async (call, input): Promise<ResolvedTarget<InStore<R>>> => {
      const { IdentityStoreId: id } = input
      const found = await call.unit.get<StoreRow>(storeKey(id))
      const role = found && (await administration(call, found.account))
      const store = found && role === 'administrator' && found.region === call.region ? found : undefined
      const storeFacts: ResourceFacts = {
        // A denial names what the caller wrote; another account's store is not shown to exist.
        arn: `arn:aws:identitystore::${store?.account ?? call.account}:identitystore/${id}`,
        type: 'AWS::IdentityStore::IdentityStore',
        account: call.account,
      }
      const located = store ? await locate(store, input, call) : { on: [], row: undefined }
      const conditions = conditionsOf(store, located)
      const facts = [
        storeFacts,
        ...located.on.map(
          ({ kind, id }): ResourceFacts => ({
            arn: `arn:aws:identitystore:::${kind}/${id}`,
            type: `AWS::IdentityStore::${TYPES[kind]}`,
            account: call.account,
          }),
        ),
      ].map((each) => ({ ...each, conditions }))
      const acted = facts.at(-1)!
      for (const each of facts.slice(0, -1)) await call.authorize(`identitystore:${call.operation}`, each, conditions)
      if (!store) {
        const isForbidden = found !== undefined && role === 'member'
        return { acted, row: undefined, missing: () => (isForbidden ? forbidden() : noSuch('Identity_Store', id)) }
      }
      if (located.row === undefined) {
        const [type = 'RESOURCE', named = ''] = ('missing' in located ? (located.missing ?? '') : '').split(' ')
        return { acted, row: undefined, missing: () => noSuch(type, named) }
      }
      return { acted, row: { store, row: located.row, change: changeBy(call, store.id) } }
    },
  }
}

export const changeBy = (call: Call, storeId: string): Change => ({
  unit: call.unit,
  now: call.now,
  storeId,
  by: 'arn' in call.caller.principal ? call.caller.principal.arn : call.caller.principal.kind,
  newId: call.newId,
})

function conditionsOf(store: StoreRow | undefined, { issuers }: Pick<Located<unknown>, 'issuers'>): Conditions {
  return {
    'identitystore:PrimaryRegion': store?.region,
    ...(issuers?.user && issuers.user.length > 0 && { 'identitystore:UserExternalIdIssuers': issuers.user }),
    ...(issuers?.group && issuers.group.length > 0 && { 'identitystore:GroupExternalIdIssuers': issuers.group }),
  }
}

export const theStore = <I extends { readonly IdentityStoreId: string }>(): Target<I, InStore<true>> =>
  inStore(() => ({ on: [], row: true }))
