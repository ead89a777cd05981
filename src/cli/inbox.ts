/** `merlon inbox`: the mail that services have sent, where it goes to a spool directory or stays in a `--dev` server. */
import { fileURLToPath } from 'node:url'
import type { DeliveredMail } from '../planes/mailer/memory.ts'
import { readSpool, type SpooledMail } from '../planes/mailer/spool.ts'
import { clientFor, clientOptions } from './client.ts'
import { type Command, readOptions, UsageError } from './command.ts'
import { plain } from './plain.ts'

const options = {
  mail: {
    type: 'string',
    value: 'URL',
    about: 'a spool, file:///DIRECTORY (default: MERLON_MAIL, if that is one, else the --dev server)',
  },
  show: { type: 'string', value: 'N', about: 'show a message with its text: 1 is the newest' },
  json: { type: 'boolean', about: 'whole messages as one JSON line, oldest first' },
  ...clientOptions,
} as const

/** The spool has times, the server's memory has not. */
type Message = Omit<SpooledMail, 'at'> & Partial<Pick<SpooledMail, 'at'>>

export const inbox: Command = {
  name: 'inbox',
  about: 'Shows the mail that services have sent: of a spool directory, or of a server that runs with --dev.',
  options,
  async run(words) {
    const given = readOptions(options, words)
    const which = given.show === undefined ? undefined : Number(given.show)
    if (which !== undefined && !(Number.isInteger(which) && which > 0))
      throw new UsageError(`--show is the number of a message, from 1, not '${given.show}'.`)
    const directory = spoolOf(given.mail ?? process.env['MERLON_MAIL'], given.mail !== undefined)
    const messages: readonly Message[] = directory === undefined ? await ofServer(given) : await readSpool(directory)
    if (given.json) process.stdout.write(`${JSON.stringify({ messages })}\n`)
    else if (which === undefined) process.stdout.write(listed(messages))
    else process.stdout.write(shown(messages, which))
    return 0
  },
}

/** Undefined where the mail goes elsewhere. Throws for an option that names no spool. */
function spoolOf(url: string | undefined, isGiven: boolean): string | undefined {
  if (url?.startsWith('file:') && URL.canParse(url)) return fileURLToPath(new URL(url))
  if (isGiven) throw new UsageError(`--mail is file:///DIRECTORY, not '${url}': what SMTP took, its recipients have.`)
  return undefined
}

async function ofServer(given: Parameters<typeof clientFor>[0]): Promise<readonly Message[]> {
  const { messages } = JSON.parse(await clientFor(given).rest('merlon', 'GET', '/_merlon/mail')) as {
    readonly messages: readonly DeliveredMail[]
  }
  return messages.map(({ to, subject, text }) => ({ to, subject, text }))
}

function listed(messages: readonly Message[]): string {
  if (messages.length === 0) return 'No messages.\n'
  return messages
    .map(({ to, subject, at }, index) => {
      const when = at === undefined ? [] : [new Date(at).toISOString().slice(0, 19)]
      return `${plain([String(messages.length - index), ...when, to, subject].join('  '))}\n`
    })
    .join('')
}

function shown(messages: readonly Message[], which: number): string {
  const message = messages.at(-which)
  if (which > messages.length || !message)
    throw new UsageError(`There is no message ${which}: the inbox has ${messages.length}.`)
  const { to, subject, text } = message
  return `To: ${plain(to)}\nSubject: ${plain(subject)}\n\n${text.split('\n').map(plain).join('\n').trimEnd()}\n`
}
