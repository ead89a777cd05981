/**
 * A harness for tests of single operations: the real store and vault, the real targets and bodies, but no gate. What
 * the gate adds (signatures, validation, policies, the audit log) is tested where the whole is put together.
 */
import type { Call } from '../../kernel/gate/call.ts'
import type { Subject } from '../../kernel/gate/session.ts'
import { noPorts, standaloneAccounts } from '../../kernel/ports/ports.fixture.ts'
import { absenceIn } from '../../kernel/resource/absent-keys.ts'
import { uniqueId } from '../../kernel/service/id.ts'
import { quotaDefaults } from '../../kernel/service/quota.ts'
import type { Operation } from '../../kernel/service/service.ts'
import { checkSecret } from '../../kernel/state/failure-budget.ts'
import type { Principal } from '../../policy/principal.ts'
import { openStore } from '../../store/sqlite.ts'
import type { Unit } from '../../store/store.ts'
import { ephemeralVault } from '../../vault/ephemeral.ts'
import { type UserRow, user } from './resources.ts'

export const account = '111122223333'

export interface Desk {
  now: number
  readonly asked: string[]
  /** As the root user, unless a user's name is passed. */
  run<T = Record<string, unknown>>(operation: Operation, input: object, as?: string): Promise<T>
  /** Work in one unit, as a handler of another service would. */
  within<T>(body: (call: Call) => Promise<T>): Promise<T>
  addUser(name: string): Promise<UserRow>
  /** Everything the store holds, as text. */
  stored(): Promise<string>
}

export async function desk(): Promise<Desk> {
  const store = await openStore({ file: ':memory:' })
  const vault = await ephemeralVault(account)
  const asked: string[] = []

  const callOf = (unit: Unit, principal: Principal, operation: string, once: Call['once']): Call => ({
    partition: 'aws',
    region: 'us-east-1',
    account,
    caller: { principal, subject: { kind: 'root' } satisfies Subject, accessKeyId: 'AKIAEXAMPLE' },
    signature: undefined,
    remoteAddress: '127.0.0.1',
    now: self.now,
    requestId: 'r',
    operation,
    origin: 'http://localhost',
    via: [],
    unit,
    vault,
    quotas: quotaDefaults,
    // Nothing here calls more ports than these; a test that does fails at once.
    ports: { ...standaloneAccounts, identity: { identity: async () => undefined } } as unknown as Call['ports'],
    use: noPorts,
    event: { resources: [] } as unknown as Call['event'],
    newId: () => crypto.randomUUID(),
    uniqueId,
    authorize: async (action, resource) => void asked.push(`${action} ${resource}`),
    forward: () => Promise.reject(new Error('no other service here')),
    once,
    checkSecret: (secret, compare) =>
      once(() => checkSecret(store, secret, { now: self.now, region: 'us-east-1' }, compare)),
    commitNow: (write) => once(() => store.run(write)),
    actAs: () => Promise.reject(new Error('no other service here')),
    absentKey: absenceIn([]),
    afterCommit: () => undefined,
  })

  /** As the gate: what is done once stays done when the unit is retried. */
  const retried = <T>(body: (unit: Unit, once: Call['once']) => Promise<T>): Promise<T> => {
    const done: Promise<unknown>[] = []
    return store.run((unit) => {
      let steps = 0
      return body(unit, <E>(effect: () => Promise<E>) => (done[steps++] ??= effect()) as Promise<E>)
    })
  }

  const root: Principal = { kind: 'root', account, arn: `arn:aws:iam::${account}:root`, userId: account, tags: {} }
  const principalOf = async (name: string | undefined): Promise<Principal> => {
    if (name === undefined) return root
    const row = await user.get(store.reader, { region: '', account }, { name })
    const arn = `arn:aws:iam::${account}:user/${name}`
    return { kind: 'user', account, arn, userId: row?.id ?? '', name, tags: {} }
  }

  const self: Desk = {
    now: Date.UTC(2026, 0, 1),
    asked,
    run: async (operation, input, as) => {
      const principal = await principalOf(as)
      return retried(async (unit, once) => {
        const call = callOf(unit, principal, operation.name, once)
        const found = await operation.target.find(call, input)
        if (found.row === undefined && found.missing) throw found.missing()
        return operation.run(call, input, found.row)
      })
    },
    within: (body) => retried((unit, once) => body(callOf(unit, root, 'test', once))),
    addUser: (name) =>
      self.within(async (call) => {
        const row = { name, path: '/', id: uniqueId('AIDA'), createdAt: call.now, attached: [], inline: {}, groups: [] }
        call.unit.put(`iam/user-id/${account}/${row.id}`, { name })
        return user.put(call.unit, call, row)
      }),
    stored: async () => JSON.stringify(await store.reader.range('')),
  }
  return self
}
