/** A Vite plugin: Cloudscape's texts without those of components that the console does not use, more than half of them. */
import type { Plugin } from 'vite'

const UNUSED = new Set([
  'annotation-context',
  'app-layout',
  'code-editor',
  'collection-preferences',
  'features-notification-drawer',
  'file-token-group',
  'file-upload',
  'pie-chart',
  'prompt-input',
  'property-filter',
  's3-resource-selector',
  'split-panel',
  'tag-editor',
  'tutorial-panel',
  'wizard',
])

type Messages = Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>

/** Throws when the console begins to use a component whose texts are left out. */
export function usedMessages(): Plugin {
  return {
    name: 'used-messages',
    enforce: 'pre',
    resolveId(id, importer) {
      const [, component = ''] = /^@cloudscape-design\/components\/([\w-]+)$/.exec(id) ?? []
      if (UNUSED.has(component) && importer?.includes('/console/src/'))
        throw new Error(`The console uses ${component}: take it out of the list in console/dev/used-messages.ts`)
      return undefined
    },
    async load(id) {
      if (!id.endsWith('/i18n/messages/all.en.js')) return undefined
      const { default: all } = (await import(id)) as { readonly default: Messages }
      const used = Object.entries(all).map(([owner, languages]) => [
        owner,
        Object.fromEntries(Object.entries(languages).map(([language, texts]) => [language, without(texts)])),
      ])
      return `export default ${JSON.stringify(Object.fromEntries(used))}`
    },
  }
}

const without = (texts: Readonly<Record<string, unknown>>): object =>
  Object.fromEntries(Object.entries(texts).filter(([component]) => !UNUSED.has(component)))
