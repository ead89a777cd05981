/** Server and signing certificates, SSH keys: what is taken, what is refused, what is shown. */
import { createHash, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { account, type Desk, desk } from '../desk.fixture.ts'
import { certificate, privateKey } from './certificates.fixture.ts'
import {
  deleteServerCertificate,
  getServerCertificate,
  listServerCertificates,
  openPrivateKey,
  serverCertificate,
  updateServerCertificate,
  uploadServerCertificate,
} from './server-certificates.ts'
import {
  deleteSigningCertificate,
  listSigningCertificates,
  updateSigningCertificate,
  uploadSigningCertificate,
} from './signing-certificates.ts'
import {
  deleteSshPublicKey,
  getSshPublicKey,
  listSshPublicKeys,
  updateSshPublicKey,
  uploadSshPublicKey,
} from './ssh-keys.ts'

let it: Desk
beforeEach(async () => {
  it = await desk()
  it.now = Date.parse(new X509Certificate(certificate).validFrom) + 86_400_000
  await it.addUser('ana')
})

const otherKey = generateKeyPairSync('rsa', { modulusLength: 2048 })
const otherPem = otherKey.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string

describe('a server certificate', () => {
  const cert = { ServerCertificateName: 'web', CertificateBody: certificate, PrivateKey: privateKey }

  test('shows its dates and body, never its key, which is kept for the service that uses it', async () => {
    await it.run(uploadServerCertificate, { ...cert, Path: '/edge/', Tags: [{ Key: 'a', Value: 'b' }] })

    const shown = await it.run(getServerCertificate, { ServerCertificateName: 'WEB' })
    expect(shown).toMatchObject({
      ServerCertificate: {
        ServerCertificateMetadata: {
          Arn: `arn:aws:iam::${account}:server-certificate/edge/web`,
          Expiration: new Date(new X509Certificate(certificate).validTo),
        },
        CertificateBody: certificate.trim(),
        Tags: [{ Key: 'a', Value: 'b' }],
      },
    })
    expect(JSON.stringify(shown) + (await it.stored())).not.toContain(privateKey.split('\n')[2])
    const opened = await it.within(async (call) => {
      return openPrivateKey(call.vault, account, await serverCertificate.require(call, { name: 'web' }))
    })
    expect(opened).toBe(privateKey)
  })

  test.each([
    ['a key of another', { PrivateKey: otherPem }, 'KeyPairMismatchException'],
    ['no key at all', { PrivateKey: 'hello' }, 'MalformedCertificateException'],
    ['no certificate', { CertificateBody: 'hello' }, 'MalformedCertificateException'],
    ['two certificates in the body', { CertificateBody: certificate + certificate }, 'MalformedCertificateException'],
    ['text around the certificate', { CertificateBody: `x${certificate}` }, 'MalformedCertificateException'],
    ['a chain that is none', { CertificateChain: 'hello' }, 'MalformedCertificateException'],
  ])('with %s is refused', async (_what, change, code) => {
    await expect(it.run(uploadServerCertificate, { ...cert, ...change })).rejects.toMatchObject({ code })
  })

  test('takes the chain of its issuer', async () => {
    await it.run(uploadServerCertificate, { ...cert, CertificateChain: certificate })

    expect(await it.run(getServerCertificate, { ServerCertificateName: 'web' })).toMatchObject({
      ServerCertificate: { CertificateChain: certificate.trim() },
    })
  })

  test('a new name needs permission on that name too, and its key still opens', async () => {
    await it.run(uploadServerCertificate, cert)

    await it.run(updateServerCertificate, {
      ServerCertificateName: 'web',
      NewServerCertificateName: 'www',
      NewPath: '/n/',
    })

    expect(it.asked).toEqual([`iam:UpdateServerCertificate arn:aws:iam::${account}:server-certificate/n/www`])
    expect(await it.run(listServerCertificates, { PathPrefix: '/n/' })).toMatchObject({
      ServerCertificateMetadataList: [{ ServerCertificateName: 'www' }],
    })
    const row = it.within(async (call) =>
      openPrivateKey(call.vault, account, await serverCertificate.require(call, { name: 'www' })),
    )
    expect(await row).toBe(privateKey)
  })

  test('a name is taken whatever its case, and free once deleted', async () => {
    await it.run(uploadServerCertificate, cert)
    await expect(it.run(uploadServerCertificate, { ...cert, ServerCertificateName: 'WEB' })).rejects.toMatchObject({
      code: 'EntityAlreadyExistsException',
    })

    await it.run(deleteServerCertificate, { ServerCertificateName: 'web' })

    await it.run(uploadServerCertificate, cert)
  })

  test('the twenty-first of an account is refused', async () => {
    for (let i = 0; i < 20; i++) await it.run(uploadServerCertificate, { ...cert, ServerCertificateName: `c${i}` })

    await expect(it.run(uploadServerCertificate, cert)).rejects.toMatchObject({ code: 'LimitExceededException' })
  })
})

describe('a signing certificate', () => {
  const cert = { UserName: 'ana', CertificateBody: certificate }

  test('is listed, made inactive and deleted', async () => {
    const made = await it.run<{ Certificate: { CertificateId: string } }>(uploadSigningCertificate, cert)
    const id = { UserName: 'ana', CertificateId: made.Certificate.CertificateId }
    expect(id.CertificateId).toMatch(/^\w{24,128}$/)

    await it.run(updateSigningCertificate, { ...id, Status: 'Inactive' })
    expect(await it.run(listSigningCertificates, { UserName: 'ana' })).toMatchObject({
      Certificates: [{ ...id, Status: 'Inactive', CertificateBody: certificate }],
    })
    await it.run(deleteSigningCertificate, id)
    await expect(it.run(deleteSigningCertificate, id)).rejects.toMatchObject({ code: 'NoSuchEntityException' })
  })

  test('is taken once, whatever the white space of its PEM', async () => {
    await it.run(uploadSigningCertificate, cert)

    await expect(
      it.run(uploadSigningCertificate, { ...cert, CertificateBody: `${certificate}\n\n` }),
    ).rejects.toMatchObject({ code: 'DuplicateCertificateException' })
  })

  test.each([
    ['before its time', -2 * 86_400_000],
    ['after its end', 200 * 365 * 86_400_000],
  ])('%s is refused', async (_when, ms) => {
    it.now += ms

    await expect(it.run(uploadSigningCertificate, cert)).rejects.toMatchObject({ code: 'InvalidCertificateException' })
  })
})

describe('an SSH key', () => {
  const spki = otherKey.publicKey.export({ type: 'spki', format: 'pem' }) as string
  const upload = (body: string) =>
    it.run<{ SSHPublicKey: { SSHPublicKeyId: string; Fingerprint: string; SSHPublicKeyBody: string } }>(
      uploadSshPublicKey,
      {
        UserName: 'ana',
        SSHPublicKeyBody: body,
      },
    )

  test('sent as PEM comes back as ssh-rsa, and the same key the other way round', async () => {
    const { SSHPublicKey: made } = await upload(spki)
    const id = { UserName: 'ana', SSHPublicKeyId: made.SSHPublicKeyId }
    expect(made.SSHPublicKeyBody).toMatch(/^ssh-rsa AAAAB3NzaC1yc2E[\w+/]+=*$/)
    const blob = Buffer.from(made.SSHPublicKeyBody.split(' ')[1]!, 'base64')
    expect(made.Fingerprint.replaceAll(':', '')).toBe(createHash('md5').update(blob).digest('hex'))
    expect(await it.run(getSshPublicKey, { ...id, Encoding: 'PEM' })).toMatchObject({
      SSHPublicKey: { SSHPublicKeyBody: spki },
    })

    await expect(upload(`${made.SSHPublicKeyBody} ana@laptop`)).rejects.toMatchObject({
      code: 'DuplicateSSHPublicKeyException',
    })
    await it.run(updateSshPublicKey, { ...id, Status: 'Inactive' })
    expect(await it.run(listSshPublicKeys, { UserName: 'ana' })).toMatchObject({
      SSHPublicKeys: [{ ...id, Status: 'Inactive' }],
    })
    await it.run(deleteSshPublicKey, id)
    await expect(it.run(getSshPublicKey, { ...id, Encoding: 'SSH' })).rejects.toMatchObject({
      code: 'NoSuchEntityException',
      message: `The Public Key with id ${id.SSHPublicKeyId} cannot be found.`,
    })
  })

  const small = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  test.each([
    ['a word', 'hello', 'UnrecognizedPublicKeyEncodingException'],
    ['another kind of SSH key', 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA', 'InvalidPublicKeyException'],
    ['a cut key', 'ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ', 'InvalidPublicKeyException'],
    ['a curve', curve.publicKey.export({ type: 'spki', format: 'pem' }) as string, 'InvalidPublicKeyException'],
    ['1024 bits', small.publicKey.export({ type: 'spki', format: 'pem' }) as string, 'InvalidPublicKeyException'],
    ['a private key', otherPem, 'InvalidPublicKeyException'],
  ])('%s is refused', async (_what, body, code) => {
    await expect(upload(body)).rejects.toMatchObject({ code })
  })
})
