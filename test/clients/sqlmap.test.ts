/**
 * sqlmap against an application that it can break into: it finds the injections, and nothing of them behind a web ACL with the groups
 * Core and SQL database.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AssociateWebACLCommand, CreateWebACLCommand, type Rule, WAFV2Client } from '@aws-sdk/client-wafv2'
import { expect, onTestFinished, test, vi } from 'vitest'
import { gatewayCloud, WAIT } from '../../src/planes/gateway/gateway.fixture.ts'
import { cleanEnvironment, run } from './command.ts'
import { vulnerableShop } from './vulnerable-shop.ts'

const visibility = (MetricName: string) => ({
  MetricName,
  SampledRequestsEnabled: true,
  CloudWatchMetricsEnabled: false,
})
const group = (Name: string, Priority: number): Rule => ({
  Name,
  Priority,
  Statement: { ManagedRuleGroupStatement: { VendorName: 'AWS', Name: `AWSManagedRules${Name}` } },
  OverrideAction: { None: {} },
  VisibilityConfig: visibility(Name),
})

/** What sqlmap says of one parameter. As a browser: what it calls itself is blocked by name. */
async function sqlmap(...words: string[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'merlon-sqlmap-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const options = [
    ...['--batch', '--random-agent', '--disable-coloring', '--flush-session', '--output-dir', folder],
    ...['--level', '2', '--technique', 'BEU', '--timeout', '20', '--retries', '0', '--ignore-code', '403,500'],
  ]
  return (await run('sqlmap', [...options, ...words], cleanEnvironment())).stdout
}

const FOUND = 'sqlmap identified the following injection point'
const NOT_FOUND = 'all tested parameters do not appear to be injectable'

test('sqlmap finds what it breaks into, and nothing behind the web ACL', async () => {
  const shop = await vulnerableShop()
  onTestFinished(() => shop.close())
  const it = await gatewayCloud()
  const { url, arn } = await it.serving('shop', 80, [shop.port])
  const attacks: readonly (readonly string[])[] = [
    ['-u', `${url}/item?id=1`, '-p', 'id'],
    ['-u', `${url}/items?name=hats`, '-p', 'name'],
    ['-u', `${url}/items`, '--data', 'name=hats', '-p', 'name'],
  ]
  for (const attack of attacks) expect(await sqlmap(...attack)).toContain(FOUND)

  const waf = it.client(WAFV2Client)
  const { Summary } = await waf.send(
    new CreateWebACLCommand({
      Name: 'shop',
      Scope: 'REGIONAL',
      DefaultAction: { Allow: {} },
      VisibilityConfig: visibility('shop'),
      Rules: [group('CommonRuleSet', 0), group('SQLiRuleSet', 1)],
    }),
  )
  await waf.send(new AssociateWebACLCommand({ WebACLArn: Summary!.ARN, ResourceArn: arn }))
  const injected = `${url}/item?id=1%20union%20select%20name,secret%20from%20users`
  await vi.waitFor(async () => expect((await fetch(injected)).status).toBe(403), WAIT)
  expect(await (await fetch(`${url}/item?id=2`)).text()).toContain('hats')

  const evading = ['--tamper', 'space2comment,between,randomcase']
  for (const words of attacks.flatMap((attack) => [attack, [...attack, ...evading]])) {
    const said = await sqlmap(...words)
    expect(said).not.toContain(FOUND)
    expect(said).toContain(NOT_FOUND)
  }
})
