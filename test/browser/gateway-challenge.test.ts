/** The challenge of a web ACL: Chromium passes it, curl does not, and the token of one client is refused from another. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DescribeSubnetsCommand, EC2Client } from '@aws-sdk/client-ec2'
import * as elb from '@aws-sdk/client-elastic-load-balancing-v2'
import { AssociateWebACLCommand, CreateWebACLCommand, WAFV2Client } from '@aws-sdk/client-wafv2'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { run } from '../clients/command.ts'
import { installation, type Running, startAlone } from '../process.ts'
import { freePort } from '../rotation/databases.ts'
import { accessibilityFindings, openBrowser, screenshot } from './browser.ts'

let server: Running
let browser: Browser
let address: string
const seen: string[] = []
const application = createServer((request, response) => {
  if (request.headers['user-agent'] !== 'ELB-HealthChecker/2.0') seen.push(request.url!)
  response.setHeader('content-type', 'text/html').end('<html lang="en"><title>Shop</title><h1>The shop</h1></html>')
})
const visibility = (MetricName: string) => ({
  MetricName,
  SampledRequestsEnabled: false,
  CloudWatchMetricsEnabled: false,
})

beforeAll(async () => {
  const port = await freePort()
  server = await startAlone([...installation(), '--gateway', '127.0.0.1', '--gateway-port', `80=${port}`])
  application.listen(0, '127.0.0.1')
  await once(application, 'listening')
  const { accessKeyId, secretAccessKey } = server.accounts[0]!
  const at = { endpoint: server.url, region: 'us-east-1', credentials: { accessKeyId, secretAccessKey } }
  const balancing = new elb.ElasticLoadBalancingV2Client(at)
  const { Subnets = [] } = await new EC2Client(at).send(new DescribeSubnetsCommand({}))
  const { LoadBalancers } = await balancing.send(
    new elb.CreateLoadBalancerCommand({ Name: 'shop', Subnets: Subnets.slice(0, 2).map(({ SubnetId }) => SubnetId!) }),
  )
  const [{ LoadBalancerArn }] = LoadBalancers as [elb.LoadBalancer]
  const { TargetGroups } = await balancing.send(
    new elb.CreateTargetGroupCommand({
      Name: 'shop',
      Protocol: 'HTTP',
      Port: 80,
      VpcId: Subnets[0]!.VpcId,
      TargetType: 'ip',
    }),
  )
  const [{ TargetGroupArn }] = TargetGroups as [elb.TargetGroup]
  const Targets = [{ Id: '127.0.0.1', Port: (application.address() as AddressInfo).port }]
  await balancing.send(new elb.RegisterTargetsCommand({ TargetGroupArn, Targets }))
  const DefaultActions = [{ Type: 'forward' as const, TargetGroupArn }]
  await balancing.send(new elb.CreateListenerCommand({ LoadBalancerArn, Port: 80, Protocol: 'HTTP', DefaultActions }))
  const waf = new WAFV2Client(at)
  const { Summary } = await waf.send(
    new CreateWebACLCommand({
      Name: 'acl',
      Scope: 'REGIONAL',
      DefaultAction: { Allow: {} },
      VisibilityConfig: visibility('acl'),
      Rules: [
        {
          Name: 'captcha',
          Priority: 0,
          Statement: {
            ByteMatchStatement: {
              SearchString: Buffer.from('/person'),
              FieldToMatch: { UriPath: {} },
              TextTransformations: [{ Priority: 0, Type: 'NONE' }],
              PositionalConstraint: 'STARTS_WITH',
            },
          },
          Action: { Captcha: {} },
          VisibilityConfig: visibility('captcha'),
        },
        {
          Name: 'challenge',
          Priority: 1,
          Statement: {
            ByteMatchStatement: {
              SearchString: Buffer.from('/'),
              FieldToMatch: { UriPath: {} },
              TextTransformations: [{ Priority: 0, Type: 'NONE' }],
              PositionalConstraint: 'STARTS_WITH',
            },
          },
          Action: { Challenge: {} },
          VisibilityConfig: visibility('challenge'),
        },
      ],
    }),
  )
  await waf.send(new AssociateWebACLCommand({ WebACLArn: Summary!.ARN, ResourceArn: LoadBalancerArn }))
  address = `http://localhost:${port}`
  await vi.waitFor(async () => expect((await fetch(address)).status).toBe(202), { timeout: 30_000, interval: 100 })
  browser = await openBrowser()
}, 120_000)
afterAll(async () => {
  await browser?.close()
  application.close()
  await server?.stop()
})

test('Chromium solves the challenge and sees the page; curl, and the token of Chromium in other hands, do not', async () => {
  const curl = (...words: string[]) =>
    run(
      'curl',
      ['--silent', '--output', '/dev/null', '--write-out', '%{http_code}', ...words, `${address}/basket`],
      {},
      '.',
    )
  expect((await curl()).stdout).toBe('202')
  expect((await curl('--header', 'accept: text/html')).stdout).toBe('202')
  expect(seen).not.toContain('/basket')

  const context = await browser.newContext({ viewport: { width: 900, height: 700 } })
  const page = await context.newPage()
  await page.goto(`${address}/basket`)
  await page.getByRole('heading', { name: 'The shop' }).waitFor()
  await screenshot(page, 'gateway-passed')
  expect(seen).toContain('/basket')
  const token = (await context.cookies()).find(({ name }) => name === 'aws-waf-token')!
  const agent = await page.evaluate(() => navigator.userAgent)
  const cookie = `cookie: aws-waf-token=${token.value}`
  expect((await curl('--header', cookie)).stdout).toBe('202')
  expect((await curl('--header', cookie, '--user-agent', agent)).stdout).toBe('200')
  expect((await curl('--header', `${cookie}x`, '--user-agent', agent)).stdout).toBe('202')

  // What a person sees while the puzzle is not solved.
  const other = await (await browser.newContext()).newPage()
  await other.route('**/.well-known/merlon-challenge', (route) => route.abort())
  await other.goto(`${address}/basket`)
  await other.getByRole('status').getByText('This browser could not be checked.').waitFor()
  await screenshot(other, 'gateway-challenge')
  expect(await accessibilityFindings(other)).toEqual([])
}, 120_000)

