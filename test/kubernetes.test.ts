/** The Kubernetes manifests and the Helm chart: valid by the schemas of Kubernetes, the same things in both, and as restricted as the image allows. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { StatefulSet } from 'kubernetes-models/apps/v1/StatefulSet'
import { Namespace } from 'kubernetes-models/v1/Namespace'
import { Service } from 'kubernetes-models/v1/Service'
import { ServiceAccount } from 'kubernetes-models/v1/ServiceAccount'
import { describe, expect, test } from 'vitest'
import { parse, parseAllDocuments, stringify } from 'yaml'

const deploy = fileURLToPath(new URL('../deploy/', import.meta.url))
const read = (file: string) => readFileSync(join(deploy, file), 'utf8')

// biome-ignore lint/suspicious/noExplicitAny: manifests are checked by their schemas, which is what is tested here.
type Manifest = any
// biome-ignore lint/suspicious/noExplicitAny: see above.
const KINDS: Readonly<Record<string, new (manifest: any) => { validate(): void }>> = {
  Namespace,
  Service,
  ServiceAccount,
  StatefulSet,
}

const manifestsOf = (text: string): Manifest[] => parseAllDocuments(text).map((document) => document.toJS())

/** Throws with the member that the schema refuses. */
function validate(manifest: Manifest): void {
  const Model = KINDS[manifest.kind]
  if (!Model) throw new Error(`No schema for ${manifest.kind}`)
  new Model(manifest).validate()
}

type Values = Readonly<Record<string, unknown>>

/** The part of Helm's templates that the chart uses, for a test without Helm: values, quote, default, toYaml and with. */
function render(template: string, context: Values): string {
  const lookUp = (path: string, dot: unknown): unknown =>
    path === '.'
      ? dot
      : path
          .slice(1)
          .split('.')
          .reduce<unknown>((value, name) => (value as Values)[name], context)
  const evaluate = (expression: string, dot: unknown): string => {
    const [first = '', ...pipes] = expression.split('|').map((part) => part.trim())
    const [call = '', argument] = first.split(/\s+/)
    let value = call === 'toYaml' ? stringify(lookUp(argument!, dot)).trimEnd() : lookUp(call, dot)
    for (const pipe of pipes) {
      const [name, word] = pipe.split(/\s+/)
      if (name === 'quote') value = JSON.stringify(value)
      else if (name === 'default') value = value === '' ? lookUp(word!, dot) : value
      else if (name === 'nindent') value = `\n${String(value).replace(/^/gm, ' '.repeat(Number(word)))}`
      else throw new Error(`Not in the subset: ${pipe}`)
    }
    return String(value)
  }
  const trimmed = template.replace(/\s*\{\{-/g, '{{')
  const blocks = trimmed.replace(/\{\{ with (\S+) \}\}([\s\S]*?)\{\{ end \}\}/g, (_, path: string, body: string) => {
    const dot = lookUp(path, undefined)
    const isEmpty = Array.isArray(dot) ? dot.length === 0 : !dot
    return isEmpty ? '' : body.replace(/\{\{ (.*?) \}\}/g, (__, expression: string) => evaluate(expression, dot))
  })
  return blocks.replace(/\{\{ (.*?) \}\}/g, (_, expression: string) => evaluate(expression, undefined))
}

const chart = parse(read('helm/merlon/Chart.yaml'))
const defaults = parse(read('helm/merlon/values.yaml'))

function rendered(values: Values = {}, name = 'merlon'): Manifest[] {
  const context = {
    Values: { ...defaults, ...values },
    Release: { Name: name },
    Chart: { ...chart, AppVersion: chart.appVersion },
  }
  const folder = 'helm/merlon/templates'
  return readdirSync(join(deploy, folder))
    .sort()
    .map((file) => parse(render(read(`${folder}/${file}`), context)))
}

const manifests = [...manifestsOf(read('kubernetes/namespace.yaml')), ...manifestsOf(read('kubernetes/merlon.yaml'))]
const setOf = (all: readonly Manifest[]): Manifest => all.find(({ kind }) => kind === 'StatefulSet')

describe.each([
  ['the manifests', () => manifests],
  ['the chart', () => rendered()],
  [
    'the chart with other values',
    () => rendered({ extraArgs: ['--no-console'], extraEnv: [{ name: 'A', value: 'b' }] }),
  ],
])('%s', (_, all) => {
  test('are valid by the schemas of Kubernetes', () => {
    for (const manifest of all()) validate(manifest)
  })

  test('run as another user, without privileges, from a read-only root, with the key apart from the data', () => {
    const { spec } = setOf(all()).spec.template
    const [container] = spec.containers

    expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 65_532 })
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
    const key = container.env.find(({ name }: { name: string }) => name === 'MERLON_KEY_FILE').value
    const mounts = container.volumeMounts.map(({ mountPath }: { mountPath: string }) => mountPath)
    expect(mounts).toEqual(['/data', '/keys', '/tls', '/tmp'])
    expect(key.startsWith('/keys/')).toBe(true)
    expect(container.readinessProbe.httpGet).toMatchObject({ path: '/health/ready', scheme: 'HTTPS' })
    expect(spec.terminationGracePeriodSeconds).toBeGreaterThan(10 + 30)
  })
})

test('a member that Kubernetes does not know the type of is refused', () => {
  const [, , , set] = structuredClone(manifests)
  set.spec.template.spec.containers[0].ports = 'https'

  expect(() => validate(set)).toThrow('ports must be array')
})

test('the chart and the manifests are of one version, and differ in names alone', () => {
  const version = JSON.parse(readFileSync(join(deploy, '../package.json'), 'utf8')).version
  const [ours, theirs] = [setOf(rendered()), setOf(manifests)].map((set) => set.spec.template.spec)

  expect([chart.version, chart.appVersion]).toEqual([version, version])
  expect(ours.containers[0].image).toBe(theirs.containers[0].image)
  expect({ ...ours.containers[0], args: [], imagePullPolicy: undefined }).toEqual({ ...theirs.containers[0], args: [] })
  expect(ours.containers[0].args.map((word: string) => word.split('=')[0])).toEqual(
    theirs.containers[0].args.filter((word: string) => word.startsWith('--') || word === 'start'),
  )
})

test('a release has its own name and options', () => {
  const set = setOf(rendered({ extraArgs: ['--no-console'], image: { ...defaults.image, tag: '9' } }, 'other'))

  expect(set.metadata.name).toBe('other')
  expect(set.spec.template.spec.containers[0]).toMatchObject({ image: 'merlon:9' })
  expect(set.spec.template.spec.containers[0].args.at(-1)).toBe('--no-console')
})
