/** The network: what the internet reaches in a large one, all at once and after a rule changes, and pages of many security groups. */
import { execFileSync } from 'node:child_process'
import { CreateSecurityGroupCommand, DescribeVpcsCommand, EC2Client } from '@aws-sdk/client-ec2'
import { load } from '../drive.mjs'
import { withPrograms } from '../programs.mjs'
import { number, table } from '../report.mjs'
import { signedQuery } from '../requests.mjs'
import { startMerlon } from '../servers.mjs'

/** The first is the quota. */
const FULL = { groups: 2_500, pages: 50 }
const SMALL = { groups: 1_000, pages: 20 }
const INTERFACES = 5_000
const RULES = 20_000
const PAGE = 1_000
const AIM = { all: 2_000, change: 50, page: 150 }

export async function networkReach({ full, rounds }) {
  const measured = await withPrograms({ network: 'programs/network.ts' }, (pathOf) =>
    JSON.parse(
      execFileSync(process.execPath, [pathOf('network'), INTERFACES, RULES, rounds].map(String), { encoding: 'utf8' }),
    ),
  )
  const { groups, pages } = full ? FULL : SMALL
  const page = await pageOfGroups(groups, pages)
  const aim = (ms, most) => (ms <= most ? '' : `aim: ${number(most)} ms`)
  const rows = [
    [
      `what the internet reaches of ${number(INTERFACES)} interfaces under ${number(RULES)} rules`,
      median(measured.all),
      AIM.all,
    ],
    ['the same after a rule changed', median(measured.changes), AIM.change],
    [`DescribeSecurityGroups, a page of ${number(PAGE)} out of ${number(groups)} groups`, page.p50, AIM.page],
  ]
  return `${table(
    ['', 'Merlon', ''],
    rows.map(([name, ms, most]) => [name, `${number(ms)} ms`, aim(ms, most)]),
  )}\n\n${number(measured.reachable)} of the interfaces are reachable. Medians; of the processor for the first two, one call at a time for the last.`
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1]

async function pageOfGroups(count, calls) {
  const server = await startMerlon()
  try {
    const ec2 = new EC2Client({ endpoint: server.url, region: 'us-east-1', credentials: server.credentials })
    const { Vpcs } = await ec2.send(new DescribeVpcsCommand({}))
    const group = (n) =>
      ec2.send(new CreateSecurityGroupCommand({ GroupName: `g-${n}`, Description: 'bench', VpcId: Vpcs[0].VpcId }))
    for (let made = 0; made < count - 1; made += 9)
      await Promise.all(Array.from({ length: 9 }, (_, n) => group(made + n)))
    const page = await signedQuery(server, 'ec2', { Action: 'DescribeSecurityGroups', MaxResults: PAGE })
    return await load(server, [page], calls, { connections: 1 })
  } finally {
    await server.stop()
  }
}
