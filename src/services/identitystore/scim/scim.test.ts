/** SCIM: the shapes in which Entra and Okta provision, pages of a thousand people, filters, and every error. */
import { DescribeUserCommand, ListGroupMembershipsForMemberCommand } from '@aws-sdk/client-identitystore'
import { ListAccountsCommand } from '@aws-sdk/client-sso'
import { expect, test } from 'vitest'
import { ACCOUNT } from '../../../../test/cloud.ts'
import { identityStore } from '../../../kernel/ports/identity-store.ts'
import { isSignInValid } from '../../../kernel/state/sign-in-sessions.ts'
import { eventsOf } from '../../signin/browser.fixture.ts'
import { identityCenter } from '../../sso/sso.fixture.ts'
import { readFilter } from './filter.ts'

const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'

async function provisioned() {
  const it = await identityCenter()
  const made = await it.store.run((unit) => it.use(identityStore).createScimToken(unit, it.storeId, it.clock.now()))
  const send = async (method: string, path: string, body?: object, token = made!.token, tenant = it.storeId) => {
    const [pathname = '', query = ''] = `/scim/${tenant}/v2${path}`.split('?')
    const answer = await it.handle({
      method,
      path: pathname,
      query,
      rawHeaders: [
        ['host', 'merlon.test'],
        ['authorization', `Bearer ${token}`],
        ...(body ? [['content-type', 'application/scim+json']] : []),
      ].flat() as string[],
      body: Buffer.from(body ? JSON.stringify(body) : ''),
      remoteAddress: '192.0.2.1',
      secure: false,
    })
    const text = String(answer.body)
    // biome-ignore lint/suspicious/noExplicitAny: resources of every form.
    return { status: answer.status, headers: answer.headers, json: (text === '' ? undefined : JSON.parse(text)) as any }
  }
  return { ...it, send, token: made!.token }
}

const user = (userName: string, more: object = {}) => ({
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
  userName,
  externalId: `ext-${userName}`,
  displayName: userName,
  name: { givenName: userName, familyName: 'Example' },
  emails: [{ value: `${userName}@corp.test`, type: 'work', primary: true }],
  active: true,
  ...more,
})

