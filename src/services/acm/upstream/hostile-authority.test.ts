/** Another authority that answers what it should not: nothing is stored or published of it, it costs little, and the finding says why. */
import { generateKeyPairSync } from 'node:crypto'
import { GetCertificateCommand } from '@aws-sdk/client-acm'
import { describe, expect, test } from 'vitest'
import { extendedKeyUsages } from '../../../engines/x509/extensions.ts'
import { acmeAuthority } from '../../../kernel/ports/acme-authority.ts'
import { certificates } from '../../../kernel/ports/certificates.ts'
import { provide } from '../../../kernel/ports/port.ts'
import { certificatesCloud, DAY_MS, HOUR_MS, selfSigned } from '../acm.fixture.ts'
import { ORIGIN, type Script, scriptedAuthority, withMembers } from './scripted-authority.fixture.ts'

async function ordered(script: Script, names: readonly string[] = ['www.corp.test', 'corp.test']) {
  const clock = { now: () => 0 }
  const authority = scriptedAuthority(() => clock.now(), script)
  const port = { settings: () => authority.settings, send: authority.send }
  const it = await certificatesCloud({ provides: [provide(acmeAuthority, port)] })
  clock.now = () => it.clock.now()
  const arn = await it.request(names[0]!, { SubjectAlternativeNames: names })
  await it.prove(arn)
  const settle = async (turns = 10) => {
    for (let turn = 0; turn < turns; turn++) await it.pass(2_000)
  }
  await settle()
  const finding = async () =>
    (await it.events('DomainValidationChecked')).at(0)?.serviceEventDetails.domains[0].finding as string
  return { ...it, ...authority, arn, settle, finding }
}

const LONG = `${ORIGIN}/${'x'.repeat(3_000)}`
const ELSEWHERE = 'https://internal.test/secret'
const foreignKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'der' })

const foreignCertificate = async () => String((await selfSigned(['other.test'], 0, Date.UTC(2050, 0))).Certificate)
const certificatesOf = (body: string) =>
  body.split(/(?<=-----END CERTIFICATE-----\n)/).filter((each) => each.trim() !== '')

