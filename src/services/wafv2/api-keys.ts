/** API keys: by them pages of the listed domains may use the CAPTCHA script. A key is public: it is part of a page. */
import { randomBytes } from 'node:crypto'
import type { Call } from '../../kernel/gate/call.ts'
import { anything } from '../../kernel/resource/target.ts'
import { key, under } from '../../store/store.ts'
import { invalidParameter, limitExceeded, nonexistent, wafv2 } from './faults.ts'
import { listedOf } from './lists.ts'
import { type ScopeName, scopeName } from './resources.ts'

interface ApiKeyRow {
  readonly apiKey: string
  readonly domains: readonly string[]
  readonly createdAt: number
  readonly version: number
}

const KEY_BYTES = 96
const DOMAINS_MAX = 5
const VERSION = 2

const keysIn = ({ account, region }: Call, scope: ScopeName) => under('wafv2', 'api-key', account, region, scope)
const keyAt = ({ account, region }: Call, scope: ScopeName, apiKey: string) =>
  key('wafv2', 'api-key', account, region, scope, apiKey)

export const createApiKey = wafv2
  .operation('CreateAPIKey')
  .on(anything)
  .run(async (call, { Scope, TokenDomains }) => {
    const scope = scopeName(call, Scope)
    if (TokenDomains.length > DOMAINS_MAX) throw limitExceeded('TOKEN_DOMAINS')
    for (const domain of TokenDomains)
      if (!domain.includes('.')) throw invalidParameter('TOKEN_DOMAIN', domain, 'The token domain is not valid.')
    const quota = 'APIKeysPerScope'
    if ((await call.unit.range(keysIn(call, scope))).length >= call.quotas[`wafv2/${quota}`]!)
      throw limitExceeded(quota)
    const apiKey = randomBytes(KEY_BYTES).toString('base64')
    const row: ApiKeyRow = { apiKey, domains: TokenDomains, createdAt: call.now, version: VERSION }
    call.unit.put(keyAt(call, scope, apiKey), row)
    return { APIKey: apiKey }
  })

const existing = async (call: Call, scope: ScopeName, apiKey: string): Promise<ApiKeyRow> => {
  const row = await call.unit.get<ApiKeyRow>(keyAt(call, scope, apiKey))
  if (!row) throw nonexistent()
  return row
}

export const getDecryptedApiKey = wafv2
  .operation('GetDecryptedAPIKey')
  .on(anything)
  .run(async (call, { Scope, APIKey }) => {
    const row = await existing(call, scopeName(call, Scope), APIKey)
    return { TokenDomains: [...row.domains], CreationTimestamp: new Date(row.createdAt) }
  })

export const listApiKeys = wafv2
  .operation('ListAPIKeys')
  .on(anything)
  .run(async (call, input) => {
    const rows = await call.unit.range<ApiKeyRow>(keysIn(call, scopeName(call, input.Scope)))
    const found = rows.map(({ document }) => document)
    const { items, next } = await listedOf(call, input, found, ({ apiKey }) => apiKey)
    return {
      APIKeySummaries: items.map((row) => ({
        TokenDomains: [...row.domains],
        APIKey: row.apiKey,
        CreationTimestamp: new Date(row.createdAt),
        Version: row.version,
      })),
      ...next,
    }
  })

export const deleteApiKey = wafv2
  .operation('DeleteAPIKey')
  .on(anything)
  .run(async (call, { Scope, APIKey }) => {
    const scope = scopeName(call, Scope)
    await existing(call, scope, APIKey)
    call.unit.delete(keyAt(call, scope, APIKey))
    return {}
  })
