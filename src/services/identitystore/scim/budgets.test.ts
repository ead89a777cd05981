/** SCIM against a client that has a token and means harm: sizes, types, depth, and what is not its own. */
import { DescribeUserCommand, UpdateUserCommand } from '@aws-sdk/client-identitystore'
import { expect, test } from 'vitest'
import { identityStore } from '../../../kernel/ports/identity-store.ts'
import { identityCenter } from '../../sso/sso.fixture.ts'
import { patched } from './patch.ts'

const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'

async function provisioned() {
  const it = await identityCenter()
  const created = await it.store.run((unit) => it.use(identityStore).createScimToken(unit, it.storeId, it.clock.now()))
  const send = async (method: string, path: string, content?: unknown) => {
    const [at = '', query = ''] = path.split('?')
    const answer = await it.handle({
      method,
      path: `/scim/${it.storeId}/v2${at}`,
      query,
      rawHeaders: [
        ...['host', 'localhost', 'authorization', `Bearer ${created!.token}`],
        ...(content === undefined ? [] : ['content-type', 'application/scim+json']),
      ],
      body: Buffer.from(content === undefined ? '' : typeof content === 'string' ? content : JSON.stringify(content)),
      remoteAddress: '192.0.2.1',
      secure: false,
    })
    const text = String(answer.body)
    return { status: answer.status, json: text === '' ? {} : JSON.parse(text) }
  }
  return { ...it, send }
}

const user = (userName: string, more: object = {}) => ({
  userName,
  displayName: userName,
  name: { givenName: userName, familyName: 'Example' },
  active: true,
  ...more,
})

test('values of other types, sizes and depths are refused, never an error of the server', async () => {
  const it = await provisioned()
  const { json: ana } = await it.send('POST', '/Users', user('ana'))
  const deep = `${'['.repeat(60_000)}${']'.repeat(60_000)}`
  const wrong: readonly (readonly [string, string, unknown])[] = [
    ['POST', '/Users', user('b', { emails: [{ value: true }] })],
    ['POST', '/Users', user('b', { emails: [{ value: { x: 'y' } }] })],
    ['POST', '/Users', user('b', { emails: [{ value: 'b@corp.test', primary: 'perhaps' }] })],
    ['POST', '/Users', user('b', { name: { givenName: 'b', familyName: 'b', formatted: ['x'] } })],
    ['POST', '/Users', user('b', { externalId: 'x'.repeat(257) })],
    ['POST', '/Users', user('b', { externalId: 7 })],
    ['POST', '/Users', user('b', { externalId: { toString: 'x' } })],
    ['POST', '/Groups', { displayName: 'g', externalId: 'x'.repeat(257) }],
    ['PATCH', `/Users/${ana.id}`, { Operations: [{ op: 'add', path: 'name.unknown', value: 'x' }] }],
    ['PATCH', `/Users/${ana.id}`, { Operations: [{ op: 'add', path: `${ENTERPRISE}:unknown`, value: 'x' }] }],
    ['PATCH', `/Users/${ana.id}`, { Operations: [{ op: 'replace', path: 'emails[type eq "work"].value', value: 7 }] }],
    ['POST', '/Users/.search', `{"attributes":${deep}}`],
    ['POST', '/Users/.search', `{"filter":${deep}}`],
    ['POST', '/Users/.search', { count: {} }],
    ['POST', '/Users', deep],
    ['PATCH', `/Users/${ana.id}`, `{"Operations":[{"op":"add","value":{"title":${deep}}}]}`],
  ]
  for (const [method, path, content] of wrong) {
    const { status } = await it.send(method, path, content)
    expect([method, path, JSON.stringify(content).slice(0, 120), status]).toEqual([
      method,
      path,
      JSON.stringify(content).slice(0, 120),
      400,
    ])
  }
  const { json } = await it.send('GET', '/Users')
  expect(json.Resources.map(({ userName }: { userName: string }) => userName)).toEqual(['ana'])
})

test('members that no schema has are not kept, so that a person stays small', async () => {
  const it = await provisioned()
  const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`x${n}`, 'y'.repeat(50)]))
  const sent = user('ana', {
    name: { givenName: 'ana', familyName: 'Example', ...many },
    emails: [{ value: 'ana@corp.test', primary: 'True', ...many }],
    [ENTERPRISE]: { department: 'blue', ...many },
  })
  const text = JSON.stringify(sent).replace('"x0"', '"__proto__"')
  const { status, json } = await it.send('POST', '/Users', text)
  expect(status).toBe(201)
  expect(JSON.stringify(json).length).toBeLessThan(1_000)
  expect(json).toMatchObject({
    emails: [{ value: 'ana@corp.test', primary: true }],
    [ENTERPRISE]: { department: 'blue' },
  })
  const Operations = [{ op: 'replace', value: { name: { givenName: 'Ana', ...many } } }]
  const after = await it.send('PATCH', `/Users/${json.id}`, { Operations })
  expect(after.json.name).toEqual({ givenName: 'Ana', familyName: 'Example' })
})

test('a change of thousands of paths costs no more than their length', () => {
  const value = Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`name.a${n}`, 'x']))
  expect(() => patched({ userName: 'ana', name: {} }, [{ op: 'add', path: undefined, value }])).toThrow('is not known')
})

test('attributes that came another way survive provisioning', async () => {
  const it = await provisioned()
  const { json } = await it.send('POST', '/Users', user('ana', { title: 'Lead', externalId: 'e1' }))
  const at = { IdentityStoreId: it.storeId, UserId: json.id }
  const Operations = [{ AttributePath: 'website', AttributeValue: 'https://ana.corp.test' }]
  await it.people.send(new UpdateUserCommand({ ...at, Operations }))
  await it.send('PATCH', `/Users/${json.id}`, { Operations: [{ op: 'replace', path: 'title', value: 'Head' }] })
  expect(await it.people.send(new DescribeUserCommand(at))).toMatchObject({
    Title: 'Head',
    Website: 'https://ana.corp.test',
    ExternalIds: [{ Issuer: 'SCIM', Id: 'e1' }],
  })
  await it.send('PUT', `/Users/${json.id}`, user('ana'))
  const after = await it.people.send(new DescribeUserCommand(at))
  expect([after.Title, after.Website, after.ExternalIds]).toEqual([undefined, 'https://ana.corp.test', undefined])
})

test('filters mean what they say: two names are no person, and a manager is no address', async () => {
  const it = await provisioned()
  const { json } = await it.send('POST', '/Users', user('ana', { emails: [{ value: 'boss' }] }))
  await it.send('POST', '/Users', user('bob', { [ENTERPRISE]: { manager: { value: 'boss' } } }))
  const found = async (filter: string) =>
    (await it.send('GET', `/Users?filter=${encodeURIComponent(filter)}`)).json.totalResults
  expect(await found('userName eq "ana" and userName eq "bob"')).toBe(0)
  expect(await found(`id eq "${json.id}" and manager eq "boss"`)).toBe(0)
  expect(await found('userName eq "bob" and manager eq "boss"')).toBe(1)
})
