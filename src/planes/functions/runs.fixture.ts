/** For tests of executors: an invocation, whose parts a test may say otherwise. */
import { createHash } from 'node:crypto'
import type { FunctionCode, FunctionOutcome, FunctionRun } from '../../kernel/ports/functions.ts'

export const runOf = (more: Partial<FunctionRun> = {}): FunctionRun => ({
  account: '111122223333',
  region: 'us-east-1',
  arn: 'arn:aws:lambda:us-east-1:111122223333:function:f',
  version: '$LATEST',
  requestId: '6f3d5a0e-7b1c-4a57-9a0e-0f6a4c1f2b3d',
  code: { kind: 'builtin', name: 'Echo' },
  payload: Buffer.from('{}'),
  environment: {},
  credential: { accessKeyId: 'ASIAEXAMPLE', secretAccessKey: 'of-the-role', sessionToken: 'token-of-the-role' },
  timeoutMs: 10_000,
  memoryMb: 128,
  storageMb: 512,
  ...more,
})

export function packageOf(zip: Buffer, runtime: string, handler = 'index.handler'): FunctionCode {
  const sha256 = createHash('sha256').update(zip).digest('hex')
  return { kind: 'process', runtime, handler, sha256, zip: async () => zip }
}

export const answerOf = ({ payload, error, log }: FunctionOutcome) => ({
  answer: JSON.parse(payload.toString('utf8')),
  error,
  log: log.toString('utf8'),
})
