/** Checks the code of a certificate: a person gets five guesses, then waits longer and longer. */
import { timingSafeEqual } from 'node:crypto'
import { type CheckSecret, onlineGuessing, retryText } from '../../src/kernel/state/failure-budget.ts'
import { Fault } from '../../src/wire/fault.ts'
import { hashOf } from './outbox.ts'
import { type CertificateRow, certificate } from './resource.ts'

/** Throws `AccessDenied` for a wrong code, and while the code may not be tried. */
export async function requireCode(checkSecret: CheckSecret, row: CertificateRow, code: string): Promise<void> {
  const { account, region, id, codeHash } = row
  const checked = await checkSecret(
    {
      account,
      kind: 'password',
      id: `acm/${region}/${id}`,
      arn: certificate.arnOf({ partition: 'aws', account, region }, row),
      type: certificate.spec.type,
      policy: onlineGuessing,
    },
    () => (codeHash && timingSafeEqual(Buffer.from(codeHash), Buffer.from(hashOf(code))) ? true : undefined),
  )
  if (checked.outcome === 'wrong') throw new Fault('AccessDenied', 'The code is wrong.')
  if (checked.outcome === 'refused') throw new Fault('AccessDenied', retryText(checked.retryAfterMs))
}
