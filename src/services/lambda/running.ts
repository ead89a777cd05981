/** A function that is running: as its role, within its account's share of this node. */
import type { Call, Scope } from '../../kernel/gate/call.ts'
import { type FunctionOutcome, FunctionsBusy } from '../../kernel/ports/functions.ts'
import type { Ports } from '../../kernel/ports/ports.ts'
import type { Quotas } from '../../kernel/service/quota.ts'
import type { JobContext } from '../../kernel/service/service.ts'
import type { Vault } from '../../vault/vault.ts'
import { runnableFrom } from './code.ts'
import { variablesOf } from './configuration.ts'
import { arnOf, type FunctionRow, invalid, lambda, versionOf } from './resources.ts'
import { Credentials, type ExecutionContext } from './roles.ts'

const LOG_BYTES_MAX = 4096

export interface Worker extends ExecutionContext {
  readonly vault: Vault
  readonly quotas: Quotas
}

export const workerOfCall = ({ ports, unit, actAs: act, now, vault, quotas }: Call): Worker => ({
  ports,
  reader: unit,
  actAs: act,
  now,
  vault,
  quotas,
})

export const workerOfJob = ({ ports, reader, actAs: act, now, vault, quotas }: JobContext): Worker => ({
  ports,
  reader,
  actAs: act,
  now,
  vault,
  quotas,
})

/** This node's memory of one cloud. */
interface Node {
  readonly credentials: Credentials
  /** Account and Region → how many run. */
  readonly running: Map<string, number>
}

const nodes = new WeakMap<Ports, Node>()

function nodeOf(ports: Ports): Node {
  let node = nodes.get(ports)
  if (!node) nodes.set(ports, (node = { credentials: new Credentials(), running: new Map() }))
  return node
}

export interface Invocation {
  readonly scope: Scope
  readonly row: FunctionRow
  readonly payload: Buffer
  readonly requestId: string
}

/** Throws what Invoke answers when it could not even begin; what the function does wrong is an outcome. */
export async function invoke(worker: Worker, { scope, row, payload, requestId }: Invocation): Promise<FunctionOutcome> {
  const { ports, vault, reader, quotas } = worker
  const node = nodeOf(ports)
  const place = `${scope.account} ${scope.region}`
  const others = node.running.get(place) ?? 0
  if (others >= (quotas['lambda/ConcurrentExecutions'] ?? 0)) throw tooMany('ConcurrentInvocationLimitExceeded')
  node.running.set(place, others + 1)
  try {
    const environment = variablesOf(vault, scope, row)
    const code = runnableFrom(reader, vault, scope, row.code)
    const refusal = ports.functions.refusal(code, environment)
    if (refusal !== undefined) throw invalid(refusal)
    const credential = await node.credentials.of(worker, scope, row)
    const startedAt = performance.now()
    const outcome = await ports.functions.run({
      account: scope.account,
      region: scope.region,
      arn: arnOf(scope, row.name),
      version: versionOf(row),
      requestId,
      code,
      payload,
      environment,
      credential,
      timeoutMs: row.timeoutS * 1000,
      memoryMb: row.memoryMb,
      storageMb: row.storageMb,
    })
    return { ...outcome, log: framed(outcome.log, requestId, row, performance.now() - startedAt) }
  } catch (error) {
    if (error instanceof FunctionsBusy) throw tooMany('CallerRateLimitExceeded')
    throw error
  } finally {
    const left = node.running.get(place)! - 1
    if (left === 0) node.running.delete(place)
    else node.running.set(place, left)
  }
}

const tooMany = (Reason: string) => lambda.fail('TooManyRequestsException', 'Rate Exceeded.', { Reason })

/** As CloudWatch shows it: between START and REPORT; the end of it when it is long. */
function framed(log: Buffer, requestId: string, row: FunctionRow, tookMs: number): Buffer {
  const { memoryMb } = row
  const text = log.length > 0 && log.at(-1) !== 0x0a ? Buffer.concat([log, Buffer.from('\n')]) : log
  const whole = Buffer.concat([
    Buffer.from(`START RequestId: ${requestId} Version: ${versionOf(row)}\n`),
    text,
    Buffer.from(
      `END RequestId: ${requestId}\nREPORT RequestId: ${requestId}\tDuration: ${tookMs.toFixed(2)} ms\tBilled Duration: ${Math.ceil(tookMs)} ms\tMemory Size: ${memoryMb} MB\n`,
    ),
  ])
  return whole.subarray(Math.max(0, whole.length - LOG_BYTES_MAX))
}
