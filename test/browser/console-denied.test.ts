/** A user without permissions: each page says which permission is missing and which layer of policies denied it. */
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient } from '@aws-sdk/client-iam'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openBrowser } from './browser.ts'
import {
  ACCOUNT,
  type ConsoleServer,
  lookedAt,
  openPage,
  type Person,
  ROOT,
  signedIn,
  startConsole,
} from './console.ts'

let server: ConsoleServer
let browser: Browser
let eve: Person

beforeAll(async () => {
  server = await startConsole()
  browser = await openBrowser()
  const iam = new IAMClient({ endpoint: server.api, region: 'us-east-1', credentials: ROOT })
  await iam.send(new CreateUserCommand({ UserName: 'eve' }))
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'eve' }))
  eve = {
    accessKeyId: AccessKey!.AccessKeyId!,
    secretAccessKey: AccessKey!.SecretAccessKey!,
    arn: `arn:aws:iam::${ACCOUNT}:user/eve`,
  }
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

const PAGES = [
  ['identity-center', 'sso:ListInstances'],
  ['user-pools', 'cognito-idp:ListUserPools'],
  ['certificates', 'acm:ListCertificates'],
  ['certificates/authorities', 'acm-pca:ListCertificateAuthorities'],
  ['network', 'ec2:Describe'],
  ['network/path', 'ec2:Describe'],
  ['waf', 'wafv2:ListWebACLs'],
  ['threats', 'guardduty:ListDetectors'],
] as const

test('a denied call shows what is missing, the layer that denied, and the way to the decision', async () => {
  const { page } = await signedIn(browser, eve)
  await page.goto(server.console)
  const findings: string[] = []
  for (const [address, permission] of PAGES) {
    await openPage(page, address, 'Access denied')
    const shown = await page.locator('main').innerText()
    expect.soft(shown, address).toContain(permission)
    expect.soft(shown, address).toContain('Layer that denied: identity policies')
    expect.soft(shown, address).toContain('Why was this denied?')
    findings.push(...(await lookedAt(page, `denied-${address}`)))
  }
  expect(findings).toEqual([])
}, 600_000)
