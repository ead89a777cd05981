/** The dependency rules: which layer may import which. See ARCHITECTURE.md. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { services as serviceRows } from '../src/wire/services.ts'

const src = fileURLToPath(new URL('../src', import.meta.url))

/** A layer, and the layers it may import besides itself. */
const arrows: Readonly<Record<string, readonly string[]>> = {
  wire: [],
  policy: [],
  store: [],
  vault: [],
  engines: [],
  // For PKCS #11 alone.
  'encryption-sdk': ['vault'],
  kernel: ['wire', 'policy', 'store', 'vault', 'engines'],
  // The Encryption SDK: codes that Cognito hands to functions of its customers.
  services: ['kernel', 'wire', 'policy', 'store', 'vault', 'engines', 'encryption-sdk'],
  planes: ['kernel', 'wire', 'policy', 'store', 'vault', 'engines'],
  server: ['services', 'planes', 'kernel', 'wire', 'policy', 'store', 'vault', 'engines'],
  testing: ['server', 'wire', 'policy'],
  cli: ['encryption-sdk', 'server', 'services', 'planes', 'kernel', 'wire', 'policy', 'store', 'vault', 'engines'],
}

interface Import {
  readonly from: string
  readonly to: string
  /** Gone after compilation. */
  readonly typeOnly: boolean
}

const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !/\.(test|fixture)\.ts$/.test(file))
  .map((file) => join(src, file))

const imports = files.flatMap(importsOf)

