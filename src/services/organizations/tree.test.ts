/** What holds of the tree whatever is done to it, and by however many at once. */
import {
  AcceptHandshakeCommand,
  CloseAccountCommand,
  DeleteOrganizationalUnitCommand,
  InviteAccountToOrganizationCommand,
  LeaveOrganizationCommand,
  ListAccountsCommand,
  type ListAccountsCommandOutput,
  MoveAccountCommand,
  OrganizationsClient,
  RemoveAccountFromOrganizationCommand,
} from '@aws-sdk/client-organizations'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ACCOUNT, type Keys, OTHER_ACCOUNT } from '../../../test/cloud.ts'
import { type OrganizationFixture, organization } from './organization.fixture.ts'
import { type AttachmentsRow, all, type MemberRow, type UnitRow } from './resources.ts'

const STEPS = ['make', 'drop', 'move', 'attach', 'detach', 'create', 'close', 'remove', 'join', 'leave'] as const
const step = fc.record({ what: fc.constantFrom(...STEPS), one: fc.nat(), two: fc.nat() })

/** What the rows themselves say. */
async function rowsOf({ store, id }: OrganizationFixture) {
  const read = async <T extends object>(kind: 'unit' | 'member' | 'attached') =>
    (await store.reader.range<T>(all(kind, id))).map(({ document }) => document)
  const attached = await read<AttachmentsRow>('attached')
  return { units: await read<UnitRow>('unit'), members: await read<MemberRow>('member'), attached }
}

async function holds(world: OrganizationFixture): Promise<void> {
  const { units, members, attached } = await rowsOf(world)
  const parents = new Map([...units, ...members].map(({ id, parent }) => [id, parent]))
  expect(parents.size).toBe(units.length + members.length)
  for (const node of parents.keys()) {
    const path: string[] = []
    for (let at: string | undefined = node; at !== undefined && at !== world.root; at = parents.get(at)) {
      expect(path).not.toContain(at)
      expect(parents.has(at)).toBe(true)
      path.push(at)
    }
    expect(path.filter((id) => id.startsWith('ou-')).length).toBeLessThanOrEqual(5)
  }
  const nodes = [world.root, ...parents.keys()].sort()
  expect(attached.map(({ target }) => target).sort()).toEqual(nodes)
  for (const { policies } of attached) expect(policies.SERVICE_CONTROL_POLICY?.length).toBeGreaterThan(0)
}

function walker(world: OrganizationFixture, guest: Keys, scp: string) {
  const { org, client } = world
  const them = client(OrganizationsClient, guest)
  let names = 0
  return async ({ what, one, two }: { what: (typeof STEPS)[number]; one: number; two: number }) => {
    const { units, members } = await rowsOf(world)
    const places = [world.root, ...units.map(({ id }) => id)]
    const place = places[one % places.length]!
    const other = places[two % places.length]!
    const member = members[one % members.length]!
    const unit = units[one % Math.max(1, units.length)]?.id ?? 'ou-abcd-12345678'
    const target = [...places, member.id][two % (places.length + 1)]!
    const deeds: Readonly<Record<(typeof STEPS)[number], () => Promise<unknown>>> = {
      make: () => world.unit(`unit-${names++}`, place),
      drop: () => org.send(new DeleteOrganizationalUnitCommand({ OrganizationalUnitId: unit })),
      move: () =>
        org.send(
          new MoveAccountCommand({
            AccountId: member.id,
            SourceParentId: member.parent,
            DestinationParentId: other,
          }),
        ),
      attach: () => world.attach(scp, target),
      detach: () => world.detach(one % 2 ? scp : 'p-FullAWSAccess', target),
      create: () => world.member(`account-${names++}`),
      close: () => org.send(new CloseAccountCommand({ AccountId: member.id })),
      remove: () => org.send(new RemoveAccountFromOrganizationCommand({ AccountId: member.id })),
      join: async () => {
        const Target = { Id: OTHER_ACCOUNT, Type: 'ACCOUNT' as const }
        const { Handshake } = await org.send(new InviteAccountToOrganizationCommand({ Target }))
        await them.send(new AcceptHandshakeCommand({ HandshakeId: Handshake!.Id! }))
      },
      leave: () => them.send(new LeaveOrganizationCommand({})),
    }
    await deeds[what]()
  }
}

test('Whatever is done, every node has one parent, none is below itself, and each keeps a policy', async () => {
  const outcomes = new Map<string, number>()
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { maxLength: 25 }), async (rounds) => {
      const world = await organization({ quotas: { 'organizations/InvitationsPerDay': 1000 } })
      const { Id } = await world.scp(
        'p',
        JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Deny', Action: 's3:*', Resource: '*' } }),
      )
      const walk = walker(world, await world.account(OTHER_ACCOUNT), Id!)
      for (const together of rounds) {
        const settled = await Promise.allSettled(together.map(walk))
        settled.forEach(({ status }, i) => {
          const outcome = `${together[i]!.what} ${status}`
          outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
        })
        await holds(world)
      }
      await world.close()
    }),
    { numRuns: 100 },
  )
  // The walk is worth something only if most of its steps succeed at least once.
  for (const what of STEPS.filter((each) => each !== 'remove')) {
    expect([what, outcomes.get(`${what} fulfilled`) ?? 0]).not.toEqual([what, 0])
  }
})

test('Two callers that move one account at once leave it in one of the two places', async () => {
  const world = await organization()
  const { org, unit, member, root } = world
  const [a, b, account] = [await unit('a'), await unit('b'), await member('blue')]
  const to = (DestinationParentId: string) =>
    org.send(new MoveAccountCommand({ AccountId: account, SourceParentId: root, DestinationParentId }))

  const settled = await Promise.allSettled([to(a), to(b)])

  expect(settled.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  const { members } = await rowsOf(world)
  expect([a, b]).toContain(members.find(({ id }) => id === account)!.parent)
})

test('Accounts are listed twenty at most at a time, each once', async () => {
  const { org, member } = await organization()
  const made = [ACCOUNT]
  for (let i = 0; i < 41; i++) made.push(await member(`m${i}`))

  const pages: number[] = []
  const seen: string[] = []
  let NextToken: string | undefined
  do {
    const page: ListAccountsCommandOutput = await org.send(new ListAccountsCommand({ NextToken }))
    pages.push(page.Accounts!.length)
    seen.push(...page.Accounts!.map(({ Id }) => Id!))
    NextToken = page.NextToken
  } while (NextToken)

  expect(pages).toEqual([20, 20, 2])
  expect(seen.sort()).toEqual(made.sort())
})
