/** How managed login looks: classic CSS and a logo, branding styles of clients, and terms that users agree to. */
import type { ManagedLoginBrandingType, UICustomizationType } from '@aws-sdk/client-cognito-identity-provider'
import type { Reader } from '../../kernel/state/reader.ts'
import { under } from '../../store/store.ts'
import { at, cognito, invalidParameter, notFound, type PoolRow, poolNamed, requireClient } from './resources.ts'

/** Source: https://docs.aws.amazon.com/cognito/latest/developerguide/hosted-ui-classic-branding.html */
const CLASSES = [
  'background-customizable',
  'banner-customizable',
  'errorMessage-customizable',
  'idpButton-customizable',
  'idpDescription-customizable',
  'inputField-customizable',
  'label-customizable',
  'legalText-customizable',
  'logo-customizable',
  'passwordCheck-notValid-customizable',
  'passwordCheck-valid-customizable',
  'redirect-customizable',
  'socialButton-customizable',
  'submitButton-customizable',
  'textDescription-customizable',
] as const
const CSS_LENGTH_MAX = 131_072
const IMAGE_BYTES_MAX = 100 * 1024
/** Of values: no addresses, no expressions, no way out of the declaration. */
const VALUE = /^[\w\s#%.,()'"!+-]{1,256}$/
const FORBIDDEN = /url|expression|import|javascript|@|\\/i

export interface StyleRule {
  readonly selector: string
  readonly declarations: readonly (readonly [property: string, value: string])[]
}

/** Reads the CSS of a customer into rules of known classes. Throws for anything else. */
export function readCss(css: string): readonly StyleRule[] {
  if (css.length > CSS_LENGTH_MAX) throw invalidParameter('The CSS is too long.')
  const plain = css.replace(/\/\*[^*]*\*+(?:[^/*][^*]*\*+)*\//g, '')
  const rules: StyleRule[] = []
  for (const block of plain.split('}')) {
    if (block.trim() === '') continue
    const [head = '', body, more] = block.split('{')
    const selector = head.trim().replace(/^\./, '')
    const [name = '', state] = selector.split(':')
    const isKnown = (CLASSES as readonly string[]).includes(name) && [undefined, 'hover', 'focus'].includes(state)
    if (body === undefined || more !== undefined || !isKnown)
      throw invalidParameter(`Invalid CSS: ${head.trim().slice(0, 64)}`)
    const declarations = body.split(';').flatMap((each) => {
      if (each.trim() === '') return []
      const colon = each.indexOf(':')
      const property = each.slice(0, colon).trim().toLowerCase()
      const value = each.slice(colon + 1).trim()
      if (colon < 0 || !/^[a-z-]{1,64}$/.test(property) || !VALUE.test(value) || FORBIDDEN.test(value))
        throw invalidParameter(`Invalid CSS: ${each.trim().slice(0, 64)}`)
      return [[property, value] as const]
    })
    rules.push({ selector, declarations })
  }
  return rules
}

export interface UiRow {
  readonly client: string
  readonly css?: string | undefined
  readonly cssVersion: string
  /** A data URL. */
  readonly image?: string | undefined
  readonly createdAt: number
  readonly modifiedAt: number
}

const ALL = 'ALL'

export const uiOf = async (reader: Reader, pool: PoolRow, client: string): Promise<UiRow | undefined> =>
  (await reader.get<UiRow>(at.part(pool.id, 'ui', client))) ?? (await reader.get<UiRow>(at.part(pool.id, 'ui', ALL)))

const shownUi = (pool: PoolRow, row: UiRow | undefined, client: string): UICustomizationType =>
  row
    ? {
        UserPoolId: pool.id,
        ClientId: row.client,
        ...(row.css !== undefined && { CSS: row.css }),
        CSSVersion: row.cssVersion,
        ...(row.image !== undefined && { ImageUrl: row.image }),
        CreationDate: new Date(row.createdAt),
        LastModifiedDate: new Date(row.modifiedAt),
      }
    : { UserPoolId: pool.id, ClientId: client }

/** By what the bytes are, whatever a name says. */
function imageOf(bytes: Uint8Array | undefined): string | undefined {
  if (!bytes || bytes.length === 0) return undefined
  const image = Buffer.from(bytes)
  if (image.length > IMAGE_BYTES_MAX) throw invalidParameter('The image must not be larger than 100 KB.')
  const type =
    image.subarray(0, 4).toString('hex') === '89504e47'
      ? 'png'
      : image.subarray(0, 2).toString('hex') === 'ffd8'
        ? 'jpeg'
        : undefined
  if (!type) throw invalidParameter('The image must be PNG or JPEG.')
  return `data:image/${type};base64,${image.toString('base64')}`
}

export const setUiCustomization = cognito
  .operation('SetUICustomization')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    const client = input.ClientId ?? ALL
    if (pool.domain === undefined && pool.customDomain === undefined)
      throw invalidParameter('There has to be an existing domain associated with this user pool')
    if (client !== ALL) await requireClient(call.unit, pool, client)
    const key = at.part(pool.id, 'ui', client)
    const before = await call.unit.get<UiRow>(key)
    if (input.CSS) readCss(input.CSS)
    const row: UiRow = {
      client,
      css: input.CSS,
      cssVersion: new Date(call.now).toISOString().replace(/\D/g, '').slice(0, 14),
      image: imageOf(input.ImageFile) ?? before?.image,
      createdAt: before?.createdAt ?? call.now,
      modifiedAt: call.now,
    }
    call.unit.put(key, row)
    return { UICustomization: shownUi(pool, row, client) }
  })

export const getUiCustomization = cognito
  .operation('GetUICustomization')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    const client = input.ClientId ?? ALL
    if (client !== ALL) await requireClient(call.unit, pool, client)
    return { UICustomization: shownUi(pool, await call.unit.get<UiRow>(at.part(pool.id, 'ui', client)), client) }
  })