function importsOf(file: string): Import[] {
  const text = readFileSync(file, 'utf8')
  const statements = text.matchAll(/^(?:import|export)\s+(type\s+)?[^'"]*?from\s+'(\.[^']+)'/gms)
  const dynamic = text.matchAll(/import\(()'(\.[^']+)'/g)
  return [...statements, ...dynamic].map(([, type, target]) => ({
    from: file,
    to: resolve(dirname(file), target!),
    typeOnly: Boolean(type?.trim()),
  }))
}

const show = (file: string) => relative(src, file)
const roomOf = (file: string) => show(file).split('/')[0]!
/** `services/iam` and `planes/gateway` are closed to their neighbours. */
const flatOf = (file: string) => show(file).split('/').slice(0, 2).join('/')

describe('the rooms of src/', () => {
  test('are the ones of the plan, and hold files', () => {
    const rooms = new Set(files.map(roomOf))

    expect([...rooms].filter((room) => !(room in arrows))).toEqual([])
    expect(imports.length).toBeGreaterThan(100)
  })

  test('import only along the arrows', () => {
    const wrong = imports.filter(({ from, to }) => {
      if (!to.startsWith(src)) return false
      const [mine, theirs] = [roomOf(from), roomOf(to)]
      return mine !== theirs && !arrows[mine]!.includes(theirs)
    })

    expect(wrong.map(({ from, to }) => `${show(from)} → ${show(to)}`)).toEqual([])
  })

  test('keep services and planes from importing each other', () => {
    const wrong = imports.filter(({ from, to }) => {
      const room = roomOf(from)
      return (room === 'services' || room === 'planes') && roomOf(to) === room && flatOf(from) !== flatOf(to)
    })

    expect(wrong.map(({ from, to }) => `${show(from)} → ${show(to)}`)).toEqual([])
  })

  test('keep the server from knowing a service or plane but by the registries', () => {
    /** Sites of the server that take the session of the console's sign-in. */
    const withConsoleSession = ['server/inbox-site.ts', 'server/proof-site.ts']
    const services = imports.filter(
      ({ from, to }) =>
        roomOf(from) === 'server' && roomOf(to) === 'services' && !withConsoleSession.includes(show(from)),
    )
    const planes = imports.filter(
      ({ from, to, typeOnly }) => show(from) === 'server/compose/cloud.ts' && roomOf(to) === 'planes' && !typeOnly,
    )

    expect([...new Set(services.map(({ from }) => show(from)))]).toEqual([
      'server/compose/core-services.ts',
      'server/compose/later-services.ts',
    ])
    expect(
      services.filter(({ to }) => !/^services\/[^/]+\/index\.ts$/.test(show(to))).map(({ to }) => show(to)),
    ).toEqual([])
    expect(planes.map(({ to }) => show(to))).toEqual([])
  })

  test('know single services in no file of kernel/ or server/', () => {
    /** Clients of AWS's own services or of the API, and kinds of sealers, not services of this server. */
    const others: Readonly<Record<string, string>> = {
      'kernel/client/bucket.ts': 'signs requests to a bucket elsewhere',
      'server/admin/admin-api.ts': 'the sealer kms',
      'server/admin/shown-sealer.ts': 'the sealer kms',
      'server/trust/sealers.ts': 'the sealer kms',
      'server/dev/account-reset.ts': 'what organizations store belongs to several accounts',
      'server/seed/': 'fills an installation through the API: a file for the resources of a service',
    }
    const ids = [...serviceRows.map(({ id }) => id), 'signin'].join('|')
    const literal = new RegExp(`'(?:${ids})'`)
    const known = files.filter(
      (file) =>
        ['kernel', 'server'].includes(roomOf(file)) &&
        !show(file).startsWith('kernel/ports/') &&
        readFileSync(file, 'utf8')
          .split('\n')
          .some((line) => literal.test(line) && !/^\s*(\*|\/[/*])/.test(line)),
    )

    const shown = known.map((file) => show(file).replace(/^server\/seed\/.*/, 'server/seed/'))
    expect([...new Set(shown)].sort()).toEqual(Object.keys(others).sort())
  })

  test('leave no file of a service that its index or the server does not reach', () => {
    const next = new Map<string, string[]>()
    for (const { from, to } of imports) next.set(from, [...(next.get(from) ?? []), to])
    const reached = new Set<string>()
    const walk = (file: string): void => {
      if (reached.has(file)) return
      reached.add(file)
      for (const to of next.get(file) ?? []) walk(to)
    }
    for (const file of files)
      if (/^services\/[^/]+\/index\.ts$/.test(show(file)) || roomOf(file) === 'server') walk(file)

    const unreached = files.filter((file) => roomOf(file) === 'services' && !reached.has(file))
    expect(unreached.map(show)).toEqual([])
  })

  test('import no test, fixture or tool', () => {
    const wrong = imports.filter(
      ({ to }) => /\.(test|fixture)\.ts$/.test(to) || /\/(test|tools|bench)\//.test(relative(src, to)),
    )

    expect(wrong.map(({ from, to }) => `${show(from)} → ${show(to)}`)).toEqual([])
  })

  test('have no circle of imports', () => {
    expect(circles(imports.filter(({ typeOnly }) => !typeOnly))).toEqual([])
  })

  test('have no circle of types across folders', () => {
    const across = circles(imports).filter((files) => new Set(files.map((file) => dirname(file))).size > 1)

    expect(across).toEqual([])
  })
})

/** Files that reach each other, one list a circle: the strongly connected components (Tarjan, 1972). */
function circles(edges: readonly Import[]): string[][] {
  const next = new Map<string, string[]>()
  for (const { from, to } of edges) next.set(from, [...(next.get(from) ?? []), to])
  const order = new Map<string, number>()
  const low = new Map<string, number>()
  const open: string[] = []
  const found: string[][] = []
  const visit = (file: string) => {
    order.set(file, order.size)
    low.set(file, order.get(file)!)
    open.push(file)
    for (const to of next.get(file) ?? []) {
      if (!order.has(to)) visit(to)
      if (open.includes(to)) low.set(file, Math.min(low.get(file)!, low.get(to)!))
    }
    if (low.get(file) !== order.get(file)) return
    const component = open.splice(open.indexOf(file))
    if (component.length > 1) found.push(component.map(show).sort())
  }
  for (const file of next.keys()) if (!order.has(file)) visit(file)
  return found
}
