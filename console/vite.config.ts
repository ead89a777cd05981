/** The console into `dist/console`: a chunk a page, a chunk a service's model, everything compressed beforehand. */
import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'
import { schemasFor, schemasOnly } from '../tools/schemas-only.ts'
import { builtOperations } from './dev/built-operations.ts'
import { compressed } from './dev/compressed.ts'
import { usedMessages } from './dev/used-messages.ts'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

export default defineConfig({
  root: here('.'),
  base: '/console/',
  plugins: [
    { ...(schemasFor('/console/src/api/first-page-models.ts') as Plugin), enforce: 'pre' },
    { ...(schemasOnly() as Plugin), enforce: 'pre' },
    builtOperations(),
    usedMessages(),
    react(),
    compressed(),
  ],
  resolve: { dedupe: ['react', 'react-dom'] },
  build: {
    outDir: here('../dist/console'),
    emptyOutDir: true,
    target: 'es2023',
    // A preload polyfill would be an inline script.
    modulePreload: { polyfill: false },
    // Inlined assets would be data: addresses, which the policy of the page allows for images only.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1_500,
    reportCompressedSize: false,
  },
  server: { port: 4720, strictPort: true },
})
