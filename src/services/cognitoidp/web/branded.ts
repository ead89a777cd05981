/**
 * What the settings of a branding style mean for the pages: colors, sizes, and which images are shown. Only values of known members
 * and forms are read, so that nothing else of the customer's document reaches a style sheet.
 * Source: https://docs.aws.amazon.com/cognito/latest/developerguide/managed-login-brandingeditor.html
 */
import type { AssetRow, BrandingRow } from '../login-branding.ts'
import type { Branding, Picture } from './layout.ts'
import type { BrandingStyle } from './style.ts'

/** Custom properties of the style sheet, and the member of the settings that each is; MODE is `lightMode` or `darkMode`. */
const COLORS: Readonly<Record<string, string>> = {
  '--page': 'components.pageBackground.MODE.color',
  '--card': 'components.form.MODE.backgroundColor',
  '--line': 'components.form.MODE.borderColor',
  '--text': 'components.pageText.MODE.bodyColor',
  '--heading': 'components.pageText.MODE.headingColor',
  '--quiet': 'components.pageText.MODE.descriptionColor',
  '--label': 'componentClasses.inputLabel.MODE.textColor',
  '--input': 'componentClasses.input.MODE.defaults.backgroundColor',
  '--input-line': 'componentClasses.input.MODE.defaults.borderColor',
  '--focus': 'componentClasses.focusState.MODE.borderColor',
  '--link': 'componentClasses.link.MODE.defaults.textColor',
  '--link-hover': 'componentClasses.link.MODE.hover.textColor',
  '--button': 'components.primaryButton.MODE.defaults.backgroundColor',
  '--on-button': 'components.primaryButton.MODE.defaults.textColor',
  '--button-hover': 'components.primaryButton.MODE.hover.backgroundColor',
  '--on-button-hover': 'components.primaryButton.MODE.hover.textColor',
  '--button-active': 'components.primaryButton.MODE.active.backgroundColor',
  '--on-button-active': 'components.primaryButton.MODE.active.textColor',
  '--provider': 'components.idpButton.standard.MODE.defaults.backgroundColor',
  '--on-provider': 'components.idpButton.standard.MODE.defaults.textColor',
  '--provider-line': 'components.idpButton.standard.MODE.defaults.borderColor',
  '--bad': 'components.pageText.MODE.bodyColor',
  '--bad-page': 'components.alert.MODE.error.backgroundColor',
  '--bad-line': 'components.alert.MODE.error.borderColor',
}

const SIZES: Readonly<Record<string, string>> = {
  '--card-radius': 'components.form.borderRadius',
  '--button-radius': 'componentClasses.buttons.borderRadius',
  '--input-radius': 'componentClasses.input.borderRadius',
  '--alert-radius': 'components.alert.borderRadius',
}
const SIZE_MAX = 100

/** Images behind a part of the page, and the member that turns each on. */
const BACKGROUNDS = [
  ['body', 'components.pageBackground.image.enabled', 'PAGE_BACKGROUND'],
  ['main', 'components.form.backgroundImage.enabled', 'FORM_BACKGROUND'],
  ['header', 'components.pageHeader.backgroundImage.enabled', 'PAGE_HEADER_BACKGROUND'],
  ['footer', 'components.pageFooter.backgroundImage.enabled', 'PAGE_FOOTER_BACKGROUND'],
] as const

type Mode = 'lightMode' | 'darkMode'

/** The member at a path of names; undefined where there is none. */
function member(settings: unknown, path: string): unknown {
  let value = settings
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    value = (value as Readonly<Record<string, unknown>>)[name]
  }
  return value
}

/** Hexadecimal digits of red, green, blue and opacity. */
const colorIn = (settings: unknown, path: string): string | undefined => {
  const value = member(settings, path)
  return typeof value === 'string' && /^[0-9a-f]{6}([0-9a-f]{2})?$/i.test(value) ? `#${value}` : undefined
}

const declarations = (settings: unknown, mode: Mode): string =>
  Object.entries(COLORS)
    .map(([name, path]) => [name, colorIn(settings, path.replace('MODE', mode))] as const)
    .flatMap(([name, color]) => (color === undefined ? [] : [`${name}: ${color};`]))
    .join(' ')

const sizesIn = (settings: unknown): string =>
  Object.entries(SIZES)
    .map(([name, path]) => [name, member(settings, path)] as const)
    .flatMap(([name, size]) =>
      typeof size === 'number' && size >= 0 && size <= SIZE_MAX ? [`${name}: ${size}px;`] : [],
    )
    .join(' ')

const MARGINS: Readonly<Record<string, string>> = { START: '2rem auto', END: 'auto 2rem' }
const ALIGNMENTS: Readonly<Record<string, string>> = { CENTER: 'center', END: 'end' }

