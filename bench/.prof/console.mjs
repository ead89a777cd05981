/**
 * `node bench/console.mjs [ROUNDS]`: how soon the console's first page can be used. For each round (10 by default) a browser with
 * an empty cache, in which the root user is signed in, opens the console. Prints one JSON line: bytes that were transferred for the
 * page's files, and the median and the largest time from the navigation until
 * - `shownMs`: the page has its heading,
 * - `interactiveMs`: after that, the main thread has been without a task of 50 ms for half a second (the end of the last such task),
 * - `loadedMs`: what the page requests from the API is shown. Needs `npm run build` and Chromium.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const rounds = Number(process.argv[2] ?? 10)
const merlon = fileURLToPath(new URL('../dist/merlon.js', import.meta.url))
const EMAIL = 'root@bench.test'
const PASSWORD = 'Correct-Horse-7'

const folder = mkdtempSync(join(tmpdir(), 'merlon-bench-console-'))
const data = ['--data', join(folder, 'data')]
const init = spawn(process.execPath, [merlon, 'init', ...data, '--root-email', EMAIL, '--json'], {
  stdio: ['pipe', 'ignore', 'inherit'],
})
init.stdin.end(`${PASSWORD}\n`)
await once(init, 'close')
const server = spawn(process.execPath, [merlon, 'start', ...data, '--port', '0', '--json', '--log', 'error'], {
  stdio: ['ignore', 'pipe', 'inherit'],
})
const [line] = await once(createInterface({ input: server.stdout }), 'line')
const { origin } = new URL(JSON.parse(line).console)

/** Runs in the page, before anything of it. */
function watchLongTasks() {
  window.longTaskEnds = []
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) window.longTaskEnds.push(startTime + duration)
  }).observe({ type: 'longtask', buffered: true })
}

const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] })
const found = { shownMs: [], interactiveMs: [], loadedMs: [], bytes: [] }
try {
  for (let round = 0; round < rounds; round++) {
    const context = await browser.newContext({ viewport: { width: 1360, height: 900 } })
    const page = await context.newPage()
    await page.goto(`${origin}/signin/root?redirect=/signin/security`)
    await page.getByLabel('Root user e-mail address').fill(EMAIL)
    await page.getByLabel('Password').fill(PASSWORD)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('heading', { name: 'Security credentials' }).waitFor()

    await page.addInitScript(watchLongTasks)
    await page.goto(`${origin}/console/`, { waitUntil: 'commit' })
    const now = () => page.evaluate(() => performance.now())
    await page.getByRole('heading', { name: 'Home', level: 1 }).waitFor()
    const shown = await now()
    await page.waitForFunction(() => !document.querySelector('main [class*="spinner"]'))
    found.loadedMs.push(await now())
    await page.waitForFunction(() => performance.now() - Math.max(0, ...window.longTaskEnds) > 500)
    found.shownMs.push(shown)
    found.interactiveMs.push(Math.max(shown, ...(await page.evaluate(() => window.longTaskEnds))))
    found.bytes.push(
      await page.evaluate(() =>
        performance
          .getEntriesByType('resource')
          .filter(({ name }) => name.includes('/console/assets/'))
          .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0),
      ),
    )
    await context.close()
  }
} finally {
  await browser.close()
  server.kill()
  await once(server, 'exit')
  rmSync(folder, { recursive: true, force: true })
}

const summary = (values) => {
  const sorted = values.map(Math.round).sort((a, b) => a - b)
  return { median: sorted[Math.floor(sorted.length / 2)], most: sorted.at(-1) }
}
const { bytes, ...times } = found
const shown = Object.fromEntries(Object.entries(times).map(([name, values]) => [name, summary(values)]))
process.stdout.write(`${JSON.stringify({ rounds, bytes: bytes[0], ...shown })}\n`)