test('Entra and Okta create, change, disable and delete people and groups', async () => {
  const it = await provisioned()

  const created = await it.send('POST', '/Users', user('ana', { [ENTERPRISE]: { department: 'red' } }))
  expect(created).toMatchObject({
    status: 201,
    json: { userName: 'ana', active: true, meta: { resourceType: 'User' }, [ENTERPRISE]: { department: 'red' } },
  })
  const { id } = created.json
  expect(created.headers['location']).toContain(`/scim/${it.storeId}/v2/Users/${id}`)
  const shown = await it.people.send(
    new DescribeUserCommand({ IdentityStoreId: it.storeId, UserId: id, Extensions: ['aws:identitystore:enterprise'] }),
  )
  expect(shown).toMatchObject({
    UserName: 'ana',
    Name: { GivenName: 'ana' },
    ExternalIds: [{ Issuer: 'SCIM', Id: 'ext-ana' }],
    Extensions: { 'aws:identitystore:enterprise': { department: 'red' } },
  })

  // Entra: operations in upper case, booleans as texts, paths with filters.
  const entra = await it.send('PATCH', `/Users/${id}`, {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
    Operations: [
      { op: 'Replace', path: 'emails[type eq "work"].value', value: 'new@corp.test' },
      { op: 'Add', path: 'title', value: 'Lead' },
      { op: 'Replace', path: `${ENTERPRISE}:department`, value: 'blue' },
      { op: 'Replace', path: 'name.givenName', value: 'Ana Maria' },
    ],
  })
  expect(entra).toMatchObject({
    status: 200,
    json: {
      title: 'Lead',
      name: { givenName: 'Ana Maria', familyName: 'Example' },
      emails: [{ value: 'new@corp.test', type: 'work', primary: true }],
      [ENTERPRISE]: { department: 'blue' },
    },
  })
  // Okta: operations without a path.
  const okta = await it.send('PATCH', `/Users/${id}`, {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
    Operations: [{ op: 'replace', value: { displayName: 'Ana M.', nickName: 'A' } }],
  })
  expect(okta.json).toMatchObject({ displayName: 'Ana M.', nickName: 'A' })

  const group = await it.send('POST', '/Groups', { displayName: 'staff', externalId: 'g1', members: [{ value: id }] })
  expect(group).toMatchObject({ status: 201, json: { displayName: 'staff', members: [] } })
  const memberships = async () => {
    const input = { IdentityStoreId: it.storeId, MemberId: { UserId: id as string } }
    return (await it.people.send(new ListGroupMembershipsForMemberCommand(input))).GroupMemberships!.length
  }
  expect(await memberships()).toBe(1)
  const patchGroup = (...Operations: object[]) => it.send('PATCH', `/Groups/${group.json.id}`, { Operations })
  expect((await patchGroup({ op: 'remove', path: `members[value eq "${id}"]` })).status).toBe(204)
  expect(await memberships()).toBe(0)
  expect((await patchGroup({ op: 'add', path: 'members', value: [{ value: id }] })).status).toBe(204)
  expect((await patchGroup({ op: 'replace', value: { displayName: 'all staff' } })).status).toBe(204)
  expect((await it.send('GET', '/Groups?filter=displayName eq "all staff"')).json.totalResults).toBe(1)
  expect((await it.send('GET', `/Groups?filter=id eq "${group.json.id}" and members eq "${id}"`)).json).toMatchObject({
    totalResults: 1,
  })
  expect((await patchGroup({ op: 'replace', path: 'members', value: [] })).status).toBe(204)
  expect(await memberships()).toBe(0)
  expect((await patchGroup({ op: 'replace', path: 'members', value: [{ value: id }] })).status).toBe(204)
  expect(await memberships()).toBe(1)
  expect((await patchGroup({ op: 'remove', path: 'members' })).status).toBe(204)
  expect(await memberships()).toBe(0)
  expect((await patchGroup({ op: 'remove', path: 'externalId' })).status).toBe(204)
  expect((await it.send('GET', `/Groups/${group.json.id}`)).json.externalId).toBeUndefined()
  const replaced = await it.send('PUT', `/Groups/${group.json.id}`, {
    displayName: 'everybody',
    members: [{ value: id }],
  })
  expect(replaced).toMatchObject({ status: 200, json: { displayName: 'everybody' } })
  expect(await memberships()).toBe(1)

  // A person who leaves is one switch: what was signed in ends.
  await it.setPassword(id)
  const generation = { person: `identity-store/${it.storeId}/${id}`, generation: 1, id: 'x' }
  expect(await isSignInValid(it.store.reader, generation)).toBe(true)
  const off = await it.send('PATCH', `/Users/${id}`, {
    Operations: [{ op: 'Replace', path: 'active', value: 'False' }],
  })
  expect(off.json.active).toBe(false)
  expect(await isSignInValid(it.store.reader, generation)).toBe(false)
  const browser = await it.signedIn('ana')
  expect(browser.problem).toContain('incorrect')

  const put = await it.send('PUT', `/Users/${id}`, user('ana2'))
  expect(put).toMatchObject({ status: 200, json: { userName: 'ana2', active: true } })
  expect(put.json.title).toBeUndefined()
  expect((await it.send('DELETE', `/Users/${id}`)).status).toBe(204)
  expect((await it.send('GET', `/Users/${id}`)).status).toBe(404)
  expect((await it.send('DELETE', `/Groups/${group.json.id}`)).status).toBe(204)

  const events = await eventsOf(it, ACCOUNT, 'PatchUser')
  expect(events[0]).toMatchObject({ eventSource: 'identitystore-scim.amazonaws.com' })
  expect(JSON.stringify(events)).not.toContain('corp.test')
  expect(await it.portal.send(new ListAccountsCommand({ accessToken: it.token })).catch(({ name }) => name)).toBe(
    'UnauthorizedException',
  )
})

