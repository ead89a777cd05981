/** The ACME authority that the operator configured, and requests to it: to the directory's origin alone, small, with a time limit. */

import { lookup } from 'node:dns/promises'
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import type { AcmeAuthorityPort, AcmeAuthoritySettings } from '../../kernel/ports/acme-authority.ts'
import { fetchFrom } from './outbound.ts'

interface Configuration extends AcmeAuthoritySettings {
  /** `*` for all. */
  readonly accounts: readonly string[]
  /** PEM of the authorities that sign the server's TLS certificate; undefined: those that Node.js trusts. */
  readonly ca?: string
}

type Environment = Readonly<Record<string, string | undefined>>
const LOOPBACK = /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])$/

/** `MERLON_ACME_…`; undefined without `MERLON_ACME_DIRECTORY`. Throws for values that are not valid. */
export function readAcmeAuthority(environment: Environment = process.env): Configuration | undefined {
  const directory = environment['MERLON_ACME_DIRECTORY']
  if (!directory) return undefined
  const url = URL.canParse(directory) ? new URL(directory) : undefined
  if (url?.protocol !== 'https:' && !(url?.protocol === 'http:' && LOOPBACK.test(url.hostname)))
    throw new Error(`MERLON_ACME_DIRECTORY: '${directory}' is not an https address`)
  const list = (text = '') => text.split(',').flatMap((each) => each.trim() || [])
  const contacts = list(environment['MERLON_ACME_CONTACT'])
  const accounts = list(environment['MERLON_ACME_ACCOUNTS'] ?? '*')
  const wrong = accounts.find((each) => each !== '*' && !/^\d{12}$/.test(each))
  if (wrong !== undefined) throw new Error(`MERLON_ACME_ACCOUNTS: '${wrong}' is not an account ID`)
  const bindingFile = environment['MERLON_ACME_EAB_FILE']
  const ca = environment['MERLON_ACME_CA']
  return {
    directory: url.href,
    contacts,
    accounts,
    ...(bindingFile && { binding: readBinding(readFileSync(bindingFile, 'utf8')) }),
    ...(ca && { ca: readFileSync(ca, 'utf8') }),
  }
}

/** A line: the key ID, white space, and the MAC key in base64url. */
function readBinding(text: string): NonNullable<AcmeAuthoritySettings['binding']> {
  const [, keyId, macKey] = /^\s*(\S{1,512})\s+([\w+/-]{16,1024}=*)\s*$/.exec(text) ?? []
  if (!keyId || !macKey) throw new Error('MERLON_ACME_EAB_FILE: the file does not hold a key ID and a MAC key')
  return { keyId, macKey: Buffer.from(macKey, 'base64') }
}

export function acmeAuthorityPort(configuration = readAcmeAuthority()): AcmeAuthorityPort {
  return {
    settings: (account) =>
      configuration?.accounts.some((each) => each === '*' || each === account) ? configuration : undefined,
    send: async ({ method, url: text, body }) => {
      const url = new URL(text)
      if (!configuration || url.origin !== new URL(configuration.directory).origin)
        throw new Error(`${url.origin} is not the origin of the ACME directory`)
      const host = url.hostname.replace(/^\[|\]$/g, '')
      // The operator named the host: it may be one of the internal network.
      const { address } = isIP(host) ? { address: host } : await lookup(host)
      const port = Number(url.port || (url.protocol === 'http:' ? 80 : 443))
      return fetchFrom(
        url,
        { address, port },
        {
          method,
          accept: '*/*',
          ...(body !== undefined && { content: { type: 'application/jose+json', text: body } }),
          ...(configuration.ca !== undefined && { ca: configuration.ca }),
        },
      )
    },
  }
}
