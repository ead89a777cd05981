import { expect, test } from 'vitest'
import { type PasswordRules, randomPassword } from './random-password.ts'

const rules: PasswordRules = {
  length: 8,
  excluded: '',
  lowercase: true,
  uppercase: true,
  numbers: true,
  punctuation: true,
  space: false,
  eachType: true,
}
/** `npm run test:million` draws as many. */
const DRAWS = Number(process.env['MERLON_PASSWORDS'] ?? 50_000)

test('Secrets 14: every password holds every type and nothing that was excluded', () => {
  const excluded = '@"\'\\/'
  for (let i = 0; i < DRAWS; i++) {
    const password = randomPassword({ ...rules, excluded })!
    if (!/^(?=.*[a-z])(?=.*[A-Z])(?=.*\d)(?=.*[^a-zA-Z\d])[!-~]{8}$/.test(password))
      expect(password).toBe('of every type')
    if (/[@"'\\/]/.test(password)) expect(password).toBe('without what was excluded')
  }
})

test('Secrets 14: every character is equally likely: chi-square over all that were drawn', () => {
  const counts = new Map<string, number>()
  for (let i = 0; i < DRAWS; i++) {
    for (const character of randomPassword({ ...rules, eachType: false })!) {
      counts.set(character, (counts.get(character) ?? 0) + 1)
    }
  }
  const expected = (DRAWS * rules.length) / 94
  const square = [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
  expect(counts.size).toBe(94)
  // 93 degrees of freedom: more than 175 once in a million runs.
  expect(square).toBeLessThan(175)
})
