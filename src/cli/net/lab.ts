/** `merlon net lab`: a network as namespaces of this machine, to compare the analysis with what packets do, and to try commands in. */
import { LabError, labOf } from '../../engines/network/lab.ts'
import { type LabQuestion, questionsOf } from '../../engines/network/lab-questions.ts'
import { UsageError } from '../command.ts'
import { plain } from '../plain.ts'
import { InputError } from '../policy/files.ts'
import { plural, printJson, printLine } from '../policy/shown.ts'
import { parseSubcommand, type SubCommand } from '../subcommand.ts'
import { flowLines } from './lab-flow-lines.ts'
import { isInside, type Lab, openLab, runInside } from './lab-host.ts'
import { LabServer } from './lab-server.ts'
import { type NetworkFile, openNetwork } from './network-file.ts'

const QUESTIONS = 20
const QUESTIONS_MAX = 10_000
/** Connections at a time: more would wait for each other longer than for an answer. */
const AT_A_TIME = 20
const WAIT_MS = 400
/** A connection that should be there is tried again, longer: the machine may be busy. */
const LONG_WAIT_MS = 3_000

const options = {
  files: {
    type: 'string',
    value: 'FILE',
    multiple: true,
    about: 'output of aws ec2 describe-…, or of merlon net import (required)',
  },
  questions: { type: 'string', value: 'NUMBER', about: `connections to try (default ${QUESTIONS})` },
  seed: { type: 'string', value: 'NUMBER', about: 'chooses the connections (default 1)' },
  at: { type: 'string', value: 'END', about: 'runs a command at an interface, or at internet, instead' },
  data: {
    type: 'string',
    value: 'DIR',
    about:
      'the data directory of a running server: its API, metadata services with credentials of roles, threat detection',
  },
  flows: { type: 'boolean', about: 'prints flow log records of what was carried and rejected' },
  json: { type: 'boolean', about: 'for programs' },
} as const

export const labCommand: SubCommand = {
  name: 'lab',
  operands: '[-- COMMAND…]',
  about: 'Builds the network of namespaces on this machine, and compares the analysis with TCP connections.',
  options,
  async run(words) {
    const { given, operands } = parseSubcommand(options, words, { least: 0, most: 1_000, names: 'a command' })
    if (given.files.length === 0) throw new UsageError('--files is missing.')
    if (given.at === undefined && operands.length > 0) throw new UsageError('A command needs --at END.')
    if (given.at !== undefined && operands.length === 0) throw new UsageError('--at needs a command: -- COMMAND…')
    const count = wholeNumber('questions', given.questions, QUESTIONS, QUESTIONS_MAX)
    const seed = wholeNumber('seed', given.seed, 1, 2 ** 32 - 1)
    const network = openNetwork(given.files)
    const end = given.at === undefined ? undefined : network.endOf(given.at)
    const plan = planOf(network, given.data !== undefined)
    if (!isInside()) return runInside()
    const start = Date.now()
    const server = given.data === undefined ? undefined : await LabServer.of(given.data, network)
    let lab: Lab | undefined
    try {
      lab = await openLab(plan, server)
      const status =
        end === undefined
          ? await compare(network, lab, { count, seed, json: given.json ?? false })
          : await lab.run(end, { words: operands, served: server?.commandAt(end) })
      if (given.flows || server) {
        const lines = flowLines(lab.flows(), { accountOf: network.accountOf, start, end: Date.now() })
        if (given.flows) for (const line of lines) printLine(`${line}\n`)
        server?.sendFlows(lines)
      }
      return status
    } finally {
      lab?.close()
      await server?.close()
    }
  },
}

function wholeNumber(name: string, text: string | undefined, otherwise: number, max: number): number {
  const value = text === undefined ? otherwise : Number(text)
  if (Number.isInteger(value) && value >= 0 && value <= max) return value
  throw new UsageError(`--${name} is a number from 0 to ${max}, not '${text}'.`)
}

function planOf({ snapshot }: NetworkFile, isServed: boolean) {
  try {
    return labOf(snapshot.network, { isServed })
  } catch (error) {
    if (error instanceof LabError) throw new InputError(error.message)
    throw error
  }
}

/** Exit status 1 where the analysis and the packets differ. */
async function compare(
  network: NetworkFile,
  lab: Lab,
  { count, seed, json }: { readonly count: number; readonly seed: number; readonly json: boolean },
): Promise<number> {
  const questions = [...questionsOf(network.snapshot, count, seed)]
  const results: { readonly question: LabQuestion; readonly isConnected: boolean }[] = []
  for (let at = 0; at < questions.length; at += AT_A_TIME)
    results.push(
      ...(await Promise.all(
        questions
          .slice(at, at + AT_A_TIME)
          .map(async (question) => ({ question, isConnected: await connects(lab, question) })),
      )),
    )
  const different = results.filter(({ question, isConnected }) => question.isReachable !== isConnected)
  const reachable = results.filter(({ question }) => question.isReachable).length
  if (json) printJson({ questions: results.length, reachable, different })
  else {
    printLine(`${plural(results.length, 'connection')}, ${reachable} reachable, ${different.length} different\n`)
    for (const { question, isConnected } of different)
      printLine(`  ${differenceText(network, question, isConnected)}\n`)
  }
  return different.length === 0 ? 0 : 1
}

async function connects(lab: Lab, question: LabQuestion): Promise<boolean> {
  const { from, source, sourcePort, destination, destinationPort, isReachable } = question
  const request = { host: destination, port: destinationPort, from: source, fromPort: sourcePort }
  const isConnected = await lab.connect(from, { ...request, waitMs: WAIT_MS })
  return isConnected || !isReachable ? isConnected : lab.connect(from, { ...request, waitMs: LONG_WAIT_MS })
}

function differenceText(network: NetworkFile, question: LabQuestion, isConnected: boolean): string {
  const { from, to, source, sourcePort, destination, destinationPort } = question
  const [one, other] = [from, to].map((id) => plain(network.label(id)))
  const found = isConnected ? 'connected, which the analysis denies' : 'not connected, which the analysis allows'
  return `${one} to ${other}, ${source}:${sourcePort} to ${destination}:${destinationPort}: ${found}`
}
