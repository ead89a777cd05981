/** People of a real Active Directory domain: nested groups, and an outcome for each state of an account. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { directories } from '../../src/planes/directories/directories.ts'
import { readDomainServers } from '../../src/planes/directories/servers.ts'
import { ADMIN_PASSWORD, addPeople, type Domain, disable, PASSWORD, samba } from './samba.ts'

const PORT = Number(process.env['MERLON_TEST_PORT'] ?? 46_800) + 5
const SERVICE = { domain: 'corp.test', userName: 'administrator', password: ADMIN_PASSWORD }

let domain: Domain
beforeAll(async () => {
  domain = await samba(PORT)
  await addPeople(domain)
}, 600_000)
afterAll(() => domain?.stop())

const corp = () =>
  directories({
    servers: readDomainServers('corp.test=ldaps://dc1.corp.test'),
    hosts: new Map([['dc1.corp.test', { address: '127.0.0.1', port: PORT }]]),
    ca: domain.ca,
    now: Date.now,
  })

describe('A person of the domain', () => {
  test.each(['ann', 'ANN@corp.test', 'CORP\\ann'])('signs in as %s, with nested groups', async (name) => {
    expect(await corp().check(SERVICE)).toBe('accepted')
    const found = await corp().login(SERVICE, name, PASSWORD)

    expect(found).toMatchObject({
      outcome: 'accepted',
      person: {
        userName: 'ann',
        mail: 'ann@corp.test',
        subject: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
      },
    })
    expect(found.outcome === 'accepted' && [...found.person.groups].sort()).toEqual([
      'All Staff',
      'Company',
      'Engineers',
    ])
  })

  test.each([
    ['a wrong password', 'ann', 'wrong', 'refused'],
    ['an empty password', 'ann', '', 'refused'],
    ['an unknown name', 'bob', PASSWORD, 'refused'],
    ['a disabled account', 'disabled', PASSWORD, 'disabled'],
    ['an expired account', 'expired', PASSWORD, 'account-expired'],
    ['a password that must be changed', 'changing', PASSWORD, 'must-change-password'],
  ])('%s: %s', async (_what, name, password, outcome) => {
    expect(await corp().login(SERVICE, name, password)).toEqual({ outcome })
  })

  test('is locked by wrong passwords', async () => {
    for (let attempt = 0; attempt < 4; attempt++) await corp().login(SERVICE, 'locked', 'wrong')

    expect(await corp().login(SERVICE, 'locked', PASSWORD)).toEqual({ outcome: 'locked' })
  })

  test('is inactive as soon as the domain disables the account', async () => {
    const found = await corp().login(SERVICE, 'ann', PASSWORD)
    const { person } = found as Extract<typeof found, { outcome: 'accepted' }>
    expect(await corp().isActive(SERVICE, person.subject)).toBe(true)

    await disable(domain, 'ann')

    expect(await corp().isActive(SERVICE, person.subject)).toBe(false)
    expect(await corp().login(SERVICE, 'ann', PASSWORD)).toEqual({ outcome: 'disabled' })
  })
})
