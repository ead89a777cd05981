/**
 * `node bench/gateway.mjs [--seconds N] [--peer URL]`: requests a second through the gateway's path in one process, with Core, SQL
 * database and Known bad inputs: a GET, a POST of 2 KB of JSON, and an attack that is blocked. `--peer`: another firewall before the same
 * target, which listens on the port that is printed (`--target-port`, default 32100), such as nginx with ModSecurity and one worker; it is
 * measured in turns. What passes is sent at half of that rate, too, through the gateway and directly to the target. One JSON line each. Run it
 * on an idle machine: clients, target and gateway share it.
 *
 * The gateway is that of `dist/merlon.js start`, whose process does little else: run `npm run build` first. It is configured through its API.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { DescribeSubnetsCommand, EC2Client } from '@aws-sdk/client-ec2'
import * as elb from '@aws-sdk/client-elastic-load-balancing-v2'
import { AssociateWebACLCommand, CreateWebACLCommand, WAFV2Client } from '@aws-sdk/client-wafv2'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    peer: { type: 'string' },
    port: { type: 'string', default: '32101' },
    'target-port': { type: 'string', default: '32100' },
    'api-port': { type: 'string', default: '32102' },
  },
})
const [seconds, port, targetPort, apiPort] = [
  values.seconds,
  values.port,
  values['target-port'],
  values['api-port'],
].map(Number)
const CONNECTIONS = 16
const GROUPS = ['AWSManagedRulesCommonRuleSet', 'AWSManagedRulesSQLiRuleSet', 'AWSManagedRulesKnownBadInputsRuleSet']

const BROWSER = [
  'Host: shop.example',
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36',
  'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'Accept-Language: en-GB,en;q=0.8',
  'Cookie: sid=8f2c7d1a9e4b4c5f; theme=dark',
]
const json = JSON.stringify({
  order: 'A-1742',
  customer: { name: 'Ada Lindqvist', mail: 'ada@example.com', address: '12 Long Street, Utrecht' },
  items: Array.from({ length: 20 }, (_, at) => ({
    sku: `SKU-${1_000 + at}`,
    quantity: 1 + (at % 3),
    price: 19.95 + at,
    note: `please wrap item number ${at} in plain brown paper`,
  })),
})
const message = (line, more = [], body = '') =>
  Buffer.from(`${[line, ...BROWSER, ...more].join('\r\n')}\r\n\r\n${body}`)
const REQUESTS = {
  get: message('GET /shop/items?id=1742&sort=price&q=blue+shoes HTTP/1.1'),
  post: message(
    'POST /api/orders HTTP/1.1',
    ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(json)}`],
    json,
  ),
  attack: message(
    'GET /shop/items?id=1%27%20UNION%20SELECT%20name,password%20FROM%20users--%20-&q=%3Cscript%3Ealert(1) HTTP/1.1',
  ),
}
const EXPECTED = { get: 200, post: 200, attack: 403 }

/**
 * Responses have a Content-Length, as those of both gateways have here. `perSecond`: requests begin at most that often; default: as soon as
 * a connection is free.
 */
function load(url, name, perSecond) {
  const everyMs = perSecond === undefined ? 0 : (1_000 * CONNECTIONS) / perSecond
  const { hostname, port: at } = new URL(url)
  const [took, end] = [[], performance.now() + 1_000 * seconds]
  let wrong = 0
  const one = () =>
    new Promise((resolve, reject) => {
      const socket = connect(Number(at || 80), hostname)
      let [received, begun] = ['', 0]
      const send = () => {
        received = ''
        begun = performance.now()
        socket.write(REQUESTS[name])
      }
      // Paced connections begin one after another, not together.
      socket
        .setNoDelay(true)
        .on('connect', () => setTimeout(send, everyMs * Math.random()))
        .on('error', reject)
      socket.on('close', resolve)
      socket.on('data', (chunk) => {
        received += chunk.toString('latin1')
        const head = received.indexOf('\r\n\r\n')
        const length = Number(/content-length: (\d+)/i.exec(received)?.[1] ?? 0)
        if (head < 0 || received.length < head + 4 + length) return
        took.push(performance.now() - begun)
        if (Number(received.slice(9, 12)) !== EXPECTED[name]) wrong++
        if (performance.now() >= end) socket.destroy()
        // A firewall that ends the connection after it blocked is measured with what that costs.
        else if (/connection: close/i.test(received.slice(0, head))) {
          socket.off('close', resolve).destroy()
          one().then(resolve, reject)
        } else if (everyMs === 0) send()
        else setTimeout(send, begun + everyMs - performance.now())
      })
    })
  const begun = performance.now()
  return Promise.all(Array.from({ length: CONNECTIONS }, one)).then(() => {
    took.sort((a, b) => a - b)
    const at99 = took[Math.floor(took.length * 0.99)] ?? 0
    return {
      requestsPerSecond: Math.round((1_000 * took.length) / (performance.now() - begun)),
      p50Ms: Number((took[Math.floor(took.length / 2)] ?? 0).toFixed(2)),
      p99Ms: Number(at99.toFixed(2)),
      ...(wrong > 0 && { otherStatus: wrong }),
    }
  })
}

