/** Client-side encryption with a key that never leaves its token. */
import { execFileSync } from 'node:child_process'
import { createPublicKey } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  buildClient,
  MultiKeyring,
  Pkcs11Keyring,
  RawAesKeyring,
  RawRsaKeyring,
} from '../../src/encryption-sdk/index.ts'
import { folder, merlon } from './shell.ts'

const SOFTHSM = '/usr/lib/softhsm/libsofthsm2.so'
/** Where there is no SoftHSM these are left out, but never in CI. */
const withToken = existsSync(SOFTHSM) || process.env['CI'] ? describe : describe.skip

withToken('Trust 16: a keyring of a SoftHSM token', () => {
  const home = folder()
  const tokens = join(home, 'tokens')
  mkdirSync(tokens)
  process.env['SOFTHSM2_CONF'] = join(home, 'softhsm2.conf')
  writeFileSync(
    process.env['SOFTHSM2_CONF'],
    `directories.tokendir = ${tokens}\nobjectstore.backend = file\nlog.level = ERROR\n`,
  )
  const at = ['--module', SOFTHSM, '--token-label', 'app', '--login', '--pin', '2468']
  const { encrypt, decrypt } = buildClient()
  const names = { keyNamespace: 'hsm', keyName: 'app' }
  const keyring = (pin = '2468', keyId = '01') =>
    new Pkcs11Keyring({ ...names, module: SOFTHSM, tokenLabel: 'app', pin, keyId })

  test('encrypts here and decrypts in the token; others encrypt to it by its public key', async () => {
    execFileSync('softhsm2-util', ['--init-token', '--free', '--label', 'app', '--pin', '2468', '--so-pin', '13579'])
    execFileSync(
      'pkcs11-tool',
      [...at, '--keypairgen', '--key-type', 'rsa:2048', '--usage-decrypt', '--id', '01', '--label', 'app'],
      { stdio: 'ignore' },
    )
    const der = execFileSync('pkcs11-tool', [...at, '--read-object', '--type', 'pubkey', '--id', '01'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const publicKey = createPublicKey({ key: der, format: 'der', type: 'spki' })
    const outside = new RawRsaKeyring({ ...names, publicKey, oaepHash: 'sha1' })

    for (const writer of [keyring(), outside]) {
      const { result } = await encrypt(writer, 'for the token', { encryptionContext: { purpose: 'test' } })
      expect((await decrypt(keyring(), result, { encryptionContext: { purpose: 'test' } })).plaintext.toString()).toBe(
        'for the token',
      )
      await expect(decrypt(outside, result)).rejects.toMatchObject({ code: 'UnableToDecryptDataKey' })
    }
  })

  test('without the token another keyring decrypts, and no error shows the PIN', async () => {
    const spare = new RawAesKeyring({ keyNamespace: 'spare', keyName: 'key', key: Buffer.alloc(32, 1) })
    const { result } = await encrypt(new MultiKeyring({ generator: keyring(), children: [spare] }), 'text')

    const failed = await decrypt(keyring('99999999'), result).catch((error: Error) => error)

    expect(String(failed)).toContain('CKR_PIN_INCORRECT')
    expect(String(failed)).not.toContain('99999999')
    expect(
      (await decrypt(new MultiKeyring({ children: [keyring('99999999'), spare] }), result)).plaintext.toString(),
    ).toBe('text')
    expect(() => keyring('2468', 'not hexadecimal')).toThrow('hexadecimal')
  })

  test('works from the command line, with the PIN in the environment', async () => {
    const words = ['-w', 'provider=pkcs11', 'namespace=hsm', 'key=app', `module=${SOFTHSM}`, 'token=app', 'id=01']
    writeFileSync(join(home, 'plain'), 'in the token')
    process.env['MERLON_PKCS11_PIN'] = '2468'
    try {
      expect((await merlon(['encrypt', '-i', join(home, 'plain'), '-o', join(home, 'sealed'), ...words])).status).toBe(
        0,
      )
      const read = await merlon(['decrypt', '-i', join(home, 'sealed'), '-o', '-', ...words])
      expect([read.status, read.stdout]).toEqual([0, 'in the token'])
    } finally {
      delete process.env['MERLON_PKCS11_PIN']
    }
  })
})