test('lists go by cursor, and filters name what is unique', async () => {
  const it = await provisioned()
  for (let n = 0; n < 1000; n++) expect((await it.send('POST', '/Users', user(`u${n}`))).status).toBe(201)

  const names = new Set<string>()
  let cursor = ''
  let pages = 0
  do {
    const { json } = await it.send('GET', `/Users?count=100&cursor=${encodeURIComponent(cursor)}`)
    expect(json.totalResults).toBe(1000)
    for (const { userName } of json.Resources) names.add(userName)
    cursor = json.nextCursor ?? ''
    pages++
  } while (cursor !== '')
  expect([names.size, pages]).toEqual([1000, 10])

  const found = async (filter: string) => {
    const { status, json } = await it.send('GET', `/Users?filter=${encodeURIComponent(filter)}`)
    return status === 200 ? json.Resources.map(({ userName }: { userName: string }) => userName) : json.scimType
  }
  expect(await found('userName eq "U7"')).toEqual(['u7'])
  expect(await found('externalId eq "ext-u7" and userName eq "u7"')).toEqual(['u7'])
  expect(await found('externalId eq "ext-u7" and userName eq "u8"')).toEqual([])
  expect(await found('userName co "u"')).toBe('invalidFilter')
  expect(await found('title eq "x"')).toBe('invalidFilter')
  expect((await it.send('GET', '/Users?cursor=forged')).status).toBe(400)
  expect((await it.send('GET', '/Users?startIndex=50')).status).toBe(400)
}, 120_000)

test('a client names the attributes that it wants, and searches by a body', async () => {
  const it = await provisioned()
  const extension = { [ENTERPRISE]: { department: 'd', costCenter: 'c' } }
  const { json: ana } = await it.send('POST', '/Users', user('ana', { title: 't', ...extension }))
  await it.send('POST', '/Users', user('bob'))
  const { json: group } = await it.send('POST', '/Groups', { displayName: 'staff' })
  const keys = (query: string) =>
    it.send('GET', `/Users/${ana.id}?${query}`).then(({ json }) => [Object.keys(json).sort(), json])
  expect(await keys('attributes=USERNAME,name.givenName')).toEqual([
    ['id', 'name', 'schemas', 'userName'],
    { id: ana.id, schemas: ana.schemas, userName: 'ana', name: { givenName: 'ana' } },
  ])
  const [, partial] = await keys(`attributes=${ENTERPRISE}:department`)
  expect(partial).toEqual({ id: ana.id, schemas: ana.schemas, [ENTERPRISE]: { department: 'd' } })
  const [names] = await keys(`excludedAttributes=id,emails,${ENTERPRISE},meta`)
  expect(names).toEqual(['active', 'displayName', 'externalId', 'id', 'name', 'schemas', 'title', 'userName'])
  expect((await it.send('GET', `/Users/${ana.id}?attributes=title&excludedAttributes=name`)).status).toBe(400)
  expect((await it.send('GET', '/Groups?excludedAttributes=members')).json.Resources).toEqual([
    expect.not.objectContaining({ members: expect.anything() }),
  ])

  const search = (path: string, body: object) => it.send('POST', `${path}/.search`, body)
  const found = await search('/Users', { filter: 'userName eq "bob"', attributes: ['userName'] })
  expect(found.json.Resources).toMatchObject([{ userName: 'bob' }])
  const all = []
  for (let cursor: string | undefined = ''; cursor !== undefined; ) {
    const { json } = await search('', { count: 1, cursor })
    expect(json.totalResults).toBe(3)
    all.push(...json.Resources.map(({ id }: { id: string }) => id))
    cursor = json.nextCursor
  }
  expect(all.sort()).toEqual([ana.id, group.id, (found.json.Resources[0] as { id: string }).id].sort())
  expect((await search('', { filter: 'id eq "x"' })).json.scimType).toBe('invalidFilter')
  for (const path of ['/Things', '/Things/1']) {
    const { status, headers } = await it.send('GET', path)
    expect([status, headers['content-type']]).toEqual([404, 'application/scim+json'])
  }
})

