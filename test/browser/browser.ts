/** Chromium, and what is checked and kept of each page: accessibility, and a picture. */
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'

/** `trustedKeys`: of servers whose certificate is trusted, each the SHA-256 of a public key (SPKI) in base64. */
export const openBrowser = (trustedKeys: readonly string[] = []): Promise<Browser> =>
  chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      ...(trustedKeys.length > 0 ? [`--ignore-certificate-errors-spki-list=${trustedKeys.join(',')}`] : []),
    ],
  })

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** What axe-core finds: `rule: element`. It is injected by the debugger, which the policy of the page does not bind. */
export async function accessibilityFindings(page: Page): Promise<readonly string[]> {
  // The session is not detached: that would end the virtual authenticator of the page.
  const debug = await page.context().newCDPSession(page)
  const expression = `${axe}; axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
    violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ': ' + html.slice(0, 200))))`
  const { result, exceptionDetails } = await debug.send('Runtime.evaluate', {
    expression,
    awaitPromise: true,
    returnByValue: true,
  })
  if (exceptionDetails) throw new Error(exceptionDetails.text)
  return result.value as readonly string[]
}

const SCREENSHOTS = process.env['MERLON_SCREENSHOTS']

/** Into the directory MERLON_SCREENSHOTS, for a person to look at. */
export async function screenshot(page: Page, name: string): Promise<void> {
  if (!SCREENSHOTS) return
  mkdirSync(SCREENSHOTS, { recursive: true })
  await page.screenshot({ path: join(SCREENSHOTS, `${name.replace(/[^\w-]+/g, '_')}.png`), fullPage: true })
}
