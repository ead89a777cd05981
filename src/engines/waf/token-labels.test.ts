/** The labels of tokens, on both sides of the immunity times. */
import { expect, test } from 'vitest'
import { tokenLabels } from './token-labels.ts'

const IMMUNITY = { captcha: 60, challenge: 300 }
const short = (labels: readonly string[]) => labels.map((label) => label.replace('awswaf:managed:', ''))

test.each([
  [{}, ['token:absent', 'captcha:absent']],
  [{ failure: 'TOKEN_MISSING' as const }, ['token:absent', 'captcha:absent']],
  [{ challengedAt: 0 }, ['token:accepted', 'captcha:rejected', 'captcha:rejected:not_solved']],
  [{ challengedAt: 0, solvedAt: 50_001 }, ['token:accepted', 'captcha:accepted']],
  [{ challengedAt: 0, solvedAt: 40_000 }, ['token:accepted', 'captcha:rejected', 'captcha:rejected:expired']],
  [
    { failure: 'TOKEN_DOMAIN_MISMATCH' as const },
    ['token:rejected', 'token:rejected:domain_mismatch', 'captcha:rejected', 'captcha:rejected:domain_mismatch'],
  ],
])('%j', (token, labels) => {
  expect(short(tokenLabels(token, IMMUNITY, 100_000))).toEqual(labels)
})

test('a challenge counts for its immunity time and no longer', () => {
  expect(short(tokenLabels({ challengedAt: 0 }, IMMUNITY, 299_999))).toContain('token:accepted')
  expect(short(tokenLabels({ challengedAt: 0 }, IMMUNITY, 300_000))).toContain('token:rejected:expired')
})
