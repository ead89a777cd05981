/** The operator's settings of social sign-in: what they say, and what is refused before the server starts. */
import { describe, expect, test } from 'vitest'
import type { Person } from '../../engines/oidc/connectors.ts'
import { parseSocialSettings, socialSignInPort } from './social-sign-in.ts'

const STAFF = 'arn:aws:iam::111122223333:role/staff'
const ADMIN = 'arn:aws:iam::111122223333:role/team/admin'
const client = { clientId: 'client', clientSecret: 'secret' }
const providers = {
  google: client,
  x: client,
  apple: { clientId: 'client', teamId: 'TEAM', keyId: 'KEY', privateKeyFile: 'apple.p8' },
}
const http = { send: () => Promise.reject(new Error('no network')) }
const parse = (settings: object) => parseSocialSettings(JSON.stringify(settings), (name) => `content of ${name}`)
const port = (rules: readonly object[]) => socialSignInPort(parse({ providers, rules }), http)
const ann: Person = { subject: '1001', email: 'Ann@corp.example', isEmailVerified: true }

describe('A rule', () => {
  test('gives its role to the person that it names, at that provider; without rules there are no roles', () => {
    const it = port([
      { provider: 'google', email: 'ann@corp.example', role: STAFF },
      { provider: 'google', subject: '1001', role: ADMIN },
      { provider: 'x', subject: '2002', role: STAFF },
    ])

    expect(it.providers.map(({ id }) => id)).toEqual(['google', 'x', 'apple'])
    expect(it.rolesOf('google', ann)).toEqual([STAFF, ADMIN])
    expect(it.rolesOf('x', ann)).toEqual([])
    expect(it.rolesOf('apple', ann)).toEqual([])
    expect(it.rolesOf('google', { ...ann, subject: '1' })).toEqual([STAFF])
    expect(port([]).rolesOf('google', ann)).toEqual([])
  })

  test('by e-mail address needs an address that the provider verified, and one of the same letters', () => {
    const it = port([{ provider: 'google', email: 'ann@kiosk.example', role: STAFF }])
    const person = { subject: '7', email: 'ann@kiosk.example', isEmailVerified: true }

    expect(it.rolesOf('google', person)).toEqual([STAFF])
    expect(it.rolesOf('google', { ...person, isEmailVerified: false })).toEqual([])
    // The Kelvin sign is a k in lower case, and another domain.
    expect(it.rolesOf('google', { ...person, email: 'ann@\u212aiosk.example' })).toEqual([])
    expect(it.rolesOf('google', { subject: '7', isEmailVerified: true })).toEqual([])
  })
})

test('another OpenID Connect provider is named by its issuer, and rules name it by the name of the operator', () => {
  const issuer = 'https://login.corp.example/realms/staff'
  const settings = {
    providers: {
      corp: { issuer, label: 'Corp', ...client },
      'local-1': { issuer: 'http://127.0.0.1:4000', ...client },
    },
    rules: [{ provider: 'corp', email: 'ann@corp.example', role: STAFF }],
  }
  const it = socialSignInPort(parse(settings), http)

  expect(it.providers).toEqual([
    { id: 'corp', label: 'Corp' },
    { id: 'local-1', label: 'local-1' },
  ])
  expect(it.rolesOf('corp', ann)).toEqual([STAFF])
  expect(it.rolesOf('local-1', ann)).toEqual([])
})

test.each<[string, object, string]>([
  ['an unknown provider', { providers: { myspace: client }, rules: [] }, "providers has 'myspace'"],
  [
    'an issuer in plain HTTP',
    { providers: { corp: { issuer: 'http://login.corp.example', ...client } }, rules: [] },
    'providers.corp.issuer is not an https address',
  ],
  [
    'an issuer of every tenant',
    { providers: { corp: { issuer: 'https://login.microsoftonline.com/{tid}/v2.0', ...client } }, rules: [] },
    'providers.corp.issuer is not an https address',
  ],
  [
    'a name that is no part of an address',
    { providers: { 'Corp/x': { issuer: 'https://login.corp.example', ...client } }, rules: [] },
    "providers has 'Corp/x'",
  ],
  [
    'a scope without OpenID',
    { providers: { corp: { issuer: 'https://login.corp.example', scope: 'email', ...client } }, rules: [] },
    "providers.corp.scope does not have 'openid'",
  ],
  [
    'an address as a proof of Entra ID',
    {
      providers: { corp: { issuer: 'https://login.microsoftonline.com/9188040d/v2.0', ...client } },
      rules: [{ provider: 'corp', email: 'ann@corp.example', role: STAFF }],
    },
    'proves nothing',
  ],
  ['no secret', { providers: { google: { clientId: 'a' } }, rules: [] }, 'providers.google.clientSecret is not a text'],
  [
    'a misspelled member',
    { providers: { google: { ...client, secret: 'x' } }, rules: [] },
    "the unknown member 'secret'",
  ],
  ['no rules', { providers }, 'rules is not a list'],
  ['a rule for everyone', { providers, rules: [{ provider: 'google', role: STAFF }] }, "either 'email' or 'subject'"],
  [
    'a rule of two conditions',
    { providers, rules: [{ provider: 'google', email: 'a@b.c', subject: '1', role: STAFF }] },
    "either 'email' or 'subject'",
  ],
  [
    'a rule of another provider',
    { providers, rules: [{ provider: 'facebook', subject: '1', role: STAFF }] },
    'facebook',
  ],
  ['a role that is none', { providers, rules: [{ provider: 'x', subject: '1', role: '*' }] }, 'rules[0].role'],
  ['an unverified address', { providers, rules: [{ provider: 'x', email: 'a@b.c', role: STAFF }] }, 'proves nothing'],
  [
    'an address beyond ASCII',
    { providers, rules: [{ provider: 'google', email: 'ann@\u212aiosk.example', role: STAFF }] },
    'is not an e-mail address',
  ],
])('settings with %s are refused, by their member', (_what, settings, message) => {
  expect(() => parse(settings)).toThrow(message)
  expect(() => parse(settings)).not.toThrow(/"secret"/)
})

test('a refusal quotes nothing of a file that is not JSON', () => {
  expect(() => parseSocialSettings('{"clientSecret": "hush"', () => '')).toThrow(
    /^MERLON_SOCIAL_SIGN_IN: the file is not JSON\.$/,
  )
})
