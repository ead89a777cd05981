/**
 * A rolldown plugin: large JSON files become a text that `JSON.parse` reads. V8 reads an object literal of their size several times as
 * slowly, and every start reads the tables of the authorization reference.
 * Source: https://v8.dev/blog/cost-of-javascript-2019#json
 */
import { readFileSync } from 'node:fs'
import type { Plugin } from 'rolldown'

const LARGE_BYTES = 10_000

export function jsonAsText(): Plugin {
  return {
    name: 'json-as-text',
    load: {
      filter: { id: /\.json$/ },
      handler: (id) => {
        const text = readFileSync(id, 'utf8')
        if (text.length < LARGE_BYTES) return undefined
        const code = `export default JSON.parse(${JSON.stringify(JSON.stringify(JSON.parse(text)))})`
        return { code, moduleType: 'js', moduleSideEffects: false }
      },
    },
  }
}
