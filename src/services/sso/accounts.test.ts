/** The portal of a person with more roles than a page has room for. */
import { CreateAccountAssignmentCommand } from '@aws-sdk/client-sso-admin'
import { expect, test } from 'vitest'
import { identityCenter } from './sso.fixture.ts'

test('Accounts are shown page by page, and found by name, ID and role', async () => {
  const it = await identityCenter()
  const ana = await it.person('ana')
  const accounts = [await it.member('alpha'), await it.member('beta'), await it.member('gamma')]
  const sets = await Promise.all(Array.from({ length: 40 }, (_, n) => it.permissionSet(`Role-${n + 100}`)))
  for (const TargetId of accounts)
    for (const PermissionSetArn of sets)
      await it.sso.send(
        new CreateAccountAssignmentCommand({
          InstanceArn: it.instanceArn,
          PermissionSetArn,
          TargetType: 'AWS_ACCOUNT',
          TargetId,
          PrincipalType: 'USER',
          PrincipalId: ana,
        }),
      )
  while ((await it.jobs.runDue()) > 0);
  const browser = await it.signedIn('ana')
  const shown = async (query: string) => {
    const { text } = await browser.open(`/start${query}`)
    return {
      names: [...text.matchAll(/<h2>(\w+) <span/g)].map(([, name]) => name),
      roles: [...text.matchAll(/<li><span>(Role-\d+)</g)].length,
      text,
    }
  }
  const first = await shown('')
  const second = await shown('?page=2')
  expect([first.names.length, first.roles, second.names.length, second.roles]).toEqual([2, 80, 1, 40])
  expect([...first.names, ...second.names].sort()).toEqual(['alpha', 'beta', 'gamma'])
  expect(first.text).toContain('Page 1 of 2')
  expect(first.text).toContain('href="/start?page=2" rel="next"')
  expect(first.text).not.toContain('rel="prev"')
  expect(second.text).not.toContain('rel="next"')
  for (const query of ['?page=3', '?page=0', '?page=x', '?page=1.5'])
    expect([query, (await shown(query)).names]).toEqual([query, first.names])

  expect(await shown('?q=BETA')).toMatchObject({ names: ['beta'], roles: 40 })
  expect(await shown(`?q=${accounts[2]}`)).toMatchObject({ names: ['gamma'], roles: 40 })
  const one = await shown('?q=role-139')
  expect([one.names.length, one.roles]).toEqual([3, 3])
  const none = await shown('?q=%3Cscript%3E')
  expect([none.names, none.text.includes('<script>')]).toEqual([[], false])
  expect(none.text).toContain('No account or role has')

  // A role that is shown by a search opens like any other.
  await browser.open('/start?q=role-139')
  expect((await browser.submit('/start/credentials')).text).toContain('AWS_SESSION_TOKEN')
}, 60_000)
