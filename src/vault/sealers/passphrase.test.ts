/** A passphrase is a seed, whichever keyboard it is typed on. */
import { expect, test } from 'vitest'
import { checkPassphrase, newPassphraseSettings, passphraseSeed } from './passphrase.ts'

test('the same passphrase and salt give the same seed; another of either gives another', async () => {
  const [settings, other] = [newPassphraseSettings(), newPassphraseSettings()]

  const seed = await passphraseSeed(settings, 'correct horse battery')

  expect(seed).toHaveLength(32)
  expect(await passphraseSeed(settings, 'correct horse battery')).toEqual(seed)
  expect((await passphraseSeed(settings, 'correct horse batterz')).equals(seed)).toBe(false)
  expect((await passphraseSeed(other, 'correct horse battery')).equals(seed)).toBe(false)
})

test('ü typed as one sign or as two is the same', async () => {
  const settings = newPassphraseSettings()

  expect(await passphraseSeed(settings, 'Schlüssel und Brot')).toEqual(
    await passphraseSeed(settings, 'Schlu\u0308ssel und Brot'),
  )
})

test('the cost is that of the specification, and a record cannot raise it', () => {
  const settings = newPassphraseSettings()

  expect(settings).toMatchObject({ N: 131_072, r: 8, p: 1 })
  expect(() => passphraseSeed({ ...settings, N: 2 ** 24 }, 'x')).toThrow('MERLON_KEYRING_DAMAGED')
})

test('eleven characters are too few, twelve are not', () => {
  expect(() => checkPassphrase('x'.repeat(11))).toThrow('at least 12')
  expect(() => checkPassphrase('x'.repeat(12))).not.toThrow()
})