/** The numbers that one hears: groups of tones, each of which ends with a longer silence. */
function heard(wave: Buffer): string {
  const samples = wave.subarray(44)
  const window = 160
  const counts = [0]
  let [wasLoud, quiet] = [false, 0]
  for (let at = 0; at + window <= samples.length; at += window) {
    let energy = 0
    for (let sample = at; sample < at + window; sample++) energy += Math.abs(samples[sample]! - 128)
    const isLoud = energy / window > 20
    if (isLoud && !wasLoud) {
      if (quiet > 15 && counts.at(-1)! > 0) counts.push(0)
      counts[counts.length - 1]!++
    }
    quiet = isLoud ? 0 : quiet + 1
    wasLoud = isLoud
  }
  return counts.join('')
}

test('A person passes the CAPTCHA without a script, by its sound; curl does not', async () => {
  const curl = await run(
    'curl',
    [
      '--silent',
      '--output',
      '/dev/null',
      '--write-out',
      '%{http_code}',
      '--header',
      'accept: text/html',
      `${address}/person`,
    ],
    {},
    '.',
  )
  expect(curl.stdout).toBe('405')
  const context = await browser.newContext({ viewport: { width: 700, height: 700 }, javaScriptEnabled: false })
  const page = await context.newPage()
  await page.goto(`${address}/person?from=search`)
  await page.getByRole('heading', { name: 'Are you a person?' }).waitFor()
  await screenshot(page, 'gateway-captcha')
  await page.getByRole('textbox').fill('0')
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.getByRole('alert').getByText('That was not right.').waitFor()
  const sound = await context.request.get(new URL((await page.locator('audio').getAttribute('src'))!, address).href)
  await page.getByRole('textbox').fill(heard(await sound.body()))
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.getByRole('heading', { name: 'The shop' }).waitFor()
  expect(seen).toContain('/person?from=search')
  const scripted = await (await browser.newContext()).newPage()
  await scripted.goto(`${address}/person`)
  await scripted.getByRole('heading', { name: 'Are you a person?' }).waitFor()
  expect(await accessibilityFindings(scripted)).toEqual([])
}, 120_000)
