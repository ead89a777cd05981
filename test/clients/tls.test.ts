/** TLS end to end: a server process, clients that trust its authority, and what policies and events know of the connection. */
import { readFileSync } from 'node:fs'
import { connect as connectTcp } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sign } from '../../src/wire/sigv4/index.ts'
import { merlonAlone, merlonScript, type Running, startAlone, temporaryFolder } from '../process.ts'
import { cleanEnvironment, environmentFor, run } from './command.ts'

const data = join(temporaryFolder(), 'data')
const bundle = join(data, 'tls', 'ca.pem')
let server: Running
let environment: Readonly<Record<string, string>>

beforeAll(async () => {
  server = await startAlone(['--data', data, '--tls', 'auto', '--trusted-proxy', '127.0.0.2'])
  environment = { ...environmentFor(server.url, server.accounts[0]!), AWS_CA_BUNDLE: bundle }
})
afterAll(() => server?.stop())

const aws = (words: readonly string[], more: Readonly<Record<string, string>> = {}) =>
  run('aws', words, { ...environment, ...more })

describe('A server with TLS', () => {
  test('announces addresses of https', () => {
    expect(server.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/)
  })

  test('answers curl, the AWS CLI and Node, which trust its authority', async () => {
    const curl = await run('curl', ['-sS', '--cacert', bundle, `${server.url}/health`], cleanEnvironment())
    expect(JSON.parse(curl.stdout)).toMatchObject({ status: 'ok' })

    const identity = await aws(['sts', 'get-caller-identity'])
    expect(JSON.parse(identity.stdout)).toMatchObject({ Account: server.accounts[0]!.accountId })

    const script = `fetch(${JSON.stringify(`${server.url}/health`)}).then((answer) => console.log(answer.status))`
    const node = await run(process.execPath, ['-e', script], { ...cleanEnvironment(), NODE_EXTRA_CA_CERTS: bundle })
    expect(node.stdout.trim()).toBe('200')
  })

  test('is not trusted without it', async () => {
    const refused = await aws(['sts', 'get-caller-identity'], { AWS_CA_BUNDLE: '/etc/ssl/certs/ca-certificates.crt' })
    expect(refused.status).not.toBe(0)
    expect(refused.stderr).toContain('SSL validation failed')
  })

  test('speaks HTTP/2 for pages, and HTTP/1.1 for the API', async () => {
    const version = async (url: string) =>
      (
        await run(
          'curl',
          ['-sS', '-o', '/dev/null', '-w', '%{http_version}', '--cacert', bundle, url],
          cleanEnvironment(),
        )
      ).stdout
    const { console: pages } = server as Running & { readonly console: string }

    expect([await version(`${server.url}/health`), await version(pages)]).toEqual(['1.1', '2'])
  })

  test('serves a user pool’s custom domain with its certificate, and the one that replaces it, on both listeners', async () => {
    const folder = temporaryFolder()
    const made = async () => {
      const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
      const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
      const names = ['-subj', '/CN=login.corp.test', '-addext', 'subjectAltName=DNS:login.corp.test']
      await run(
        'openssl',
        ['req', '-x509', ...curve, '-keyout', key, '-out', cert, '-days', '9', ...names],
        cleanEnvironment(),
      )
      return {
        pem: readFileSync(cert, 'utf8'),
        files: ['--certificate', `fileb://${cert}`, '--private-key', `fileb://${key}`],
      }
    }
    const json = async (...words: readonly string[]) =>
      JSON.parse((await aws([...words, '--region', 'us-east-1'])).stdout)
    const first = await made()
    const { CertificateArn } = await json('acm', 'import-certificate', ...first.files)
    const { UserPool } = await json('cognito-idp', 'create-user-pool', '--pool-name', 'people')
    const domain = ['--domain', 'login.corp.test', '--custom-domain-config', `CertificateArn=${CertificateArn}`]
    await json('cognito-idp', 'create-user-pool-domain', '--user-pool-id', UserPool.Id, ...domain)

    const { console: pages } = server as Running & { readonly console: string }
    const handshake = (port: string, ca: string): Promise<TLSSocket> =>
      new Promise((resolve, reject) => {
        const options = { host: '127.0.0.1', port: Number(port), servername: 'login.corp.test', ca }
        const socket = connectTls(options, () => resolve(socket))
        socket.on('error', reject)
      })
    const ports = [server.url, pages].map((url) => new URL(url).port)
    const open: TLSSocket[] = []
    for (const port of ports) open.push(await handshake(port, first.pem))
    const second = await made()
    await json('acm', 'import-certificate', '--certificate-arn', CertificateArn, ...second.files)
    for (const port of ports)
      await expect
        .poll(() => handshake(port, second.pem).then((socket) => socket.destroy().authorized), { timeout: 30_000 })
        .toBe(true)
    expect(open.every(({ destroyed }) => !destroyed)).toBe(true)
    for (const socket of open) socket.destroy()
  })

  test('shows its authority and what it is limited to', async () => {
    const shown = await run(process.execPath, [merlonScript, 'ca', 'show', '--data', data], cleanEnvironment())

    expect(shown.stdout).toContain(readFileSync(bundle, 'utf8').trim())
    expect(shown.stdout).toMatch(/Limited to: {2}localhost, 127\.0\.0\.1, ::1/)
  })
})