test('a directory has two tokens, which are listed, and end at once when they are deleted', async () => {
  const it = await provisioned()
  const people = it.use(identityStore)
  const create = () => it.store.run((unit) => people.createScimToken(unit, it.storeId, it.clock.now()))
  const second = await create()
  expect(await create()).toBeUndefined()
  const tokens = await people.scimTokens(it.store.reader, it.storeId)
  expect(tokens).toHaveLength(2)
  expect(JSON.stringify(tokens)).not.toContain('hash')
  expect(tokens.find(({ id }) => id === second!.id)).toMatchObject({ expiresAt: second!.expiresAt })

  expect(await it.store.run((unit) => people.deleteScimToken(unit, it.storeId, second!.id))).toBe(true)

  expect((await it.send('GET', '/Users', undefined, second!.token)).status).toBe(401)
  expect((await it.send('GET', '/Users')).status).toBe(200)
  expect(await it.store.run((unit) => people.deleteScimToken(unit, it.storeId, second!.id))).toBe(false)
  it.clock.advance(366 * 24 * 3600_000)
  expect((await it.send('GET', '/Users')).status).toBe(401)
})

test('every error has the form of SCIM', async () => {
  const it = await provisioned()
  const { json } = await it.send('POST', '/Users', user('ana'))
  const { id } = json
  const cases: readonly [string, number, string | undefined, Promise<Awaited<ReturnType<typeof it.send>>>][] = [
    ['a wrong token', 401, undefined, it.send('GET', '/Users', undefined, 'wrong')],
    ['another directory', 404, undefined, it.send('GET', '/Users', undefined, it.token, 'd-0000000000')],
    [
      'a name that is taken',
      409,
      'uniqueness',
      it.send('POST', '/Users', user('ANA', { externalId: 'o', emails: [] })),
    ],
    [
      'an address that is taken',
      409,
      'uniqueness',
      it.send('POST', '/Users', user('b', { emails: [{ value: 'ana@corp.test' }] })),
    ],
    ['no family name', 400, 'invalidValue', it.send('POST', '/Users', user('c', { name: { givenName: 'c' } }))],
    [
      'two addresses',
      400,
      'invalidValue',
      it.send('POST', '/Users', user('d', { emails: [{ value: 'a@b' }, { value: 'c@d' }] })),
    ],
    [
      'deep nesting',
      400,
      'invalidValue',
      it.send(
        'POST',
        '/Users',
        user('e', { addresses: [{ country: JSON.parse(`${'{"a":'.repeat(50)}1${'}'.repeat(50)}`) }] }),
      ),
    ],
    ['a list', 400, 'invalidSyntax', it.send('POST', '/Users', [])],
    ['an unknown operation', 400, 'invalidSyntax', it.send('PATCH', `/Users/${id}`, { Operations: [{ op: 'move' }] })],
    [
      'an unknown path',
      400,
      'invalidPath',
      it.send('PATCH', `/Users/${id}`, { Operations: [{ op: 'add', path: 'x', value: 1 }] }),
    ],
    [
      'another ID',
      400,
      'mutability',
      it.send('PATCH', `/Users/${id}`, { Operations: [{ op: 'replace', path: 'id', value: 'x' }] }),
    ],
    [
      'no value of active',
      400,
      'mutability',
      it.send('PATCH', `/Users/${id}`, { Operations: [{ op: 'remove', path: 'active' }] }),
    ],
    ['nobody', 404, undefined, it.send('GET', '/Users/00000000-0000-4000-8000-000000000000')],
    [
      'a member that is not there',
      404,
      undefined,
      it.send('POST', '/Groups', { displayName: 'g', members: [{ value: 'x' }] }),
    ],
  ]
  for (const [name, status, scimType, answer] of cases) {
    const { status: got, json, headers } = await answer
    expect([name, got, json.scimType, json.status]).toEqual([name, status, scimType, String(status)])
    expect(headers['content-type']).toBe('application/scim+json')
  }
  // What was refused has left nothing: the group is not there.
  expect((await it.send('GET', '/Groups')).json.totalResults).toBe(0)
})

test('filters are read in time that grows with their length alone', () => {
  expect(readFilter('userName eq "a\\"b" and active eq true')).toEqual([
    { path: 'username', value: 'a"b' },
    { path: 'active', value: 'true' },
  ])
  for (const wrong of [
    '',
    'userName',
    'userName eq',
    'userName eq "a" or x eq "b"',
    'a'.repeat(3_000),
    '"'.repeat(2_000),
  ])
    expect(() => readFilter(wrong)).toThrow()
})
