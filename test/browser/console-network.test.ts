/** The network in the console: what is public, and which rule keeps the internet from a database. */
import {
  AuthorizeSecurityGroupIngressCommand,
  DescribeImagesCommand,
  DescribeInternetGatewaysCommand,
  EC2Client,
  RunInstancesCommand,
} from '@aws-sdk/client-ec2'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openBrowser } from './browser.ts'
import {
  type ConsoleServer,
  lookedAt,
  openPage,
  ROOT,
  ROOT_PERSON,
  settled,
  signedIn,
  startConsole,
} from './console.ts'

let server: ConsoleServer
let browser: Browser

beforeAll(async () => {
  server = await startConsole()
  browser = await openBrowser()
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

test('the pages say what is public, and hop by hop what reaches it', async () => {
  const { page, problems } = await signedIn(browser, ROOT_PERSON)
  const findings: string[] = []
  const ec2 = new EC2Client({ endpoint: server.api, region: 'us-east-1', credentials: ROOT })
  const { Images } = await ec2.send(new DescribeImagesCommand({ Owners: ['amazon'] }))
  const { Instances } = await ec2.send(
    new RunInstancesCommand({ ImageId: Images![0]!.ImageId!, MinCount: 1, MaxCount: 1 }),
  )
  const { InternetGateways } = await ec2.send(new DescribeInternetGatewaysCommand({}))
  const [instance, gateway] = [Instances![0]!, InternetGateways![0]!.InternetGatewayId!]
  const GroupId = instance.SecurityGroups![0]!.GroupId!
  const eni = instance.NetworkInterfaces![0]!.NetworkInterfaceId!

  await page.goto(server.console)
  await openPage(page, 'network', instance.VpcId)
  findings.push(...(await lookedAt(page, 'vpcs')))
  await page.getByRole('link', { name: instance.VpcId! }).click()
  await page.getByText(`Public, by ${gateway}`).first().waitFor()
  await page.getByText('No port is open to every address').waitFor()
  await settled(page)
  findings.push(...(await lookedAt(page, 'vpc')))

  await page.getByRole('link', { name: `Who reaches it? ${eni}` }).click()
  await page.getByRole('heading', { name: 'Who reaches what?', level: 1 }).waitFor()
  await settled(page)
  await page.getByRole('button', { name: /^From/ }).click()
  await page.getByRole('option', { name: /The internet, by/ }).click()
  await page.getByLabel('Port').fill('5432')
  await page.getByRole('button', { name: 'Analyze' }).click()
  await page.getByText('It is not reachable').waitFor()
  const refused = await page.locator('main').innerText()
  expect(refused).toContain('No rule of the security groups lets it pass.')
  expect(refused).toContain(GroupId)
  await settled(page)
  findings.push(...(await lookedAt(page, 'path-blocked')))

  const CidrIp = '0.0.0.0/0'
  const IpPermissions = [{ IpProtocol: 'tcp', FromPort: 5432, ToPort: 5432, IpRanges: [{ CidrIp }] }]
  await ec2.send(new AuthorizeSecurityGroupIngressCommand({ GroupId, IpPermissions }))
  await page.reload()
  await page.getByText('It is reachable').waitFor()
  await settled(page)
  expect(await page.locator('main').innerText()).toContain('tcp 5432 from 0.0.0.0/0')
  findings.push(...(await lookedAt(page, 'path-found')))
  await openPage(page, `network/${instance.VpcId}`, 'tcp 5432')
  expect(findings).toEqual([])
  expect(problems).toEqual([])
}, 600_000)
