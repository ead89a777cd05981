/** The code that approves a certificate goes to the administrator of the domain, by mail. */
import { createHash, randomInt } from 'node:crypto'
import { mailbox, OutboxQuotaError } from '../../src/kernel/jobs/outbox.ts'
import { acm, certificate } from './resource.ts'

export const hashOf = (code: string): string => createHash('sha256').update(code).digest('hex')

export const resendValidationEmail = acm
  .operation('ResendValidationEmail')
  .on(certificate.named('CertificateArn'))
  .run(async (call, _input, { row, save }) => {
    const code = String(randomInt(1_000_000)).padStart(6, '0')
    save({ ...row, codeHash: hashOf(code) })
    try {
      await mailbox.send(call, `acm/${row.id}`, {
        account: row.account,
        to: `admin@${row.domain}`,
        subject: `Certificate for ${row.domain}`,
        text: `Your code is ${code}`,
      })
    } catch (error) {
      if (error instanceof OutboxQuotaError) throw acm.fail('LimitExceededException', error.message)
      throw error
    }
    return {}
  })
