/** What threat protection knows of the client of a request: its address and where that is, and which device it seems to be. */
import { createHash } from 'node:crypto'
import { isIP } from 'node:net'
import { geography } from '../../kernel/ports/geography.ts'
import type { ClientRow, Flow } from './resources.ts'

export interface ClientFacts {
  /** Without the prefix of IPv4-mapped addresses; undefined where it is not known. */
  readonly address?: string | undefined
  /** ISO 3166-1, two letters, by the operator's file. */
  readonly country?: string | undefined
  /** A digest of what the client says of its device: its identifier, else its family and system. */
  readonly device: string
  /** `Firefox, Linux`, for people. */
  readonly deviceName: string
}

/** `UserContextData`, or `ContextData` of an administrator's request. */
export interface ContextData {
  readonly IpAddress?: string | undefined
  readonly EncodedData?: string | undefined
  readonly HttpHeaders?:
    | readonly { readonly headerName?: string | undefined; readonly headerValue?: string | undefined }[]
    | undefined
}

const BROWSERS = [
  ['edg', 'Edge'],
  ['opr/', 'Opera'],
  ['firefox', 'Firefox'],
  ['chrome', 'Chrome'],
  ['safari', 'Safari'],
  ['boto', 'boto3'],
  ['aws-cli', 'AWS CLI'],
  ['aws-sdk-js', 'AWS SDK'],
] as const
const SYSTEMS = [
  ['android', 'Android'],
  ['iphone', 'iOS'],
  ['ipad', 'iOS'],
  ['windows', 'Windows'],
  ['mac os', 'macOS'],
  ['macos', 'macOS'],
  ['linux', 'Linux'],
] as const

const named = (text: string, names: readonly (readonly [string, string])[]): string =>
  names.find(([part]) => text.includes(part))?.[1] ?? 'Other'

const ENCODED_MAX = 16_384
const DEVICE_ID_MAX = 256

/** The identifier that Cognito's context library for browsers and phones sends. It is the client's word alone. */
function deviceIdOf(encoded: string | undefined): string | undefined {
  if (encoded === undefined || encoded.length > ENCODED_MAX) return undefined
  try {
    const { payload } = JSON.parse(Buffer.from(encoded, 'base64').toString('utf8')) as { readonly payload?: unknown }
    const { contextData } = JSON.parse(String(payload)) as { readonly contextData?: Record<string, unknown> }
    const id = contextData?.['DeviceId']
    return typeof id === 'string' && id !== '' ? id.slice(0, DEVICE_ID_MAX) : undefined
  } catch {
    return undefined
  }
}

const plainAddress = (address: string | undefined): string | undefined => {
  const plain = address?.replace(/^::ffff:/, '')
  return plain !== undefined && isIP(plain) > 0 ? plain : undefined
}

/**
 * Administrators state the address of the user they act for; other clients only where the client has a secret and is set to do
 * so (`EnablePropagateAdditionalUserContextData`), as any client could state any address.
 */
export function clientFacts(
  call: Pick<Flow, 'use' | 'remoteAddress' | 'userAgent'>,
  client: ClientRow,
  context: ContextData | undefined,
  isAdmin: boolean,
): ClientFacts {
  const isTrusted =
    isAdmin || (client.secrets.length > 0 && client.settings.EnablePropagateAdditionalUserContextData === true)
  const address = plainAddress((isTrusted ? context?.IpAddress : undefined) ?? call.remoteAddress)
  const header = isAdmin
    ? context?.HttpHeaders?.find(({ headerName }) => headerName?.toLowerCase() === 'user-agent')?.headerValue
    : undefined
  const agent = (header ?? call.userAgent ?? '').slice(0, 512).toLowerCase()
  const deviceName = `${named(agent, BROWSERS)}, ${named(agent, SYSTEMS)}`
  const identity = deviceIdOf(context?.EncodedData) ?? deviceName
  return {
    address,
    country: address === undefined ? undefined : call.use(geography).locate(address)?.country,
    device: createHash('sha256').update(identity).digest('hex').slice(0, 24),
    deviceName,
  }
}
