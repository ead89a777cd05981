/** `merlon net`: verdicts on descriptions of a network, and on files that cannot be read. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as EC2 from '@aws-sdk/client-ec2'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { cloud } from '../../../test/cloud.ts'
import { net } from '../net.ts'

const folder = mkdtempSync(join(tmpdir(), 'merlon-net-'))
let count = 0
const file = (content: unknown): string => {
  const path = join(folder, `${count++}.json`)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

let printed = ''
beforeEach(() => {
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => Boolean((printed += text)) || true)
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => Boolean((printed += text)) || true)
})
afterEach(() => {
  printed = ''
  vi.restoreAllMocks()
})
afterAll(() => rmSync(folder, { recursive: true }))

const run = async (...words: readonly string[]) => {
  printed = ''
  const status = await net.run(words)
  return { status, text: printed }
}

/** A database in a default subnet with a public address, and a web server beside it, as EC2 describes them. */
async function network() {
  const it = await cloud()
  const ec2 = it.client(EC2.EC2Client)
  const { Images } = await ec2.send(new EC2.DescribeImagesCommand({ Owners: ['amazon'] }))
  const launch = async (Name: string) => {
    const { Instances } = await ec2.send(
      new EC2.RunInstancesCommand({
        ImageId: Images![0]!.ImageId!,
        MinCount: 1,
        MaxCount: 1,
        TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'Name', Value: Name }] }],
      }),
    )
    return Instances![0]!
  }
  const db = await launch('db-1')
  const web = await launch('web-1')
  const GroupId = db.SecurityGroups![0]!.GroupId!
  const describe = async (more: readonly object[] = []) => {
    const answers = await Promise.all([
      ec2.send(new EC2.DescribeSubnetsCommand({})),
      ec2.send(new EC2.DescribeNetworkInterfacesCommand({})),
      ec2.send(new EC2.DescribeSecurityGroupsCommand({})),
      ec2.send(new EC2.DescribeNetworkAclsCommand({})),
      ec2.send(new EC2.DescribeRouteTablesCommand({})),
      ec2.send(new EC2.DescribeInternetGatewaysCommand({})),
      ec2.send(new EC2.DescribeInstancesCommand({})),
      ...more,
    ])
    return answers.flatMap((answer) => ['--files', file(answer)])
  }
  return { ec2, db, web, GroupId, describe, eni: db.NetworkInterfaces![0]!.NetworkInterfaceId! }
}

let it: Awaited<ReturnType<typeof network>>
beforeAll(async () => {
  it = await network()
})

test('What keeps the internet from a database is named, and the way is shown once nothing does', async () => {
  const { ec2, GroupId, db, describe, eni } = it
  const question = ['explain', 'internet', 'db-1', '--port', '5432']

  const closed = await run(...question, ...(await describe()))
  expect(closed.status).toBe(1)
  expect(closed.text).toContain(`internet does not reach ${eni} (${db.InstanceId}, ${db.PrivateIpAddress}`)
  expect(closed.text).toContain(
    `Blocked at ${GroupId}: no rule of the security groups allows it [ENI_SG_RULES_MISMATCH]`,
  )

  const IpPermissions = [{ IpProtocol: 'tcp', FromPort: 5432, ToPort: 5432, IpRanges: [{ CidrIp: '0.0.0.0/0' }] }]
  await ec2.send(new EC2.AuthorizeSecurityGroupIngressCommand({ GroupId, IpPermissions }))
  const open = await run(...question, ...(await describe()))
  expect(open.status).toBe(0)
  expect(open.text).toMatch(/security group +sg-[0-9a-f]+ +rule tcp 5432 from 0\.0\.0\.0\/0/)
  expect(open.text).toMatch(/network acl +acl-[0-9a-f]+ +entry 100/)
  const rules = await ec2.send(new EC2.DescribeSecurityGroupRulesCommand({}))
  const json = await run(...question, '--json', ...(await describe([rules])))
  const { isReachable, forward, packets } = JSON.parse(json.text)
  expect(isReachable).toBe(true)
  expect(forward.find(({ component }: { component: string }) => component === GroupId).by).toEqual([
    expect.stringMatching(/^sgr-/),
  ])
  expect(packets[0]).toMatchObject({ destination: db.PrivateIpAddress, destinationPort: [5432, 5432] })
  expect((await run('explain', 'internet', 'db-1', '--port', '5433', ...(await describe()))).status).toBe(1)
})

