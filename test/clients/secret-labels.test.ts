/** Secrets §6.1: labels move for the stock AWS CLI as the golden file says. */
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Running, startMerlon } from '../process.ts'
import { environmentFor, run } from './command.ts'

const script = fileURLToPath(new URL('./secret_labels.py', import.meta.url))
const golden = fileURLToPath(new URL('../../src/services/secretsmanager/label-transitions.json', import.meta.url))

let server: Running
beforeAll(async () => {
  server = await startMerlon(['--dev'])
})
afterAll(() => server?.stop('SIGKILL'))

test('Secrets 1: twenty-eight transitions by the aws command end as the golden file says, errors leaving all as it was', async () => {
  const environment = { ...environmentFor(server.url, server.accounts[0]!), PYTHONDONTWRITEBYTECODE: '1' }

  const { status, stdout, stderr } = await run('python3', [script, golden], environment)

  expect([status, stderr]).toEqual([0, ''])
  expect(JSON.parse(stdout)).toEqual({ done: 28, wrong: [] })
})
