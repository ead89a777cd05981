/** Issued certificates by the rules of linters: random ones from the issuing authority, and those that broken ones would be. */
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { cloud } from '../../../test/cloud.ts'
import { derOf } from '../../engines/x509/certificate-builder.ts'
import { brokenRules, type Expected, LEAF_RULES } from '../../engines/x509/leaf-rules.fixture.ts'
import { pathCertificate } from '../../engines/x509/path-certificate.ts'
import { validatePath } from '../../engines/x509/path-validation.ts'
import { type AuthorityRow, issuingAuthority } from './authorities.ts'
import { issueLeaf } from './leaves.ts'
import { readName } from './names.ts'
import { type KeyPair, makeKeyPair } from './private-keys.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const ACCOUNT = '111122223333'
const ORIGIN = 'http://pki.corp.test'
const ALGORITHMS = ['EC_prime256v1', 'EC_secp384r1', 'RSA_2048'] as const

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/)
const topLevel = fc.stringMatching(/^[a-z][a-z0-9]{1,10}$/)
const requested = fc
  .tuple(fc.boolean(), fc.array(label, { minLength: 1, maxLength: 5 }), topLevel)
  .map(([isWildcard, labels, last]) => [...(isWildcard ? ['*'] : []), ...labels, last].join('.'))
const first = requested.filter(({ length }) => length <= 64)
const leaf = fc.record({
  names: fc.tuple(first, fc.array(requested, { maxLength: 9 })).map(([one, more]) => [...new Set([one, ...more])]),
  key: fc.nat(ALGORITHMS.length - 1),
  startsAt: fc.integer({ min: Date.UTC(2026, 6) / 1_000, max: Date.UTC(2052, 0) / 1_000 }),
  days: fc.integer({ min: 1, max: 198 }),
})

describe('A leaf', () => {
  let it: Awaited<ReturnType<typeof cloud>>
  let authority: AuthorityRow
  let pairs: readonly KeyPair[]
  const serials = new Set<string>()

  beforeAll(async () => {
    it = await cloud()
    await it.vault.prepare(ACCOUNT)
    // Far enough in the future that no leaf outlives it.
    const now = Date.UTC(2050, 0)
    authority = await it.store.run((unit) => issuingAuthority({ unit, vault: it.vault, now }, ACCOUNT, 'eu-west-1'))
    pairs = await Promise.all(ALGORITHMS.map(makeKeyPair))
  })

  async function issue({ names, key, startsAt, days }: typeof leaf extends fc.Arbitrary<infer T> ? T : never) {
    const [notBefore, isRsa] = [startsAt * 1_000, ALGORITHMS[key]!.startsWith('RSA')]
    const notAfter = notBefore + days * DAY_MS
    const { publicKey } = pairs[key]!
    // What a request accepts.
    const read = names.map(readName)
    const request = { names: read, publicKey, isRsa, notBefore, notAfter, origin: ORIGIN }
    const issued = await issueLeaf(it.vault, authority, request)
    const issuer = pathCertificate(derOf(authority.pem))
    return { issued, expected: { names: read, issuer, notBefore, notAfter, isRsa } satisfies Expected }
  }

  test('keeps to every rule, whatever its names, key and times, and no serial occurs twice', async () => {
    const root = pathCertificate(derOf(authority.parent!))
    const leaves = Number(process.env['MERLON_LEAVES'] ?? 150)
    await fc.assert(
      fc.asyncProperty(leaf, async (plan) => {
        const { issued, expected } = await issue(plan)
        const der = derOf(issued.pem)
        expect(brokenRules(der, expected)).toEqual([])
        const now = Math.max(expected.notBefore, expected.issuer.startsMs)
        const path = [pathCertificate(der), expected.issuer]
        if (now <= expected.notAfter)
          expect(await validatePath(path, root, { now, purpose: 'server' })).toEqual({ isValid: true })
        serials.add(issued.serial)
      }),
      { numRuns: leaves, ...(process.env['MERLON_LEAVES'] === undefined && { seed: 21 }) },
    )
    expect(serials.size).toBe(leaves)
  })

  test('that is another one than was requested breaks the rule for it', async () => {
    const { issued, expected } = await issue({ names: ['www.corp.test'], key: 0, startsAt: 1_900_000_000, days: 90 })
    const der = derOf(issued.pem)
    const broken = (changes: Partial<Expected>, from = 'www.corp.test', to = from) => {
      const at = der.lastIndexOf(from)
      const changed = Buffer.concat([der.subarray(0, at), Buffer.from(to), der.subarray(at + from.length)])
      return brokenRules(changed, { ...expected, ...changes }).map((rule) => rule.replace(/:.*/, ''))
    }

    expect(broken({})).toEqual([])
    expect(broken({ names: ['other.test'] })).toContain('RFC 5280 4.2.1.6')
    expect(broken({ notAfter: expected.notAfter + 1_000 })).toContain('RFC 5280 4.1.2.5')
    expect(broken({ isRsa: true })).toContain('BR 6.1.5')
    expect(broken({ issuer: pathCertificate(der) })).toEqual(
      expect.arrayContaining(['RFC 5280 4.1.2.4', 'RFC 5280 4.2.1.1', 'it is signed by its authority']),
    )
    expect(broken({}, 'www.corp.test', 'w*w.corp.test')).toEqual(
      expect.arrayContaining(['RFC 5890 2.3.1', 'BR 1.6.1', 'BR 7.1.4.3', 'it is signed by its authority']),
    )
    expect(broken({}, 'www.corp.test', 'www-corp-test')).toEqual(expect.arrayContaining(['BR 3.2.2.6']))
    expect(Object.keys(LEAF_RULES).length).toBeGreaterThan(40)
  })
})
