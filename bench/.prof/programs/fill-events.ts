/** Writes a number of events into the log of a stopped server, as sixteen users would have made them. */
import { eventRecord, newDraft } from '../../src/kernel/events/event.ts'
import { timeOrderedId } from '../../src/kernel/service/id.ts'
import { openStore } from '../../src/store/sqlite.ts'

const [file = '', account = '', count = '0'] = process.argv.slice(2)
const TOTAL = Number(count)
const PORTION = 2_000
const NAMES = [
  'GetUser',
  'Decrypt',
  'GetSecretValue',
  'AssumeRole',
  'PutSecretValue',
  'Encrypt',
  'ListKeys',
  'GetCallerIdentity',
]
const DAY_MS = 86_400_000
/** Spread over a month, and a month ago at most. */
const from = Date.now() - 30 * DAY_MS
const step = (30 * DAY_MS - 60_000) / TOTAL

const store = await openStore({ file })
for (let written = 0; written < TOTAL; written += PORTION) {
  await store.run((unit) => {
    for (let n = written; n < Math.min(TOTAL, written + PORTION); n++) {
      const timeMs = Math.floor(from + n * step)
      const name = `user-${n % 16}`
      const arn = `arn:aws:kms:us-east-1:${account}:key/${String(n % 1_000).padStart(8, '0')}`
      unit.append(
        eventRecord({
          draft: { ...newDraft(timeMs), resources: [{ arn, type: 'AWS::KMS::Key', account }] },
          caller: {
            principal: {
              kind: 'user',
              account,
              arn: `arn:aws:iam::${account}:user/${name}`,
              userId: `AIDA${n % 16}`,
              name,
            },
            accessKeyId: `AKIABENCH${n % 16}`,
          } as never,
          account,
          region: 'us-east-1',
          timeMs,
          eventSource: 'kms.amazonaws.com',
          eventName: n % 100_000 === 0 ? 'Rare' : NAMES[n % NAMES.length]!,
          readOnly: n % 3 !== 0,
          sourceAddress: '192.0.2.7',
          userAgent: 'aws-sdk-js/3.0',
          requestId: timeOrderedId(timeMs),
          requestParameters: { keyId: arn },
          responseElements: null,
        }),
      )
    }
  })
  if (written > 0 && written % 500_000 === 0) console.error(`${written} of ${TOTAL} events`)
}
await store.close()
