/** How the classic pages look: CSS of a customer in known classes, and a logo. */
import type { UICustomizationType } from '@aws-sdk/client-cognito-identity-provider'
import type { Reader } from '../../kernel/state/reader.ts'
import { at, cognito, invalidParameter, type PoolRow, poolNamed, requireClient } from './resources.ts'

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