test('What reaches an interface is listed', async () => {
  const all = await it.describe()

  const { status, text } = await run('who-reaches', it.db.PrivateIpAddress!, '--port', '5432', ...all)
  expect(status).toBe(0)
  expect(text).toContain('is reached from 2 ends: tcp 5432')
  expect(text).toContain('  internet\n')
  expect(text).toContain(it.web.InstanceId!)
  const other = await run('who-reaches', 'web-1', '--port', '22', '--json', ...all)
  expect(JSON.parse(other.text).map(({ from }: { from: string }) => from)).toEqual([it.eni])
})

test('A database in a default subnet with a public address and a route to the gateway violates by name; moved, it does not', async () => {
  const { ec2, eni, describe } = it

  const before = await run('placement', 'db-1', ...(await describe()))
  expect(before.status).toBe(1)
  expect(before.text).toMatch(
    /^DEFAULT_SUBNET: subnet-\w+ is a default subnet\.\nPUBLIC_ADDRESS: eni-\w+ has the public address [\d.]+\.\nROUTE_TO_INTERNET_GATEWAY: rtb-\w+ routes 0\.0\.0\.0\/0 to igw-\w+\.\n$/,
  )

  const VpcId = (await ec2.send(new EC2.CreateVpcCommand({ CidrBlock: '10.0.0.0/16' }))).Vpc!.VpcId!
  const subnet = await ec2.send(new EC2.CreateSubnetCommand({ VpcId, CidrBlock: '10.0.1.0/24' }))
  const moved = await ec2.send(new EC2.CreateNetworkInterfaceCommand({ SubnetId: subnet.Subnet!.SubnetId! }))
  const id = moved.NetworkInterface!.NetworkInterfaceId!
  const after = await run('placement', id, ...(await describe()))
  expect(after).toMatchObject({ status: 0, text: expect.stringContaining('no violations') })
  const { text } = await run('explain', 'internet', id, ...(await describe()))
  expect(text).toContain('the VPC has no internet gateway [IGW_NOT_ATTACHED_TO_VPC]')
  const inside = await run('explain', eni, id, ...(await describe()))
  expect(inside.text).toContain('[NO_ROUTE_TO_DESTINATION]')
})

test('One file is made of many, and answers the same', async () => {
  const files = (await it.describe()).filter((word) => word !== '--files')

  const { status, text } = await run('import', ...files)
  expect(status).toBe(0)
  expect((await run('explain', 'internet', 'db-1', '--port', '5432', '--files', file(text))).status).toBe(0)
})

test.each([
  ['a file that is no description', [{ Buckets: [] }], 'is no output of aws ec2 describe-'],
  ['a file that is not JSON', ['{'], 'is not JSON'],
  ['a list with an entry that is none', [{ Subnets: [1] }], 'has an entry that is no object'],
  ['descriptions without interfaces', [{ Subnets: [] }], 'Missing descriptions: aws ec2 describe-network-interfaces'],
])('%s is refused', async (_name, contents, reason) => {
  const { status, text } = await run('explain', 'internet', 'x', ...contents.flatMap((each) => ['--files', file(each)]))

  expect(status).toBe(2)
  expect(text).toContain(reason)
})

test('Ends that are none, or several, and ports that are none, are refused by name', async () => {
  const all = await it.describe()

  expect((await run('explain', 'internet', 'db-2', ...all)).text).toContain("'db-2' names no interface of the network")
  await expect(net.run(['explain', 'internet', 'db-1', '--port', '70000', ...all])).rejects.toThrow(
    '--port is a number',
  )
  await expect(net.run(['explain', 'internet', ...all])).rejects.toThrow('Expected FROM and TO')
  await expect(net.run(['explain', 'internet', 'db-1'])).rejects.toThrow('--files is missing')
})
