/** Seeds of Lambda: functions from files or by their image. Packages and the values of variables are not exported. */
import type * as Lambda from '@aws-sdk/client-lambda'
import type { Api } from '../../kernel/service/api.ts'
import { compact, inTurn, pagesOf, seedPart } from './part.ts'
import type { SeedFunction } from './seed-format.ts'

const lambda: Api<typeof Lambda> = { id: 'lambda' }
const TIMEOUT_DEFAULT = 3
const MEMORY_DEFAULT = 128
/** An archive of the same files has the same bytes, and so the same hash, in every run. */
const PACKED_AT = new Date('1980-01-01T12:00:00Z')

export const functions = seedPart({
  kind: 'functions',
  labels: ['name'],
  members: {
    name: true,
    role: true,
    image: true,
    runtime: true,
    handler: true,
    files: true,
    zip: true,
    environment: true,
    timeout: true,
    memory: true,
    description: true,
    tags: true,
  },
  add: async ({ call, id }, seed, step) => {
    const { name, role, image, runtime, handler, environment, timeout, memory, description, tags } = seed
    await step([], `function '${name}'`, async () => {
      await call(lambda, 'CreateFunction', {
        FunctionName: name,
        Role: role.startsWith('arn:') ? role : `arn:aws:iam::${id}:role/${role}`,
        PackageType: image === undefined ? 'Zip' : 'Image',
        Code: image === undefined ? { ZipFile: await packed(seed) } : { ImageUri: image },
        Runtime: runtime as Lambda.Runtime | undefined,
        Handler: handler,
        ...(environment && { Environment: { Variables: environment } }),
        Timeout: timeout,
        MemorySize: memory,
        Description: description,
        ...(tags && { Tags: tags }),
      })
    })
  },
  export: async ({ id, call }, leaveOut) => {
    const all = await pagesOf(async (Marker) => {
      const page = await call(lambda, 'ListFunctions', { Marker })
      return { items: page.Functions, next: page.NextMarker }
    })
    const shown = await inTurn(all, async ({ FunctionName = '' }) => {
      const { Code, Configuration, Tags } = await call(lambda, 'GetFunction', { FunctionName })
      if (Code?.ImageUri === undefined) {
        leaveOut(`the function ${FunctionName} of account ${id}, whose deployment package is not exported`)
        return []
      }
      const { Role = '', Timeout, MemorySize, Description, Environment } = Configuration!
      if (Environment) leaveOut(`the environment variables of function ${FunctionName} in account ${id}`)
      return compact({
        name: FunctionName,
        role: Role,
        image: Code.ImageUri,
        timeout: Timeout === TIMEOUT_DEFAULT ? undefined : Timeout,
        memory: MemorySize === MEMORY_DEFAULT ? undefined : MemorySize,
        description: Description || undefined,
        tags: Tags,
      })
    })
    return shown.flat()
  },
})

async function packed({ name, files, zip }: SeedFunction): Promise<Uint8Array> {
  if (zip !== undefined) return Buffer.from(zip, 'base64')
  if (files === undefined) throw new Error(`function '${name}' has no code: write image, files, or zip in base64.`)
  const { strToU8, zipSync } = await import('fflate')
  const contents = Object.entries(files).map(([path, text]) => [path, strToU8(text)] as const)
  return zipSync(Object.fromEntries(contents), { mtime: PACKED_AT })
}
