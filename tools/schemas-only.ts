/**
 * A rolldown plugin: of an SDK client, the release carries its schema arrays and nothing else.
 * `import('@aws-sdk/client-iam')` in `src/wire/services.ts` becomes one lazy chunk a service, without commands, runtime
 * configuration or error classes. The arrays are the SDK's (Apache-2.0): the bundle keeps its notice.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Plugin } from 'rolldown'

const CLIENT = /^@aws-sdk\/client-[\w-]+$/
const VIRTUAL = '\0schemas-of:'
const SCHEMA_FILE = /[\\/]@aws-sdk[\\/]client-[\w-]+[\\/]dist-es[\\/]schemas[\\/]schemas_\d+\.js$/

/** Throws when a client has no schemas, or when they have begun to need more than these stubs. */
export function schemasOnly(): Plugin {
  return {
    name: 'schemas-only',
    resolveId: {
      filter: { id: CLIENT },
      async handler(id, importer) {
        const manifest = await this.resolve(`${id}/package.json`, importer)
        if (!manifest) throw new Error(`${id} is not installed`)
        // Chunks are named after the last part.
        return VIRTUAL + dirname(manifest.id)
      },
    },
    load: {
      filter: { id: new RegExp(`^${VIRTUAL}`) },
      handler: (id) => ({ code: exportsOf(id.slice(VIRTUAL.length)), moduleSideEffects: false }),
    },
    transform: {
      filter: { id: SCHEMA_FILE },
      handler: (code, id) => ({ code: withoutClasses(code, id), moduleSideEffects: false }),
    },
  }
}

const OWN_COPY = '\0schemas-for:'

/**
 * The module whose path ends so gets copies of its own of the schemas that it imports by name: what it does not reach is
 * left out, although other modules need whole clients.
 */
export function schemasFor(importing: string): Plugin {
  return {
    name: 'schemas-for',
    resolveId: {
      filter: { id: CLIENT },
      async handler(id, importer) {
        if (!importer?.endsWith(importing)) return undefined
        const manifest = await this.resolve(`${id}/package.json`, importer)
        if (!manifest) throw new Error(`${id} is not installed`)
        return OWN_COPY + dirname(manifest.id)
      },
    },
    load: {
      filter: { id: new RegExp(`^${OWN_COPY}`) },
      handler: (id) => {
        const [file = '', ...more] = schemaFilesOf(id.slice(OWN_COPY.length))
        if (more.length > 0) throw new Error(`${id} has its schemas in several files, which need each other`)
        return { code: withoutClasses(readFileSync(file, 'utf8'), file), moduleSideEffects: false }
      },
    },
  }
}

function schemaFilesOf(client: string): readonly string[] {
  const folder = join(client, 'dist-es', 'schemas')
  return readdirSync(folder)
    .filter((file) => /^schemas_\d+\.js$/.test(file))
    .map((file) => join(folder, file))
}

function exportsOf(client: string): string {
  const files = schemaFilesOf(client)
  if (files.length === 0) throw new Error(`${client} holds no schemas`)
  return files.map((file) => `export * from ${JSON.stringify(file)}`).join('\n')
}

/** The registry ties schemas to error classes, which only a client throws. */
function withoutClasses(code: string, id: string): string {
  const stubbed = code
    .replace(/^import \{ TypeRegistry \} from "@smithy\/core\/schema";$/m, '')
    .replace(/^import \{[^}]*\} from "\.\.\/models\/[^"]*";$/gm, '')
    .replace(/^const \w+_registry = (?:new TypeRegistry|TypeRegistry\.for)\(\w+\);$/gm, '')
    .replace(/^\w+_registry\.registerError\([^)]*\);$/gm, '')
    .replace(/^export const errorTypeRegistries = \[[^\]]*\];$/m, '')
  if (/^import |TypeRegistry|_registry/m.test(stubbed)) throw new Error(`${id} needs more than its schemas`)
  return stubbed
}
