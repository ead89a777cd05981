/** A browser without scripts: cookies, forms and redirects over the gate of a cloud in memory. */
import { createHmac } from 'node:crypto'
import { CreateVirtualMFADeviceCommand, EnableMFADeviceCommand, IAMClient } from '@aws-sdk/client-iam'
import type { cloud, Keys } from '../../../test/cloud.ts'
import { signInIdentities } from '../../kernel/ports/sign-in-identities.ts'

export type Cloud = Awaited<ReturnType<typeof cloud>>

export interface Page {
  readonly status: number
  readonly text: string
  readonly location: string | undefined
  readonly headers: Readonly<Record<string, string>>
}

export const ORIGIN = 'http://merlon.test'

export class Browser {
  readonly cookies = new Map<string, string>()
  readonly #cloud: Pick<Cloud, 'handle'>
  page: Page = { status: 0, text: '', location: undefined, headers: {} }

  constructor(opened: Pick<Cloud, 'handle'>) {
    this.#cloud = opened
  }

  async request(method: string, target: string, body = '', more: Readonly<Record<string, string>> = {}) {
    const [path = '', query = ''] = target.split('?')
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const all = { host: 'merlon.test', 'user-agent': 'test', ...(cookie && { cookie }), ...more }
    const answer = await this.#cloud.handle({
      method,
      path,
      query,
      rawHeaders: Object.entries(all).flat(),
      body: Buffer.from(body),
      remoteAddress: '192.0.2.1',
      secure: false,
    })
    const set = /^([^=]+)=([^;]*)/.exec(answer.headers['set-cookie'] ?? '')
    if (set) set[2] === '' ? this.cookies.delete(set[1]!) : this.cookies.set(set[1]!, set[2]!)
    const { status, headers } = answer
    this.page = { status, text: String(answer.body), location: headers['location'], headers }
    return this.page
  }

  open(target: string): Promise<Page> {
    return this.request('GET', target)
  }

  /** Sends the first form of the page with this action, with its hidden fields. */
  submit(action: string, fields: Readonly<Record<string, string>> = {}): Promise<Page> {
    const form = this.page.text.split('<form ').find((text) => text.includes(`action="${action}"`))
    if (!form) throw new Error(`No form ${action} on the page:\n${this.page.text}`)
    const inputs = [
      ...(form.split('</form>')[0] ?? '').matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g),
    ]
    const hidden = Object.fromEntries(inputs.map(([, name, value]) => [name!, unescaped(value!)]))
    return this.request('POST', action, new URLSearchParams({ ...hidden, ...fields }).toString(), {
      'content-type': 'application/x-www-form-urlencoded',
    })
  }

  async session() {
    return JSON.parse((await this.open('/console/session')).text)
  }

  async credentials(known?: string) {
    const csrf = known ?? (await this.session()).csrf
    const headers = { 'content-type': 'application/json', 'x-csrf-token': csrf }
    const { status, text } = await this.request('POST', '/console/credentials', '{}', headers)
    const { accessKeyId, secretAccessKey, sessionToken, expiration } = JSON.parse(text)
    return { status, keys: { accessKeyId, secretAccessKey, sessionToken } as Keys, expiration: expiration as string }
  }

  get problem(): string | undefined {
    return /<p role="alert">([^<]*)<\/p>/.exec(this.page.text)?.[1]
  }

  async asUser(account: string, username: string, password: string, redirect?: string): Promise<Page> {
    await this.open(redirect ? `/signin?redirect=${encodeURIComponent(redirect)}` : '/signin')
    return this.submit('/signin/user', { account, username, password })
  }

  async asRoot(email: string, password: string): Promise<Page> {
    await this.open('/signin/root')
    return this.submit('/signin/root', { email, password })
  }
}

const unescaped = (text: string): string =>
  text
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/&amp;/g, '&')

export const iamOf = (opened: Cloud): IAMClient => opened.client(IAMClient)

export async function setRoot(opened: Cloud, account: string, email: string, password: string): Promise<void> {
  const people = opened.use(signInIdentities)
  await opened.store.run(async (unit) => {
    const call = { unit, now: opened.clock.now() }
    await people.setRootEmail(call, account, email)
    await people.setPassword(call, people.root(account), password)
  })
}

export async function eventsOf(opened: Pick<Cloud, 'store'>, account: string, eventName?: string) {
  const lines = await opened.store.log({ account, limit: 200 })
  // biome-ignore lint/suspicious/noExplicitAny: records of every form.
  const events = lines.map(({ body }) => JSON.parse(body) as any)
  return events.filter((event) => eventName === undefined || event.eventName === eventName)
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** What an authenticator app shows: RFC 6238, from the seed in base 32. */
export function codeOf(seed: string, now: number): string {
  const bits = [...seed].map((each) => ALPHABET.indexOf(each).toString(2).padStart(5, '0')).join('')
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)))
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(now / 30_000)))
  const mac = createHmac('sha1', key).update(counter).digest()
  return String((mac.readUInt32BE(mac.at(-1)! & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}

/** Gives a user, or root, a virtual device; returns its seed. */
export async function enableTotp(opened: Cloud, UserName: string): Promise<{ seed: string; serialNumber: string }> {
  const iam = iamOf(opened)
  const { VirtualMFADevice } = await iam.send(
    new CreateVirtualMFADeviceCommand({ VirtualMFADeviceName: `phone-${UserName}` }),
  )
  const SerialNumber = VirtualMFADevice!.SerialNumber!
  const seed = Buffer.from(VirtualMFADevice!.Base32StringSeed!).toString()
  const now = opened.clock.now()
  const [AuthenticationCode1, AuthenticationCode2] = [codeOf(seed, now - 30_000), codeOf(seed, now)]
  await iam.send(new EnableMFADeviceCommand({ UserName, SerialNumber, AuthenticationCode1, AuthenticationCode2 }))
  return { seed, serialNumber: SerialNumber }
}