/** Where the form is. */
function placeRules(settings: unknown): readonly string[] {
  const known = (table: Readonly<Record<string, string>>, path: string) => {
    const value = member(settings, path)
    return typeof value === 'string' && Object.hasOwn(table, value) ? table[value] : undefined
  }
  const margin = known(MARGINS, 'categories.form.location.horizontal')
  const alignment = known(ALIGNMENTS, 'categories.form.location.vertical')
  const logo = known({ CENTER: 'center', END: 'end' }, 'components.form.logo.location')
  return [
    ...(margin ? [`header, main, footer { margin-inline: ${margin}; }`] : []),
    ...(alignment ? [`body { min-height: 100vh; display: grid; align-content: ${alignment}; }`] : []),
    ...(logo ? [`.logo { text-align: ${logo}; }`] : []),
    ...(member(settings, 'categories.global.spacingDensity') === 'COMPACT' ? ['main { padding: 1rem; }'] : []),
  ]
}

/** The image of a category for a mode; one for both modes, or for the other, where there is no better. */
export function assetOf(
  assets: readonly AssetRow[],
  category: string,
  mode: 'light' | 'dark',
  resource?: string,
): AssetRow | undefined {
  const all = assets.filter((each) => each.category === category && each.resourceId === resource && each.bytes)
  const wanted = mode.toUpperCase()
  return (
    all.find(({ colorMode }) => colorMode === wanted) ?? all.find(({ colorMode }) => colorMode === 'DYNAMIC') ?? all[0]
  )
}

const has = (assets: readonly AssetRow[], category: string): boolean => assetOf(assets, category, 'light') !== undefined

/** Relative to the style sheet and to pages alike: both are directly below the base of the login. */
const address = (client: string, category: string, mode: 'light' | 'dark', resource?: string): string =>
  `assets/${category}?${new URLSearchParams({ client_id: client, mode, ...(resource !== undefined && { resource }) })}`

const settingsOf = ({ settings }: BrandingRow): unknown => (settings === undefined ? {} : JSON.parse(settings))

const schemeIn = (settings: unknown): BrandingStyle['scheme'] => {
  const value = member(settings, 'categories.global.colorSchemeMode')
  return value === 'LIGHT' || value === 'DARK' ? value : 'DYNAMIC'
}

export interface Branded {
  readonly style: BrandingStyle
  /** Addresses of images begin with `base`, where the pages are. */
  readonly branding: (base: string) => Branding
}

/** By row, so that each document is read once. */
const read = new WeakMap<BrandingRow, Branded>()

export function branded(row: BrandingRow): Branded {
  const known = read.get(row) ?? readBranding(row)
  read.set(row, known)
  return known
}

function readBranding(row: BrandingRow): Branded {
  const { client, assets } = row
  const settings = settingsOf(row)
  const scheme = schemeIn(settings)
  const isOn = (path: string): boolean => member(settings, path) === true
  const backgrounds = BACKGROUNDS.filter(([, path, category]) => isOn(path) && has(assets, category))
  const behind = (mode: 'light' | 'dark') =>
    backgrounds
      .map(
        ([selector, , category]) =>
          `${selector} { background-image: url("${address(client, category, mode)}"); background-size: cover; }`,
      )
      .join('\n')
  const images = {
    LIGHT: behind('light'),
    DARK: behind('dark'),
    DYNAMIC: `${behind('light')}\n@media (prefers-color-scheme: dark) { ${behind('dark')} }`,
  }[scheme]
  const pictureOf = (base: string, category: string): Picture | undefined => {
    if (!has(assets, category)) return undefined
    const [light, dark] = (['light', 'dark'] as const).map((mode) => `${base}/${address(client, category, mode)}`)
    if (scheme !== 'DYNAMIC') return { src: (scheme === 'LIGHT' ? light : dark)! }
    return { src: light!, ...(assetOf(assets, category, 'dark')?.colorMode === 'DARK' && { dark }) }
  }
  return {
    style: {
      scheme,
      light: declarations(settings, 'lightMode'),
      dark: declarations(settings, 'darkMode'),
      sizes: sizesIn(settings),
      rules: [...placeRules(settings), images].join('\n'),
    },
    branding: (base) => {
      const icon = ['FAVICON_SVG', 'FAVICON_ICO'].find((category) => has(assets, category))
      const icons = assets.filter(({ category, bytes }) => category === 'IDP_BUTTON_ICON' && bytes)
      return {
        headerLogo: isOn('categories.global.pageHeader.enabled') ? pictureOf(base, 'PAGE_HEADER_LOGO') : undefined,
        footerLogo: isOn('categories.global.pageFooter.enabled') ? pictureOf(base, 'PAGE_FOOTER_LOGO') : undefined,
        formLogo: isOn('components.form.logo.enabled') ? pictureOf(base, 'FORM_LOGO') : undefined,
        isLogoOutside: member(settings, 'components.form.logo.formInclusion') === 'OUT',
        icon: icon && `${base}/${address(client, icon, 'light')}`,
        hasLanguages: isOn('categories.form.languageSelector.enabled'),
        providerIcons: isOn('componentClasses.idpButtons.icons.enabled')
          ? Object.fromEntries(
              icons.map(({ resourceId = '' }) => [
                resourceId,
                `${base}/${address(client, 'IDP_BUTTON_ICON', 'light', resourceId)}`,
              ]),
            )
          : {},
      }
    },
  }
}
