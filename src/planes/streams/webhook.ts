/**
 * Batches to a webhook, as CloudTrail writes its files: `{"Records":[…]}`. With a key, each is signed: the header
 * `x-merlon-signature: sha256=HEX` is the HMAC-SHA256 of the body.
 */
import { createHmac } from 'node:crypto'
import { post, withoutUser } from './http.ts'
import type { Sink } from './sink.ts'

export function webhookSink(target: URL, key: string | undefined): Sink {
  const { url, headers } = withoutUser(target)
  return {
    send: async (lines, signal) => {
      const body = `{"Records":[${lines.map((line) => line.body).join(',')}]}`
      const signature = key && `sha256=${createHmac('sha256', key).update(body).digest('hex')}`
      const answer = await post(
        {
          url,
          headers: {
            ...headers,
            'content-type': 'application/json',
            // The same when it is sent again.
            'x-merlon-delivery': `${lines[0]!.position}-${lines.at(-1)!.position}`,
            ...(signature && { 'x-merlon-signature': signature }),
          },
          body,
        },
        signal,
      )
      await answer.body?.cancel()
    },
    close: async () => undefined,
  }
}
