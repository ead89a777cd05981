/** Nonces of ACME (RFC 8555 §6.5): sealed with their time, so that none is stored before it is spent; each is spent once. */
import { createHash, randomBytes } from 'node:crypto'
import { scheduleJob } from '../../kernel/jobs/jobs.ts'
import type { ServiceJob } from '../../kernel/service/service.ts'
import { key, type Unit, under } from '../../store/store.ts'
import type { Vault } from '../../vault/vault.ts'
import { problem } from './acme-jws.ts'

const NONCE_MS = 60 * 60 * 1000
const BINDING = 'acm/acme-nonce'
const BATCH = 500

export function newNonce(vault: Pick<Vault, 'issue'>, now: number): string {
  const bytes = Buffer.alloc(24)
  bytes.writeDoubleBE(now)
  randomBytes(16).copy(bytes, 8)
  return vault.issue('paging-token', BINDING, bytes)
}

/** Throws badNonce, on which clients try again. */
export async function spendNonce(unit: Unit, vault: Pick<Vault, 'redeem'>, nonce: string, now: number): Promise<void> {
  const opened = vault.redeem('paging-token', BINDING, nonce)
  const madeAt = opened?.length === 24 ? opened.readDoubleBE(0) : Number.NEGATIVE_INFINITY
  const hour = String(Math.floor(madeAt / NONCE_MS)).padStart(9, '0')
  const at = key('acm', 'acme-nonce', hour, createHash('sha256').update(nonce).digest('hex'))
  if (now - madeAt > NONCE_MS || (await unit.get(at))) throw problem('badNonce', 'The nonce was used, or is too old.')
  unit.put(at, {})
  // The same job for all nonces of an hour.
  const dueAt = (Number(hour) + 2) * NONCE_MS + 1
  scheduleJob(unit, { id: `acm.forget-nonces/${hour}`, kind: 'acm.forget-nonces', dueAt, payload: { hour } })
}

export const forgetNonces: ServiceJob<{ readonly hour: string }> = {
  run: async (unit, { now }, { hour }) => {
    const rows = await unit.range(under('acm', 'acme-nonce', hour), { limit: BATCH })
    for (const row of rows) unit.delete(row.key)
    if (rows.length === BATCH)
      scheduleJob(unit, {
        id: `acm.forget-nonces/${hour}`,
        kind: 'acm.forget-nonces',
        dueAt: now + 1,
        payload: { hour },
      })
  },
}
