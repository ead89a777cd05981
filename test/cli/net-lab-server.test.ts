/** A lab with a server: the metadata service and the API within namespaces, with the role of each machine and nothing of the operator's. */
import { spawnSync } from 'node:child_process'
import * as EC2 from '@aws-sdk/client-ec2'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isLabPossible } from './lab.fixture.ts'
import { ROLE, servedLab } from './served-lab.fixture.ts'

const hasTools = ['aws', 'curl'].every((tool) => spawnSync(tool, ['--version']).status === 0)
const URL = 'http://169.254.169.254'
const TOKEN = `$(curl -sf -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' ${URL}/latest/api/token)`
/** A function of the shell that prints what is at a path, with a token. */
const GET = `T=${TOKEN}; get() { curl -sf -H "X-aws-ec2-metadata-token: $T" ${URL}/latest/$1; };`
const status = (words: string) => `curl -s -m 5 -o /dev/null -w '%{http_code}\\n' ${words};`

describe.skipIf(!isLabPossible || !hasTools)('A lab with a server', () => {
  let it: Awaited<ReturnType<typeof servedLab>>
  beforeAll(async () => {
    it = await servedLab()
  }, 120_000)
  afterAll(() => it?.server.stop('SIGKILL'))

  test('lets the AWS CLI call the API by the role of the machine, within what the role may do', async () => {
    const { status, stdout, stderr } = await it.at(
      'web',
      'aws sts get-caller-identity --query Arn --output text; aws s3 ls; echo $?; aws iam list-users; echo $?',
    )
    expect(stdout.trim().split('\n')).toEqual([
      `arn:aws:sts::${it.account}:assumed-role/${ROLE}/${it.web.InstanceId}`,
      '0',
      expect.stringMatching(/^25[0-9]$/),
    ])
    expect(stderr).toContain('AccessDenied')
    expect(status).toBe(0)
  })

  test('shows each machine its own metadata, as paths and lists of them', async () => {
    const { stdout } = await it.at(
      'web',
      `${GET} get meta-data/instance-id; echo; get meta-data/local-ipv4; echo; get meta-data/placement/region; echo
       get meta-data/iam/security-credentials/; echo; get meta-data/identity-credentials/ || echo none
       get user-data; get dynamic/instance-identity/document; echo; get meta-data/placement/; echo; get`,
    )
    const [id, address, region, role, none, ...more] = stdout.split('\n')
    expect([id, address, region, role, none]).toEqual([
      it.web.InstanceId,
      it.web.PrivateIpAddress,
      'us-east-1',
      ROLE,
      'none',
    ])
    expect(more.slice(0, 2)).toEqual(['#!/bin/sh', 'echo started'])
    const end = more.indexOf('}')
    expect(JSON.parse(more.slice(2, end + 1).join('\n'))).toMatchObject({
      accountId: it.account,
      instanceId: it.web.InstanceId,
      privateIp: it.web.PrivateIpAddress,
    })
    expect(more.slice(end + 1)).toEqual([
      'availability-zone',
      'availability-zone-id',
      'region',
      'dynamic',
      'meta-data',
      'user-data',
    ])
  })

  test('refuses requests without a token, tokens for a wrong time and those of another machine, and forwarded requests', async () => {
    const ttl = (seconds: string) =>
      `-X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: ${seconds}' ${URL}/latest/api/token`
    const { stdout } = await it.at(
      'web',
      [
        status(`${URL}/latest/meta-data/instance-id`),
        status(`-H 'X-aws-ec2-metadata-token: wrong' ${URL}/latest/meta-data/instance-id`),
        status(`-X PUT ${URL}/latest/api/token`),
        ...['0', '1', '21600', '21601', '1.5'].map((seconds) => status(ttl(seconds))),
        status(`-H 'X-Forwarded-For: 203.0.113.9' ${ttl('60')}`),
        status(`-X POST ${URL}/latest/meta-data/instance-id`),
        `${GET} get ../../etc/passwd; get meta-data/../secrets; ${status(`-H "X-aws-ec2-metadata-token: $T" ${URL}/latest/none`)}`,
      ].join('\n'),
    )
    expect(stdout.trim().split('\n')).toEqual([
      '401',
      '401',
      '400',
      '400',
      '200',
      '200',
      '400',
      '400',
      '403',
      '405',
      '404',
    ])
  })

  test('sends a token as many hops as the options say, and a change of them acts', async () => {
    // A container on the machine: one hop further.
    const container = `
      unshare --user --map-root-user --net sleep 30 & child=$!; sleep 0.5
      ip link add inner type veth peer name outer; ip link set inner netns $child
      ip addr add 172.30.0.1/24 dev outer; ip link set outer up
      inside() { nsenter --user --net --preserve-credentials --target $child "$@"; }
      inside ip addr add 172.30.0.2/24 dev inner; inside ip link set inner up; inside ip route add default via 172.30.0.1
      ${status(`-X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' ${URL}/latest/api/token`).replace('curl', 'inside curl')}
      ${status(`${URL}/latest/meta-data/instance-id`).replace('curl', 'inside curl')}
      kill $child`
    const InstanceId = it.db.InstanceId!
    const options = (more: object) => it.ec2.send(new EC2.ModifyInstanceMetadataOptionsCommand({ InstanceId, ...more }))
    const answers = async (script: string) => (await it.at('db', script)).stdout.trim().split('\n')
    const get = status(`${URL}/latest/meta-data/instance-id`)

    expect(await answers(container)).toEqual(['200', '401'])
    await options({ HttpPutResponseHopLimit: 1 })
    expect(await answers(container)).toEqual(['000', '401'])
    await options({ HttpTokens: 'optional' })
    expect(await answers(get)).toEqual(['200'])
    await options({ HttpEndpoint: 'disabled' })
    expect(await answers(get)).toEqual(['403'])
    await options({ HttpEndpoint: 'enabled', HttpTokens: 'required', HttpPutResponseHopLimit: 2 })
    expect(await answers(get)).toEqual(['401'])
  })

  test('hides the operator: neither the data directory, nor the sockets and namespaces of other machines', async () => {
    const socket = (path: string) =>
      `curl -s -m 2 --unix-socket ${path} http://x/status >/dev/null && echo reached || echo closed;`
    const { stdout } = await it.at(
      'web',
      [
        socket(`${it.data}/merlon.sock`),
        socket(`${it.data}/api.sock`),
        socket('/run/merlon/e0.sock'),
        socket('/run/merlon/e1.sock'),
        `umount ${it.data} 2>/dev/null && echo unmounted || echo mounted;`,
        'nsenter --net=/run/netns/e1 true 2>/dev/null && echo entered || echo refused;',
        `for pid in $(ls /proc | grep '^[0-9]*$'); do ls /proc/$pid/root/run/merlon 2>/dev/null; done | sort | uniq | wc -l;`,
        'env | grep -c -i -E "key_id|secret|session_token";',
        status('http://192.0.2.1:443/status'),
      ].join('\n'),
    )
    expect(stdout.trim().split('\n')).toEqual([
      ...Array(4).fill('closed'),
      'mounted',
      'refused',
      '0',
      '0',
      expect.stringMatching(/^4\d\d$/),
    ])
  })

  test('without a running server is refused', async () => {
    const { status: ended, stderr } = await it.at('nothing', 'true')
    expect([ended, stderr]).toEqual([2, expect.stringContaining("'nothing' names no interface")])
  })
})
