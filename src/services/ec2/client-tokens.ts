/** Client tokens: a request that is repeated gets the answer of the first one. */
import { createHash } from 'node:crypto'
import type { Call } from '../../kernel/gate/call.ts'
import type { Awaitable } from '../../kernel/service/awaitable.ts'
import type { LooseInput } from '../../kernel/service/service.ts'
import { type Key, key, under } from '../../store/store.ts'
import { fault, invalid } from './faults.ts'

const DAY_MS = 86_400_000
const PRUNED_AT_ONCE = 20

interface TokenRow {
  readonly request: string
  readonly output: string
  readonly at: number
}

/** AWS, "Ensuring idempotency": within a day the same token and the same request give the same answer. */
export async function idempotent<T>(call: Call, input: LooseInput, run: () => Awaitable<T>): Promise<T> {
  const token: string | undefined = input.ClientToken
  if (token === undefined || token === '') return run()
  if (token.length > 128) throw invalid('A ClientToken has at most 128 characters.')
  const place = (text: string): Key => key('ec2', 'token', call.account, call.region, call.operation, text)
  const request = createHash('sha256')
    .update(JSON.stringify({ ...input, ClientToken: undefined }))
    .digest('base64')
  const known = await call.unit.get<TokenRow>(place(token))
  if (known && call.now - known.at < DAY_MS) {
    if (known.request !== request) {
      throw fault(
        'IdempotentParameterMismatch',
        'The client token you have provided is associated with a request whose parameters differ.',
      )
    }
    return JSON.parse(known.output, (_, value) => (isStoredDate(value) ? new Date(value.$date) : value)) as T
  }
  const output = await run()
  const row: TokenRow = { request, output: JSON.stringify(output, keepingDates), at: call.now }
  const old = await call.unit.range<TokenRow>(under('ec2', 'token', call.account, call.region, call.operation), {
    limit: PRUNED_AT_ONCE,
  })
  for (const { key: at, document } of old) if (call.now - document.at >= DAY_MS) call.unit.delete(at)
  call.unit.put(place(token), row)
  return output
}

const isStoredDate = (value: unknown): value is { readonly $date: number } =>
  typeof value === 'object' && value !== null && '$date' in value

/** `JSON.stringify` has made a text of a date before the replacer sees the value. */
function keepingDates(this: unknown, name: string, value: unknown): unknown {
  const original = (this as Record<string, unknown>)[name]
  return original instanceof Date ? { $date: original.getTime() } : value
}
