/** The failure budget of a second factor, over two nodes of one PostgreSQL: guesses at one count at the other. */
import { join } from 'node:path'
import {
  CreateLoginProfileCommand,
  CreateUserCommand,
  CreateVirtualMFADeviceCommand,
  EnableMFADeviceCommand,
} from '@aws-sdk/client-iam'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { codeOf } from '../../src/services/signin/browser.fixture.ts'
import { Postgres } from '../faults/postgres.ts'
import { startAlone, temporaryFolder } from '../process.ts'
import { accessibilityFindings, openBrowser, screenshot } from './browser.ts'
import { PASSWORD, type SignInServer, serverAt, signInAs } from './sign-in.ts'

let postgres: Postgres
let browser: Browser
let context: BrowserContext
let page: Page
const nodes: SignInServer[] = []

beforeAll(async () => {
  postgres = await Postgres.make()
  postgres.sql('CREATE DATABASE merlon')
  const store = { MERLON_STORE: postgres.url('merlon') }
  const [first, second] = [join(temporaryFolder(), 'data'), join(temporaryFolder(), 'data')]
  const one = await startAlone(['--data', first], { ...store, MERLON_NODE: 'node-1' })
  const { accountId, ...credentials } = one.accounts[0]!
  nodes.push(serverAt(one, accountId, credentials))
  const place = { ...store, MERLON_NODE: 'node-2', MERLON_KEY_FILE: join(first, 'root.key') }
  nodes.push(serverAt(await startAlone(['--data', second], place), accountId, credentials))
  browser = await openBrowser()
})
afterAll(async () => {
  await browser?.close()
  for (const node of nodes) await node.stop()
  await postgres?.stop()
})
beforeEach(async () => {
  context = await browser.newContext({ viewport: { width: 1000, height: 760 } })
  page = await context.newPage()
})
afterEach(() => context.close())

const nodeOf = (attempt: number) => nodes[attempt % 2]!
const alert = () => page.getByRole('alert').innerText()
const WAITS = /^Too many failed attempts\. Try again in (\d+) seconds?\.$/

async function addUser(UserName: string): Promise<void> {
  await nodes[0]!.iam.send(new CreateUserCommand({ UserName }))
  await nodes[0]!.iam.send(new CreateLoginProfileCommand({ UserName, Password: PASSWORD }))
}

test('wrong passwords at two nodes are counted together, and lock out the right one at both', async () => {
  await addUser('ann')
  for (let attempt = 0; attempt < 5; attempt++) {
    await signInAs(page, nodeOf(attempt), 'ann', 'wrong')
    expect(await alert()).toBe('Your authentication information is incorrect. Please try again.')
  }

  for (const node of nodes) {
    await signInAs(page, node, 'ann')
    expect(await alert()).toMatch(WAITS)
  }
  await screenshot(page, 'locked-out')
  expect(await accessibilityFindings(page)).toEqual([])
})

test('so are wrong codes of a second factor', async () => {
  await addUser('bob')
  const { iam } = nodes[0]!
  const { VirtualMFADevice } = await iam.send(new CreateVirtualMFADeviceCommand({ VirtualMFADeviceName: 'bob' }))
  const SerialNumber = VirtualMFADevice!.SerialNumber!
  const seed = Buffer.from(VirtualMFADevice!.Base32StringSeed!).toString()
  const [AuthenticationCode1, AuthenticationCode2] = [codeOf(seed, Date.now() - 30_000), codeOf(seed, Date.now())]
  await iam.send(
    new EnableMFADeviceCommand({ UserName: 'bob', SerialNumber, AuthenticationCode1, AuthenticationCode2 }),
  )
  const answer = async (attempt: number, code: string) => {
    await signInAs(page, nodeOf(attempt), 'bob')
    await page.getByLabel('Code of your authenticator app').fill(code)
    await page.getByRole('button', { name: 'Continue' }).click()
    return alert()
  }
  // A device accepts the codes of three steps: one that is none of them.
  const accepted = [-30_000, 0, 30_000, 60_000, 90_000].map((ms) => codeOf(seed, Date.now() + ms))
  const wrong = ['000000', '111111', '222222', '333333', '444444', '555555'].find((code) => !accepted.includes(code))!

  for (let attempt = 0; attempt < 5; attempt++)
    expect(await answer(attempt, wrong)).toBe('Your authentication information is incorrect. Please try again.')
  for (const attempt of [0, 1]) expect(await answer(attempt, codeOf(seed, Date.now() + 30_000))).toMatch(WAITS)
})
