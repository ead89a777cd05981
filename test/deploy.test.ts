/** What operators load into Prometheus and Grafana: every metric and label in it is one that the server has. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { Metrics } from '../src/server/listen/metrics.ts'
import { certificateLines } from '../src/services/acm/metrics.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (file: string) => readFileSync(join(root, 'deploy', file), 'utf8')

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly summary: string; readonly action: string }
}

const { groups } = parse(read('prometheus/merlon.rules.yml')) as { groups: { rules: Rule[] }[] }
const rules = groups.flatMap((group) => group.rules)
const dashboard = JSON.parse(read('grafana/merlon.json')) as {
  panels: { id: number; title: string; targets: { expr: string }[] }[]
}
const expressions = [
  ...rules.map(({ expr }) => expr),
  ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
]

/** Names by the lines that a scrape has, with what every gauge there is. */
function scraped(): ReadonlyMap<string, ReadonlySet<string>> {
  const metrics = new Metrics()
  metrics.observe({
    service: 'iam',
    operation: 'ListUsers',
    status: 200,
    code: undefined,
    throttled: undefined,
    tookMs: 1,
  } as never)
  const text = metrics.text(
    [{ target: 'file', kind: 'stream', sent: 1, error: undefined } as never],
    { requests: 0, bodyBytes: 0, answerBytes: 0, refused: { full: 0 } } as never,
    {
      isSealed: false,
      eventLoopDelay: { maxSeconds: 0, p99Seconds: 0 },
      diskFreeBytes: 1,
      store: { isReachable: true, lagRevisions: 0 },
    } as never,
    certificateLines({ states: new Map(), soonest: [{ arn: 'arn', notAfter: 0 }], statusAnswers: [] }, 0),
  )
  const found = new Map<string, Set<string>>()
  for (const [, name = '', labels = ''] of text.matchAll(/^(merlon_\w+)(?:\{(.*)\})? /gm)) {
    const known = found.get(name) ?? new Set(['instance', 'job'])
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) known.add(label)
    found.set(name, known)
  }
  return found
}

test('alert rules and dashboard use metrics that the server has, with labels that they have', () => {
  const known = scraped()
  const used = new Set<string>()
  for (const expression of expressions)
    for (const [, name = '', matchers = ''] of expression.matchAll(/\b(merlon_\w+)(?:\{([^}]*)\})?/g)) {
      used.add(name)
      expect([...known.keys()], expression).toContain(name)
      for (const [, label = ''] of matchers.matchAll(/(\w+)\s*[=!]/g))
        expect([...known.get(name)!], expression).toContain(label)
    }

  const families = new Set([...known.keys()].map((name) => name.replace(/_(bucket|sum|count)$/, '')))
  const usedFamilies = new Set([...used].map((name) => name.replace(/_(bucket|sum|count)$/, '')))
  // Each family that has a meaning for operators is somewhere.
  expect([...families].filter((name) => !usedFamilies.has(name) && !/_info$|uptime|start_time/.test(name))).toEqual([])
})

test('groupings name labels that exist, and every alert says what to do', () => {
  const labels = new Set([...scraped().values()].flatMap((each) => [...each]))
  for (const expression of expressions)
    for (const [, list = ''] of expression.matchAll(/\bby \(([^)]*)\)/g))
      for (const label of list.split(/,\s*/)) expect([...labels], expression).toContain(label)
  for (const { alert, labels: own, annotations } of rules) {
    expect(alert).toMatch(/^Merlon[A-Z]\w+$/)
    expect(['critical', 'warning']).toContain(own.severity)
    expect(annotations.summary.length * annotations.action.length).toBeGreaterThan(0)
  }
  expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length)
})

const analyze = (...words: string[]) => spawnSync('systemd-analyze', words, { encoding: 'utf8' })

// Where there is no systemd this is left out, but never in CI.
test.skipIf(analyze('--version').error && !process.env['CI'])(
  'the systemd unit leaves the process little, by systemd itself',
  () => {
    const { stdout } = analyze('security', '--offline=true', '--no-pager', join(root, 'deploy/systemd/merlon.service'))

    const [, exposure] = /Overall exposure level for merlon\.service: ([\d.]+)/.exec(stdout)!
    expect(Number(exposure)).toBeLessThan(2)
  },
)
