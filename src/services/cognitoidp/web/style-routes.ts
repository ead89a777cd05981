/** The style sheet of managed login, and the images of branding styles. */
import { route, type WebRoute } from '../../../kernel/web/site.ts'
import { Fault } from '../../../wire/fault.ts'
import { readCss } from '../classic-css.ts'
import { brandingOf } from '../login-branding.ts'
import { poolOfPages } from './authorization-request.ts'
import { assetOf } from './branded.ts'
import { brandedFor, classicFor } from './page-request.ts'
import { printRules, styleSheet } from './style.ts'

const TYPES: Readonly<Record<string, string>> = {
  ICO: 'image/x-icon',
  JPEG: 'image/jpeg',
  PNG: 'image/png',
  SVG: 'image/svg+xml',
  WEBP: 'image/webp',
}

/** An SVG is a document, too: opened by itself it runs nothing and loads nothing. */
const IMAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"

const style: WebRoute = route({
  method: 'GET',
  path: '/style.css',
  event: 'GetStyle',
  authentication: 'document',
  body: 'none',
  bodyBytesMax: 0,
  shown: [],
  run: async (call, { path, query }) => {
    const pool = await poolOfPages(call, path)
    const client = query['client_id'] ?? 'ALL'
    const css = (await classicFor(call, pool, client, path))?.css
    const own = css ? printRules(readCss(css)) : ''
    const sheet = styleSheet((await brandedFor(call, pool, client, path))?.style)
    return { file: `${sheet}${own}`, contentType: 'text/css; charset=utf-8', cacheSeconds: 60 }
  },
})

const image: WebRoute = route({
  method: 'GET',
  path: '/assets/:category',
  event: 'GetAsset',
  authentication: 'document',
  body: 'none',
  bodyBytesMax: 0,
  shown: [],
  run: async (call, { path, query }) => {
    const pool = await poolOfPages(call, path)
    const row = await brandingOf(call.unit, pool, query['client_id'] ?? '')
    const mode = query['mode'] === 'dark' ? 'dark' : 'light'
    const asset = row && assetOf(row.assets, path['category'] ?? '', mode, query['resource'])
    const contentType = asset && TYPES[asset.extension]
    if (asset?.bytes === undefined || contentType === undefined)
      throw new Fault('NotFound', 'There is no such image.', { status: 404 })
    return {
      file: Buffer.from(asset.bytes, 'base64'),
      contentType,
      cacheSeconds: 60,
      headers: { 'content-security-policy': IMAGE_POLICY },
    }
  },
})

export const styleRoutes: readonly WebRoute[] = [style, image]
