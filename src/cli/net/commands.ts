/** `merlon net explain`, `who-reaches`, `placement` and `import`. */
import { reachEither, whoReaches } from '../../engines/network/families.ts'
import { violationsOf } from '../../engines/network/placement.ts'
import { INTERNET, type Question } from '../../engines/network/reachability.ts'
import { UsageError } from '../command.ts'
import { plain } from '../plain.ts'
import { plural, printJson, printLine } from '../policy/shown.ts'
import { type ParsedOptions, parseSubcommand, type SubCommand } from '../subcommand.ts'
import { type NetworkFile, openNetwork, readDescriptions } from './network-file.ts'
import { questionText, verdictJson, verdictText } from './verdicts.ts'

const files = {
  type: 'string',
  value: 'FILE',
  multiple: true,
  about: 'output of aws ec2 describe-…, or of merlon net import (required)',
} as const
const json = { type: 'boolean', about: 'for programs' } as const
const packets = {
  protocol: { type: 'string', value: 'NAME', about: 'tcp (default with --port), udp or any' },
  port: { type: 'string', value: 'NUMBER', about: 'port of the destination; default: any' },
} as const

const PROTOCOLS: Readonly<Record<string, number>> = { tcp: 6, udp: 17 }
const PORT_MAX = 65_535

function questionOf(given: Pick<ParsedOptions<typeof packets>, 'protocol' | 'port'>): Omit<Question, 'from' | 'to'> {
  const port = given.port === undefined ? undefined : Number(given.port)
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= PORT_MAX))
    throw new UsageError(`--port is a number from 0 to ${PORT_MAX}, not '${given.port}'.`)
  const name = given.protocol ?? (port === undefined ? 'any' : 'tcp')
  if (name === 'any' && port !== undefined) throw new UsageError('--port needs --protocol tcp or udp.')
  if (name === 'any') return {}
  const protocol = PROTOCOLS[name]
  if (protocol === undefined) throw new UsageError(`--protocol is tcp, udp or any, not '${name}'.`)
  return { protocol, ...(port !== undefined && { port }) }
}

function opened(given: { readonly files: readonly string[] }): NetworkFile {
  if (given.files.length === 0) throw new UsageError('--files is missing.')
  const network = openNetwork(given.files)
  for (const warning of network.warnings) process.stderr.write(`merlon: ${plain(warning)}\n`)
  return network
}

const explainOptions = { files, ...packets, json } as const

export const explainCommand: SubCommand = {
  name: 'explain',
  operands: 'FROM TO',
  about: 'Shows the way between two ends, with the rule, entry and route that match, or the component that blocks.',
  options: explainOptions,
  async run(words) {
    const { given, operands } = parseSubcommand(explainOptions, words, { least: 2, most: 2, names: 'FROM and TO' })
    const packetKind = questionOf(given)
    const network = opened(given)
    const [from = '', to = ''] = operands.map((word) => network.endOf(word))
    const question = { ...packetKind, from, to }
    const found = reachEither(network.snapshots, question)
    if (given.json) printJson(verdictJson(question, found))
    else printLine(verdictText(network, question, found))
    return found.verdict.isReachable ? 0 : 1
  },
}

const whoOptions = { files, ...packets, json } as const

export const whoReachesCommand: SubCommand = {
  name: 'who-reaches',
  operands: 'TARGET',
  about: 'Lists what reaches an interface: the internet, and other interfaces.',
  options: whoOptions,
  async run(words) {
    const { given, operands } = parseSubcommand(whoOptions, words, { least: 1, most: 1, names: 'TARGET' })
    const packetKind = questionOf(given)
    const network = opened(given)
    const to = interfaceIn(network, operands[0]!)
    const found = [...whoReaches(network.snapshots, to, packetKind)]
    if (given.json) printJson(found.map((each) => verdictJson({ ...packetKind, from: each.from, to }, each)))
    else {
      const ends = plural(found.length, 'end')
      printLine(`${plain(network.label(to))} is reached from ${ends}: ${questionText(packetKind)}\n`)
      for (const { from, snapshot } of found)
        printLine(`  ${plain(network.label(from))}${snapshot.space.family === 6 ? ', over IPv6' : ''}\n`)
    }
    return 0
  },
}

function interfaceIn(network: NetworkFile, word: string): string {
  const id = network.endOf(word)
  if (id === INTERNET) throw new UsageError('TARGET is an interface, not the internet.')
  return id
}

const placementOptions = { files, json } as const

export const placementCommand: SubCommand = {
  name: 'placement',
  operands: 'TARGET',
  about: 'Checks where a database is: no default subnet, no public address, no route to an internet gateway.',
  options: placementOptions,
  async run(words) {
    const { given, operands } = parseSubcommand(placementOptions, words, { least: 1, most: 1, names: 'TARGET' })
    const network = opened(given)
    const id = interfaceIn(network, operands[0]!)
    const violations = violationsOf(network.placementOf(id))
    if (given.json) printJson({ interface: id, violations })
    else if (violations.length === 0) printLine(`${plain(network.label(id))}: no violations\n`)
    else for (const { name, sentence } of violations) printLine(`${name}: ${plain(sentence)}\n`)
    return violations.length === 0 ? 0 : 1
  },
}

export const importCommand: SubCommand = {
  name: 'import',
  operands: 'FILE…',
  about: 'Writes one file of outputs of aws ec2 describe-… to standard output, and says what is missing.',
  options: {},
  async run(words) {
    const { operands } = parseSubcommand({}, words, { least: 1, most: 1_000, names: 'files' })
    printJson(readDescriptions(operands))
    for (const warning of openNetwork(operands).warnings) process.stderr.write(`merlon: ${plain(warning)}\n`)
    return 0
  },
}
