/** ACM through the AWS CLI, with the domain's records in a real DNS server. */
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { installation, type Running, startMerlon, temporaryFolder } from '../process.ts'
import { acmeEndpoint } from './acme-endpoint.ts'
import { type Bind, bind, hasBind } from './bind.ts'
import { environmentFor, run } from './command.ts'

const running: { stop(): Promise<unknown> }[] = []
afterEach(async () => {
  for (const each of running.splice(0).reverse()) await each.stop()
})

async function opened(): Promise<{
  server: Running
  dns: Bind
  aws: (...words: readonly string[]) => Promise<string>
}> {
  const dns = await bind('corp.test')
  running.push(dns)
  const server = await startMerlon(installation(), { MERLON_DNS_SERVERS: dns.address })
  running.push({ stop: () => server.stop('SIGKILL') })
  const environment = environmentFor(server.url, server.accounts[0]!)
  const aws = async (...words: readonly string[]) => {
    const { status, stdout, stderr } = await run('aws', ['acm', ...words], environment)
    if (status !== 0) throw new Error(stderr)
    return stdout
  }
  return { server, dns, aws }
}

const request = async (
  aws: (...words: readonly string[]) => Promise<string>,
  name: string,
  ...more: readonly string[]
) => {
  const words = ['request-certificate', '--domain-name', name, '--validation-method', 'DNS', ...more]
  return JSON.parse(await aws(...words)).CertificateArn as string
}
const describeBy = async (aws: (...words: readonly string[]) => Promise<string>, arn: string) =>
  JSON.parse(await aws('describe-certificate', '--certificate-arn', arn)).Certificate

const hasCertbot = existsSync('/usr/bin/certbot')

describe.skipIf(!hasBind || !hasCertbot)('certbot', () => {
  test('obtains and renews through an endpoint, with a binding; a revoked one is refused', async () => {
    const { server, dns } = await opened()
    const endpoint = await acmeEndpoint(
      server,
      'corp.test',
      ({ name, value }) => void dns.update(`update add ${name} 5 CNAME ${value}`),
    )
    const binding = await endpoint.binding()
    const folder = temporaryFolder()
    const certbot = (...words: readonly string[]) => {
      const folders = ['--config-dir', folder, '--work-dir', folder, '--logs-dir', folder]
      return run(
        'certbot',
        [...words, ...folders, '--non-interactive'],
        environmentFor(server.url, server.accounts[0]!),
      )
    }
    const first = await certbot(
      ...['certonly', '--standalone', '--server', endpoint.url, '--agree-tos'],
      ...[
        '--register-unsafely-without-email',
        '--eab-kid',
        binding.keyId,
        `--eab-hmac-key=${binding.macKey}`,
        '-d',
        'www.corp.test',
      ],
    )
    expect(first.stderr + first.stdout).toContain('Successfully received certificate')
    const serialOf = () => new X509Certificate(readFileSync(join(folder, 'live/www.corp.test/cert.pem'))).serialNumber
    const serial = serialOf()
    expect((await certbot('renew', '--force-renewal', '--no-random-sleep-on-renew')).status).toBe(0)
    expect(serialOf()).not.toBe(serial)

    await binding.revoke()
    const refused = await certbot('renew', '--force-renewal', '--no-random-sleep-on-renew')
    expect(refused.status).not.toBe(0)
    expect(refused.stdout + refused.stderr).toContain('revoked')
  })
})

describe.skipIf(!hasBind)('aws acm with BIND', () => {
  test('waits for the record at the domain’s server, issues within seconds, and OpenSSL verifies', async () => {
    const { dns, aws } = await opened()
    const arn = await request(aws, 'corp.test', '--subject-alternative-names', '*.corp.test')
    const asked = await describeBy(aws, arn)
    const { Name, Value } = asked.DomainValidationOptions[0].ResourceRecord
    dns.update(`update add ${Name} 5 CNAME _wrong.acm-validations.aws.`)
    await new Promise((done) => setTimeout(done, 5_000))
    expect((await describeBy(aws, arn)).Status).toBe('PENDING_VALIDATION')

    dns.update(`update delete ${Name} CNAME`, `update add ${Name} 5 CNAME ${Value}`)
    await aws('wait', 'certificate-validated', '--certificate-arn', arn)
    const got = JSON.parse(await aws('get-certificate', '--certificate-arn', arn))
    const folder = temporaryFolder()
    const [issuing = '', root = ''] = got.CertificateChain.split(/(?<=-----END CERTIFICATE-----\n)/)
    const files = { leaf: got.Certificate, issuing, root }
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text as string)
    const words = ['verify', '-CAfile', 'root', '-untrusted', 'issuing', '-verify_hostname', 'www.corp.test', 'leaf']
    expect(execFileSync('openssl', words, { cwd: folder, encoding: 'utf8' })).toBe('leaf: OK\n')
  })

  test('honours the CAA records of the domain', async () => {
    const { dns, aws } = await opened()
    dns.update('update add corp.test 5 CAA 0 issue "other.example"')
    const arn = await request(aws, 'www.corp.test')
    const { Name, Value } = (await describeBy(aws, arn)).DomainValidationOptions[0].ResourceRecord
    dns.update(`update add ${Name} 5 CNAME ${Value}`)
    await expect(aws('wait', 'certificate-validated', '--certificate-arn', arn)).rejects.toThrow(/FAILED/)

    expect(await describeBy(aws, arn)).toMatchObject({ Status: 'FAILED', FailureReason: 'CAA_ERROR' })
  })
})
