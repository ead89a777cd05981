/** `npm run replay -- FILE…`: the checker alone, over logs that a run of the faults has left. */
import { fileURLToPath } from 'node:url'
import { build } from 'rolldown'

const files = process.argv.slice(2)
if (files.length === 0) {
  console.error('Say which logs: npm run replay -- violation-….jsonl')
  process.exit(64)
}
const made = new URL(`../../node_modules/.cache/merlon-tests/replay-${process.pid}.mjs`, import.meta.url)
await build({
  input: fileURLToPath(new URL('./replay.ts', import.meta.url)),
  platform: 'node',
  output: { file: fileURLToPath(made), format: 'esm' },
  logLevel: 'silent',
})
const { replay } = await import(made.href)
process.exitCode = replay(files, console.log)
