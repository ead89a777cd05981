/**
 * Secrets from people: typed without echo, or one per line on standard input; never arguments of the command, which
 * other users can see.
 */
import { createInterface } from 'node:readline'
import { UsageError } from './command.ts'

/** Prompts until `take` returns that it is enough, or standard input ends. */
export async function promptSecrets(question: () => string, take: (secret: string) => Promise<boolean>): Promise<void> {
  if (process.stdin.isTTY) {
    while (!(await take(await typed(question())))) {
      // Not enough yet.
    }
    return
  }
  for await (const line of createInterface({ input: process.stdin }))
    if (line.trim() !== '' && (await take(line))) return
}

/** One answer to each question, in their order. */
export async function promptSecretsInOrder(questions: readonly string[]): Promise<readonly string[]> {
  const answers: string[] = []
  await promptSecrets(
    () => questions[answers.length]!,
    async (secret) => answers.push(secret) === questions.length,
  )
  const missing = questions[answers.length]
  if (missing !== undefined) throw new UsageError(`${missing}: standard input holds no line for it.`)
  return answers
}

export async function promptSecret(question: string): Promise<string> {
  let given: string | undefined
  await promptSecrets(
    () => question,
    async (secret) => {
      given = secret
      return true
    },
  )
  if (given === undefined) throw new UsageError(`${question}: standard input holds nothing.`)
  return given
}

/** On a terminal it is entered twice. */
export async function newPassphrase(): Promise<string> {
  const passphrase = await promptSecret('New passphrase')
  if (process.stdin.isTTY && (await typed('The same again')) !== passphrase)
    throw new UsageError('The two passphrases differ.')
  return passphrase
}

function typed(question: string): Promise<string> {
  process.stderr.write(`${question}: `)
  process.stdin.setRawMode(true)
  process.stdin.resume()
  return new Promise((resolve, reject) => {
    let text = ''
    const end = () => {
      process.stdin.off('data', take)
      process.stdin.setRawMode(false)
      process.stdin.pause()
      process.stderr.write('\n')
    }
    const take = (data: Buffer) => {
      for (const char of data.toString()) {
        if (char === '\r' || char === '\n') {
          end()
          return resolve(text)
        }
        if (char === '\u0003' || char === '\u0004') {
          end()
          return reject(new UsageError('Interrupted.'))
        }
        text = char === '\u007f' ? text.slice(0, -1) : text + char
      }
    }
    process.stdin.on('data', take)
  })
}