const CASES: Readonly<Record<string, readonly [Script, RegExp]>> = {
  'a directory that is none': [{ answers: { directory: (answer) => ({ ...answer, body: '[]' }) } }, /no directory/],
  'a directory that is not JSON': [{ answers: { directory: (answer) => ({ ...answer, body: '{' }) } }, /not JSON/],
  'a directory that leads elsewhere': [
    { answers: { directory: withMembers({ newOrder: ELSEWHERE }) } },
    /address that is not its own/,
  ],
  'a redirect': [
    { answers: { newOrder: (answer) => ({ ...answer, status: 302, body: '', headers: { location: ELSEWHERE } }) } },
    /answered with status 302/,
  ],
  'an account without an address': [
    { answers: { newAccount: (answer) => ({ ...answer, headers: { 'replay-nonce': 'n' } }) } },
    /an account without an address/,
  ],
  'nonces that are none': [
    { answers: { newNonce: (answer) => ({ ...answer, headers: { 'replay-nonce': 'a b' } }) } },
    /sent no nonce/,
  ],
  'an order without authorizations': [
    { answers: { newOrder: withMembers({ authorizations: 'all' }) } },
    /other authorizations than it has names/,
  ],
  'an order of ten thousand authorizations': [
    { answers: { newOrder: withMembers({ authorizations: Array(10_000).fill(`${ORIGIN}/authz/0`) }) } },
    /other authorizations than it has names/,
  ],
  'an order with a long address': [{ answers: { newOrder: withMembers({ finalize: LONG }) } }, /without an address/],
  'an authorization elsewhere': [
    { answers: { newOrder: withMembers({ authorizations: [ELSEWHERE] }) } },
    /address that is not its own/,
  ],
  'an authorization for another name': [
    { answers: { authz: withMembers({ identifier: { type: 'dns', value: 'bank.test' } }) } },
    /a name that was not ordered/,
  ],
  'an authorization without challenges': [
    { answers: { authz: withMembers({ challenges: {} }) } },
    /no challenge for www/,
  ],
  'a token that is a path': [
    { answers: { authz: withMembers({ challenges: [{ type: 'http-01', url: ORIGIN, token: '../secret' }] }) } },
    /no challenge for www/,
  ],
  'a valid order without a certificate': [
    { answers: { order: withMembers({ status: 'valid', certificate: undefined }) } },
    /without a certificate/,
  ],
  'a reason with control characters and no end': [
    { answers: { newOrder: () => problem('malformed', `bad\n\u001b[31m${'x'.repeat(100_000)}`) } },
    /^acme\.test refused: bad {2}\[31mx{200,300}$/,
  ],
  'a certificate for another key': [{ leaf: (plan) => ({ ...plan, publicKey: foreignKey }) }, /is for another key/],
  'a certificate for other names': [{ leaf: (plan) => ({ ...plan, names: ['corp.test'] }) }, /does not name www/],
  'a certificate that has ended': [
    { leaf: (plan) => ({ ...plan, notAfter: plan.notBefore + 1_000 }) },
    /not valid with its chain: expired/,
  ],
  'a certificate that is not for servers': [
    { leaf: (plan) => ({ ...plan, extended: extendedKeyUsages.CLIENT_AUTH }) },
    /not valid with its chain: extended-key-usage/,
  ],
  'a certificate without a chain': [
    {
      answers: { cert: (answer) => ({ ...answer, body: answer.body.slice(0, answer.body.indexOf('-----END') + 25) }) },
    },
    /has no chain/,
  ],
  'a chain that did not sign': [
    {
      answers: {
        cert: async (answer) => ({ ...answer, body: `${certificatesOf(answer.body)[0]}${await foreignCertificate()}` }),
      },
    },
    /not valid with its chain: no-issuer/,
  ],
}

const problem = (type: string, detail: string) => ({
  status: 400,
  headers: { 'content-type': 'application/problem+json', 'replay-nonce': 'n' },
  body: JSON.stringify({ type: `urn:ietf:params:acme:error:${type}`, detail }),
})

describe('An authority that answers with', () => {
  test('what it should issues a certificate', async () => {
    const it = await ordered({})
    expect(await it.describe(it.arn)).toMatchObject({ Status: 'ISSUED' })
  })

  test('its certificate in another order, and others besides, issues one whose chain is in order', async () => {
    let [leaf = '', ...issuers]: readonly string[] = []
    const it = await ordered({
      answers: {
        cert: async (answer) => {
          ;[leaf = '', ...issuers] = certificatesOf(answer.body)
          const others = [await foreignCertificate(), leaf]
          return { ...answer, body: [leaf, ...others, ...issuers.toReversed(), ...issuers].join('') }
        },
      },
    })
    expect(await it.describe(it.arn)).toMatchObject({ Status: 'ISSUED' })
    const { CertificateChain } = await it.acm.send(new GetCertificateCommand({ CertificateArn: it.arn }))
    expect(certificatesOf(CertificateChain!)).toEqual(issuers)
  })

  test.each(Object.entries(CASES))('%s is refused', async (_what, [script, finding]) => {
    const it = await ordered(script)
    expect(await it.finding()).toMatch(finding)
    expect(await it.describe(it.arn)).toMatchObject({ Status: expect.stringMatching(/^(PENDING_VALIDATION|FAILED)$/) })
    const sent = it.requests.length
    expect(sent).toBeLessThan(25)
    // It is left alone for minutes, and for longer each time.
    await it.settle()
    expect(it.requests.length).toBe(sent)
    for (let hour = 0; hour < 12; hour++) await it.pass(HOUR_MS)
    expect((await it.describe(it.arn)).Status).toBe('FAILED')
  })

  test('bad nonces forever gets a few requests in minutes', async () => {
    const it = await ordered({ answers: { newOrder: () => problem('badNonce', 'again') } })
    expect(it.requests.filter((each) => each === 'POST newOrder').length).toBeLessThanOrEqual(10)
    const sent = it.requests.length
    for (let minute = 0; minute < 60; minute++) await it.pass(60_000)
    expect(it.requests.length - sent).toBeLessThan(120)
    expect(await it.finding()).toMatch(/did not answer as it should: again/)
  })

  test.each([
    ['ready', withMembers({ status: 'ready' })],
    ['processing', withMembers({ status: 'processing' })],
    ['a server error', () => problem('serverInternal', 'later')],
  ])('%s forever loses the order after an hour', async (_what, order) => {
    const it = await ordered({ answers: { order } })
    for (let minute = 0; minute < 70; minute++) await it.pass(60_000)
    expect(it.requests.filter((each) => each === 'POST newOrder').length).toBe(2)
    expect(await it.finding()).not.toBe('')
  })

  test('a forgotten account gets it created again', async () => {
    const it = await ordered({
      answers: {
        newOrder: (answer, _request, times) => (times === 1 ? problem('accountDoesNotExist', 'who') : answer),
      },
    })
    await it.pass(3 * 60_000)
    await it.settle()
    expect(it.requests.filter((each) => each === 'POST newAccount')).toHaveLength(2)
    expect((await it.describe(it.arn)).Status).toBe('ISSUED')
  })

  test('a renewal time behind the end of the certificate is not followed to the end', async () => {
    const answers: Script['answers'] = {
      directory: withMembers({ renewalInfo: `${ORIGIN}/renewal` }),
      renewal: (answer) => ({
        ...answer,
        body: JSON.stringify({ suggestedWindow: { start: '2999-01-01T00:00:00Z', end: '2999-02-01T00:00:00Z' } }),
      }),
    }
    const it = await ordered({ answers })
    const { Serial, NotAfter } = await it.describe(it.arn)
    await it.store.run((unit) => it.use(certificates).setUse(unit, it.arn, 'arn:aws:merlon:::listeners', true))
    while (it.clock.now() < NotAfter!.getTime() - 10 * DAY_MS) {
      await it.pass(DAY_MS)
      await it.settle(6)
    }
    const renewed = await it.describe(it.arn)
    expect(renewed.Serial).not.toBe(Serial)
    expect(renewed.Status).toBe('ISSUED')
  })
})
