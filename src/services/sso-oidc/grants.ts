/** Grants that wait: devices by their user codes, and authorization codes. */
import { createHash, randomBytes } from 'node:crypto'
import { scheduleJob } from '../../kernel/jobs/jobs.ts'
import type { PortalSession } from '../../kernel/portal-sessions.ts'
import type { SsoGrantsPort } from '../../kernel/ports/sso-grants.ts'
import { randomText } from '../../kernel/service/id.ts'
import type { ServiceJob } from '../../kernel/service/service.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import { type Key, key, type Unit } from '../../store/store.ts'
import { isRegistered, readClient } from './clients.ts'

export const DEVICE_MS = 10 * 60_000
export const CODE_MS = 60_000
/** A used or expired code is distinguished from a wrong one for as long. */
const REMEMBERED_MS = 10 * 60_000
export const FORGET_GRANT = 'sso-oidc.forget-grant'

/** RFC 8628, section 6.1: no vowels, so that no real words appear. 31 signs to the power of eight are 39.6 bits. */
const CODE_SIGNS = 'BCDFGHJKLMNPQRSTVWXYZ0123456789'

export interface DeviceRow {
  readonly userCode: string
  readonly clientId: string
  readonly clientName: string
  readonly scopes: readonly string[]
  readonly storeId: string
  readonly remoteAddress: string
  readonly startedAt: number
  readonly expiresAt: number
  readonly state: 'pending' | 'approved' | 'denied' | 'used'
  readonly session?: PortalSession
}

export interface CodeRow {
  /** The client's own ID, inside of what it sends. */
  readonly clientId: string
  readonly redirectUri: string
  readonly challenge: string
  readonly scopes: readonly string[]
  readonly session: PortalSession
  readonly expiresAt: number
  readonly isUsed: boolean
}

/** Codes are stored as hashes only: a copy of the data opens nothing. */
const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('base64url')

export const deviceKey = (deviceCode: string): Key => key('sso-oidc', 'device', hashOf(deviceCode))
export const codeKey = (code: string): Key => key('sso-oidc', 'code', hashOf(code))
const userCodeKey = (userCode: string): Key => key('sso-oidc', 'user-code', hashOf(normalized(userCode)))

/** People type codes in lower case, and leave out the hyphen. */
const normalized = (userCode: string): string =>
  userCode
    .toUpperCase()
    .replace(/[^A-Z0-9]/g, '')
    .slice(0, 16)

const forgetLater = (unit: Unit, keys: readonly Key[], dueAt: number): void => {
  scheduleJob(unit, { id: `${FORGET_GRANT}/${keys[0]}`, kind: FORGET_GRANT, dueAt, payload: { keys } })
}

export const forgetGrant: ServiceJob<{ readonly keys: readonly Key[] }> = {
  run: async (unit, _work, { keys }) => {
    for (const at of keys) unit.delete(at)
  },
}

export function addDevice(
  unit: Unit,
  now: number,
  request: Pick<DeviceRow, 'clientId' | 'clientName' | 'scopes' | 'storeId' | 'remoteAddress'>,
): { readonly deviceCode: string; readonly userCode: string } {
  const deviceCode = randomBytes(32).toString('base64url')
  const userCode = `${randomText(CODE_SIGNS, 4)}-${randomText(CODE_SIGNS, 4)}`
  const row: DeviceRow = { ...request, userCode, startedAt: now, expiresAt: now + DEVICE_MS, state: 'pending' }
  unit.put(deviceKey(deviceCode), row)
  unit.put(userCodeKey(userCode), { at: deviceKey(deviceCode) })
  forgetLater(unit, [deviceKey(deviceCode), userCodeKey(userCode)], now + DEVICE_MS + REMEMBERED_MS)
  return { deviceCode, userCode }
}

async function pending(reader: Pick<Reader, 'get'>, userCode: string, now: number) {
  const index = await reader.get<{ readonly at: Key }>(userCodeKey(userCode))
  const row = index && (await reader.get<DeviceRow>(index.at))
  return row && row.state === 'pending' && row.expiresAt > now ? { at: index.at, row } : undefined
}

async function answer(unit: Unit, userCode: string, now: number, change: Partial<DeviceRow>): Promise<boolean> {
  const found = await pending(unit, userCode, now)
  if (!found) return false
  unit.put(found.at, { ...found.row, ...change } satisfies DeviceRow)
  return true
}

export const ssoGrantsPort: SsoGrantsPort = {
  device: async (reader, userCode, now) => (await pending(reader, userCode, now))?.row,
  approveDevice: (unit, userCode, session, now) => answer(unit, userCode, now, { state: 'approved', session }),
  denyDevice: (unit, userCode, now) => answer(unit, userCode, now, { state: 'denied' }),
  client: readClient,
  isRegistered,
  issueCode: (unit, { client, redirectUri, challenge, scopes, session }, now) => {
    const code = randomBytes(32).toString('base64url')
    const row: CodeRow = {
      clientId: client.id,
      redirectUri,
      challenge,
      scopes,
      session,
      expiresAt: now + CODE_MS,
      isUsed: false,
    }
    unit.put(codeKey(code), row)
    forgetLater(unit, [codeKey(code)], now + CODE_MS + REMEMBERED_MS)
    return code
  },
}
