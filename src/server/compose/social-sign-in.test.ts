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

test.each<[string, object, string]>([
  ['an unknown provider', { providers: { myspace: client }, rules: [] }, "providers has 'myspace'"],
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