/** Source: https://docs.aws.amazon.com/cognito/latest/developerguide/managed-login-branding.html */
const SETTINGS_BYTES_MAX = 128 * 1024
const ASSETS_MAX = 40
const ASSET_BYTES_MAX = 2 * 1024 * 1024

interface AssetRow {
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

function brandingOf(given: GivenBranding): Pick<BrandingRow, 'usesDefaults' | 'settings' | 'assets'> {
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

const brandingsOf = async (reader: Reader, pool: PoolRow) =>
  (await reader.range<BrandingRow>(under('cognito-idp', 'branding', pool.id))).map(({ document }) => document)

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
    if ((await brandingsOf(call.unit, pool)).some((each) => each.client === client))
      throw cognito.fail('ManagedLoginBrandingExistsException', 'The app client has a branding style already.')
    const row: BrandingRow = {
      id: call.newId(),
      client,
      ...brandingOf(input),
      createdAt: call.now,
      modifiedAt: call.now,
    }
    call.unit.put(at.part(pool.id, 'branding', row.id), row)
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
    const found = (await brandingsOf(call.unit, row)).find(({ client }) => client === input.ClientId)
    if (!found) throw notFound('The branding style does not exist.')
    return { ManagedLoginBranding: shownBranding(row, found) }
  })

export const updateManagedLoginBranding = cognito
  .operation('UpdateManagedLoginBranding')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    const before = await requireBranding(call.unit, pool, input.ManagedLoginBrandingId ?? '')
    const row: BrandingRow = { ...before, ...brandingOf(input), modifiedAt: call.now }
    call.unit.put(at.part(pool.id, 'branding', row.id), row)
    return { ManagedLoginBranding: shownBranding(pool, row) }
  })

export const deleteManagedLoginBranding = cognito
  .operation('DeleteManagedLoginBranding')
  .on(poolNamed)
  .run(async (call, input, { row }) => {
    const { id } = await requireBranding(call.unit, row, input.ManagedLoginBrandingId)
    call.unit.delete(at.part(row.id, 'branding', id))
    return {}
  })
