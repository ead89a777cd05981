/** The script of the challenge page: its digest is SHA-256. */
import { createHash } from 'node:crypto'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { challengePage } from './challenge-page.ts'

test('The page finds the number that the gateway accepts', () => {
  const challenge = 'x'.repeat(150)
  const page = challengePage({ challenge, bits: 8, path: '/solve', nonce: 'n' })
  const [, script = ''] = /<script nonce="n">([\s\S]*)<\/script>/.exec(page) ?? []
  const sent: string[] = []
  runInNewContext(script, {
    document: { getElementById: () => ({ dataset: { challenge, bits: '8', path: '/solve' } }) },
    fetch: (_path: string, { body }: { body: string }) => {
      sent.push(body)
      // biome-ignore lint/suspicious/noThenProperty: the answer of fetch, which the page waits for.
      return { then: () => undefined }
    },
    setTimeout: (next: () => void) => next(),
  })
  const { solution } = JSON.parse(sent[0]!) as { readonly solution: string }
  expect(createHash('sha256').update(`${challenge}:${solution}`).digest()[0]).toBe(0)
})
