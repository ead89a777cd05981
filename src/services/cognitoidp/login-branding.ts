/** Branding styles of managed login: settings and images of an app client. */
import type { ManagedLoginBrandingType } from '@aws-sdk/client-cognito-identity-provider'
import type { Reader } from '../../kernel/state/reader.ts'
import { at, cognito, invalidParameter, notFound, type PoolRow, poolNamed, requireClient } from './resources.ts'

/** Source: https://docs.aws.amazon.com/cognito/latest/developerguide/managed-login-branding.html */
const SETTINGS_BYTES_MAX = 128 * 1024
const ASSETS_MAX = 40
const ASSET_BYTES_MAX = 2 * 1024 * 1024

export interface AssetRow {
  readonly category: string
  readonly colorMode: string
  readonly extension: string
  /** base64 */
  readonly bytes?: string | undefined
  readonly resourceId?: string | undefined
}

export interface BrandingRow {
  readonly id: string
  readonly client: string
  readonly usesDefaults: boolean
  /** JSON text. */
  readonly settings?: string | undefined
  readonly assets: readonly AssetRow[]
  readonly createdAt: number
  readonly modifiedAt: number
}

const shownBranding = (pool: PoolRow, row: BrandingRow): ManagedLoginBrandingType => ({
  ManagedLoginBrandingId: row.id,
  UserPoolId: pool.id,
  UseCognitoProvidedValues: row.usesDefaults,
  ...(row.settings !== undefined && { Settings: JSON.parse(row.settings) }),
  Assets: row.assets.map((asset) => ({
    Category: asset.category as never,
    ColorMode: asset.colorMode as never,
    Extension: asset.extension as never,
    ...(asset.bytes !== undefined && { Bytes: Buffer.from(asset.bytes, 'base64') }),
    ...(asset.resourceId !== undefined && { ResourceId: asset.resourceId }),
  })),
  CreationDate: new Date(row.createdAt),
  LastModifiedDate: new Date(row.modifiedAt),
})

interface GivenBranding {
  readonly UseCognitoProvidedValues?: boolean | undefined
  readonly Settings?: unknown
  readonly Assets?:
    | readonly {
        readonly Category: string
        readonly ColorMode: string
        readonly Extension: string
        readonly Bytes?: Uint8Array | undefined
        readonly ResourceId?: string | undefined
      }[]
    | undefined
}

function contentOf(given: GivenBranding): Pick<BrandingRow, 'usesDefaults' | 'settings' | 'assets'> {
  const usesDefaults = given.UseCognitoProvidedValues ?? false
  if (usesDefaults && (given.Settings !== undefined || given.Assets))
    throw invalidParameter('Settings and Assets cannot be set together with UseCognitoProvidedValues.')
  const settings = given.Settings === undefined ? undefined : JSON.stringify(given.Settings)
  if (settings !== undefined && Buffer.byteLength(settings) > SETTINGS_BYTES_MAX)
    throw invalidParameter('The settings are too large.')
  const assets = (given.Assets ?? []).map(({ Category, ColorMode, Extension, Bytes, ResourceId }) => ({
    category: Category,
    colorMode: ColorMode,
    extension: Extension,
    ...(Bytes && { bytes: Buffer.from(Bytes).toString('base64') }),
    resourceId: ResourceId,
  }))
  const bytes = assets.reduce((sum, asset) => sum + (asset.bytes?.length ?? 0), 0)
  if (assets.length > ASSETS_MAX || bytes > ASSET_BYTES_MAX)
    throw invalidParameter('The assets are too many or too large.')
  return { usesDefaults, settings, assets }
}

/** Client → its branding style: pages read one row. */
const ofClient = (pool: PoolRow, client: string) => at.part(pool.id, 'branding-of', client)

export async function brandingOf(reader: Reader, pool: PoolRow, client: string): Promise<BrandingRow | undefined> {
  const found = await reader.get<{ readonly id: string }>(ofClient(pool, client))
  return found && reader.get<BrandingRow>(at.part(pool.id, 'branding', found.id))
}

async function requireBranding(reader: Reader, pool: PoolRow, id: string): Promise<BrandingRow> {
  const row = await reader.get<BrandingRow>(at.part(pool.id, 'branding', id))
  if (!row) throw notFound('The branding style does not exist.')
  return row
}

export const createManagedLoginBranding = cognito
  .operation('CreateManagedLoginBranding')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    const { id: client } = await requireClient(call.unit, pool, input.ClientId)
    if (await brandingOf(call.unit, pool, client))
      throw cognito.fail('ManagedLoginBrandingExistsException', 'The app client has a branding style already.')
    const row: BrandingRow = {
      id: call.newId(),
      client,
      ...contentOf(input),
      createdAt: call.now,
      modifiedAt: call.now,
    }
    call.unit.put(at.part(pool.id, 'branding', row.id), row)
    call.unit.put(ofClient(pool, client), { id: row.id })
    return { ManagedLoginBranding: shownBranding(pool, row) }
  })

export const describeManagedLoginBranding = cognito
  .operation('DescribeManagedLoginBranding')
  .on(poolNamed)
  .run(async (call, input, { row }) => ({
    ManagedLoginBranding: shownBranding(row, await requireBranding(call.unit, row, input.ManagedLoginBrandingId)),
  }))

export const describeManagedLoginBrandingByClient = cognito
  .operation('DescribeManagedLoginBrandingByClient')
  .on(poolNamed)
  .run(async (call, input, { row }) => {
    const found = await brandingOf(call.unit, row, input.ClientId)
    if (!found) throw notFound('The branding style does not exist.')
    return { ManagedLoginBranding: shownBranding(row, found) }
  })

export const updateManagedLoginBranding = cognito
  .operation('UpdateManagedLoginBranding')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    const before = await requireBranding(call.unit, pool, input.ManagedLoginBrandingId ?? '')
    const row: BrandingRow = { ...before, ...contentOf(input), modifiedAt: call.now }
    call.unit.put(at.part(pool.id, 'branding', row.id), row)
    return { ManagedLoginBranding: shownBranding(pool, row) }
  })

export const deleteManagedLoginBranding = cognito
  .operation('DeleteManagedLoginBranding')
  .on(poolNamed)
  .run(async (call, input, { row }) => {
    const { id, client } = await requireBranding(call.unit, row, input.ManagedLoginBrandingId)
    call.unit.delete(at.part(row.id, 'branding', id))
    call.unit.delete(ofClient(row, client))
    return {}
  })