async function startGateway() {
  const data = mkdtempSync(join(tmpdir(), 'merlon-bench-gateway-'))
  const program = fileURLToPath(new URL('../dist/merlon.js', import.meta.url))
  const args = ['start', '--data', data, '--exit-with-parent', '--log', 'error', '--json', '--port', String(apiPort)]
  const server = spawn(process.execPath, [program, ...args, '--gateway', '127.0.0.1', '--gateway-port', `80=${port}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  process.on('exit', () => {
    server.kill()
    rmSync(data, { recursive: true, force: true })
  })
  const [line] = await once(server.stdout, 'data')
  const ready = JSON.parse(String(line).split('\n')[0])
  return { server, ready }
}

const target = createServer((request, response) => {
  request.resume().on('end', () => response.setHeader('Content-Length', 2).end('ok'))
})
target.listen(targetPort, '127.0.0.1')
await once(target, 'listening')
const { server, ready } = await startGateway()
const [account] = ready.accounts
const at = {
  endpoint: ready.url,
  region: 'us-east-1',
  credentials: { accessKeyId: account.accessKeyId, secretAccessKey: account.secretAccessKey },
}
const [balancing, waf] = [new elb.ElasticLoadBalancingV2Client(at), new WAFV2Client(at)]
const { Subnets } = await new EC2Client(at).send(new DescribeSubnetsCommand({}))
const { LoadBalancers } = await balancing.send(
  new elb.CreateLoadBalancerCommand({ Name: 'bench', Subnets: Subnets.slice(0, 2).map(({ SubnetId }) => SubnetId) }),
)
const [{ LoadBalancerArn }] = LoadBalancers
const { TargetGroups } = await balancing.send(
  new elb.CreateTargetGroupCommand({
    Name: 'bench',
    Protocol: 'HTTP',
    Port: 80,
    VpcId: Subnets[0].VpcId,
    TargetType: 'ip',
  }),
)
const [{ TargetGroupArn }] = TargetGroups
await balancing.send(
  new elb.RegisterTargetsCommand({ TargetGroupArn, Targets: [{ Id: '127.0.0.1', Port: targetPort }] }),
)
await balancing.send(
  new elb.CreateListenerCommand({
    LoadBalancerArn,
    Port: 80,
    Protocol: 'HTTP',
    DefaultActions: [{ Type: 'forward', TargetGroupArn }],
  }),
)
const visibility = (MetricName) => ({ MetricName, SampledRequestsEnabled: false, CloudWatchMetricsEnabled: false })
const { Summary } = await waf.send(
  new CreateWebACLCommand({
    Name: 'bench',
    Scope: 'REGIONAL',
    DefaultAction: { Allow: {} },
    VisibilityConfig: visibility('bench'),
    Rules: GROUPS.map((Name, Priority) => ({
      Name,
      Priority,
      Statement: { ManagedRuleGroupStatement: { VendorName: 'AWS', Name } },
      OverrideAction: { None: {} },
      VisibilityConfig: visibility(Name),
    })),
  }),
)
await waf.send(new AssociateWebACLCommand({ WebACLArn: Summary.ARN, ResourceArn: LoadBalancerArn }))
const url = `http://127.0.0.1:${port}`
const attacked = async () => (await fetch(`${url}/?q=%3Cscript%3Ealert(1)`).catch(() => undefined))?.status
while ((await attacked()) !== 403) await new Promise((done) => setTimeout(done, 100))

/** What the gateway adds to the 99th percentile at half of what it can do. */
async function atHalfLoad(name, perSecond) {
  const [through, direct] = [
    await load(url, name, perSecond),
    await load(`http://127.0.0.1:${targetPort}`, name, perSecond),
  ]
  return {
    perSecond,
    p99Ms: through.p99Ms,
    directP99Ms: direct.p99Ms,
    addedMs: Number((through.p99Ms - direct.p99Ms).toFixed(2)),
  }
}

for (const name of Object.keys(REQUESTS)) {
  const merlon = await load(url, name)
  const measured = {
    request: name,
    merlon,
    ...(values.peer && { peer: await load(values.peer, name) }),
    ...(EXPECTED[name] === 200 && { halfLoad: await atHalfLoad(name, Math.round(merlon.requestsPerSecond / 2)) }),
  }
  process.stdout.write(`${JSON.stringify(measured)}\n`)
}
server.kill()
await once(server, 'exit')
target.close()
process.exit(0)