describe('Policies and events', () => {
  test('know that a call was encrypted', async () => {
    const document = (effect: object) => JSON.stringify({ Version: '2012-10-17', Statement: [effect] })
    const made = await aws(['iam', 'create-user', '--user-name', 'ann'])
    expect(made.status, made.stderr).toBe(0)
    await aws([
      ...['iam', 'put-user-policy', '--user-name', 'ann', '--policy-name', 'tls', '--policy-document'],
      document({
        Effect: 'Allow',
        Action: ['iam:GetUser', 's3:ListAllMyBuckets'],
        Resource: '*',
        Condition: { Bool: { 'aws:SecureTransport': 'true' } },
      }),
    ])
    const key = JSON.parse((await aws(['iam', 'create-access-key', '--user-name', 'ann'])).stdout) as {
      AccessKey: { AccessKeyId: string; SecretAccessKey: string }
    }
    const ann = {
      AWS_ACCESS_KEY_ID: key.AccessKey.AccessKeyId,
      AWS_SECRET_ACCESS_KEY: key.AccessKey.SecretAccessKey,
    }
    expect((await aws(['iam', 'get-user'], ann)).status).toBe(0)

    const events = JSON.parse(
      (
        await aws([
          'cloudtrail',
          'lookup-events',
          '--lookup-attributes',
          'AttributeKey=EventName,AttributeValue=GetUser',
        ])
      ).stdout,
    ) as { Events: { CloudTrailEvent: string }[] }
    expect(JSON.parse(events.Events[0]!.CloudTrailEvent)).toMatchObject({
      sourceIPAddress: '127.0.0.1',
      tlsDetails: { tlsVersion: 'TLSv1.3', cipherSuite: expect.stringMatching(/^TLS_AES_/) },
    })

    const s3 = (version: string) =>
      aws(
        [
          ...['iam', 'put-user-policy', '--user-name', 'ann', '--policy-name', 'tls', '--policy-document'],
          document({
            Effect: 'Allow',
            Action: 's3:ListAllMyBuckets',
            Resource: '*',
            Condition: { NumericGreaterThanEquals: { 's3:TlsVersion': version } },
          }),
        ],
        {},
      )
    await s3('1.3')
    expect((await aws(['s3api', 'list-buckets'], ann)).status).toBe(0)
    await s3('1.4')
    expect((await aws(['s3api', 'list-buckets'], ann)).stderr).toContain('AccessDenied')
  })

  test('have the address that a trusted proxy names, and no other', async () => {
    const port = Number(new URL(server.url).port)
    /** Sends an unsigned call from an address of this machine, with a head of the PROXY protocol. */
    const calledFrom = (localAddress: string, head = 'GET /health HTTP/1.1\r\nHost: localhost\r\n', body = '') =>
      new Promise<string>((resolve) => {
        const socket = connectTcp({ host: '127.0.0.1', port, localAddress }, () => {
          socket.write('PROXY TCP4 198.51.100.4 10.0.0.1 4711 443\r\n')
          const secured = connectTls({ socket, ca: readFileSync(bundle, 'utf8'), servername: 'localhost' })
          let text = ''
          secured.on('data', (chunk) => (text += chunk))
          secured.on('error', () => resolve('refused'))
          secured.on('close', () => resolve(text))
          secured.write(`${head}Connection: close\r\n\r\n${body}`)
        })
        socket.on('error', () => resolve('refused'))
      })

    expect(await calledFrom('127.0.0.2')).toMatch(/^HTTP\/1.1 200/)
    expect(await calledFrom('127.0.0.1')).toBe('refused')

    const body = 'Action=CreateUser&Version=2010-05-08&UserName=proxied'
    const { rawHeaders } = sign(
      {
        method: 'POST',
        path: '/',
        query: '',
        rawHeaders: ['Host', 'localhost', 'Content-Type', 'application/x-www-form-urlencoded'],
        body: Buffer.from(body),
        remoteAddress: '',
        secure: true,
      },
      { accessKeyId: server.accounts[0]!.accessKeyId, secret: server.accounts[0]!.secretAccessKey },
      { region: 'us-east-1', service: 'iam', nowMs: Date.now() },
    )
    const lines = Array.from(
      { length: rawHeaders.length / 2 },
      (_, n) => `${rawHeaders[2 * n]}: ${rawHeaders[2 * n + 1]}\r\n`,
    )
    const head = `POST / HTTP/1.1\r\n${lines.join('')}Content-Length: ${body.length}\r\n`
    expect(await calledFrom('127.0.0.2', head, body)).toMatch(/^HTTP\/1.1 200/)
    const { Events } = JSON.parse(
      (
        await aws([
          'cloudtrail',
          'lookup-events',
          '--lookup-attributes',
          'AttributeKey=ResourceName,AttributeValue=proxied',
        ])
      ).stdout,
    ) as { Events: { CloudTrailEvent: string }[] }
    expect(JSON.parse(Events[0]!.CloudTrailEvent).sourceIPAddress).toBe('198.51.100.4')
  })
})

test('plain HTTP beyond this machine is refused, unless an operator allows it, and said at each start', async () => {
  const data = join(temporaryFolder(), 'data')
  // Without a key file, which would keep the server on this machine.
  await merlonAlone(['init', '--data', data, '--shares', '2', '--threshold', '2'])
  const start = (...words: string[]) => startAlone(['--data', data, '--host', '0.0.0.0', ...words])
  await expect(start()).rejects.toThrow(/MERLON_TLS_REQUIRED: .*--insecure-http/)

  const plain = await start('--insecure-http')
  expect(plain.log()).toContain('plain HTTP beyond this machine')
  await plain.stop()

  const secured = await start('--tls', 'auto')
  expect(secured.url).toMatch(/^https:/)
  expect(secured.log()).not.toContain('plain HTTP')
  await secured.stop()
})
