/** `merlon detect`: threats in log files of real AWS, found without a server. */
import { type Command, readOptions, UsageError } from './command.ts'
import { InputError } from './policy/files.ts'

const options = {
  files: {
    type: 'string',
    value: 'DIR',
    multiple: true,
    about: 'Read CloudTrail, VPC flow and Route 53 Resolver query logs below DIR, or s3://BUCKET/PREFIX (required)',
  },
  baseline: {
    type: 'string',
    value: 'DIR',
    multiple: true,
    about: 'Learn what is usual from the log files below DIR, and report nothing of them',
  },
  'learning-days': {
    type: 'string',
    value: 'DAYS',
    about: 'Report no anomalies of an account in the first DAYS of its events (default: 0)',
  },
  instances: {
    type: 'string',
    value: 'FILE',
    about: 'Read the addresses of instances: output of aws ec2 describe-instances',
  },
  'threat-list': {
    type: 'string',
    value: '[KIND=]FILE',
    multiple: true,
    about: 'Report addresses and domains of a list, one a line. KIND: custom (default), malicious, tor, mining, …',
  },
  'trusted-list': { type: 'string', value: 'FILE', multiple: true, about: 'Report nothing of addresses of a list' },
  rules: { type: 'string', value: 'PATH', multiple: true, about: 'Add rules in Sigma form: YAML files below PATH' },
  disable: { type: 'string', value: 'NAME', multiple: true, about: 'Switch off a rule or a finding type' },
  'min-severity': { type: 'string', value: 'NUMBER', about: 'Report findings from this severity on (default: 1)' },
  'fail-on': {
    type: 'string',
    value: 'NUMBER',
    about: 'Exit with status 1 when a finding has at least this severity',
  },
  json: { type: 'boolean', about: 'Write one JSON object a line for each finding' },
} as const

const numberOf = (text: string | undefined, option: string, fallback: number): number => {
  const number = text === undefined ? fallback : Number(text)
  if (text?.trim() === '' || !Number.isFinite(number) || number < 0)
    throw new UsageError(`--${option} must be a number that is not negative, not '${text}'.`)
  return number
}

export const detect: Command = {
  name: 'detect',
  about: 'Finds threats in log files of AWS, without a server.',
  options,
  async run(words) {
    const given = readOptions(options, words)
    if (!given.files?.length) throw new UsageError('Missing option: --files DIR')
    try {
      // Other commands start without the engine.
      const { runDetection } = await import('./detect/run.ts')
      return await runDetection({
        files: given.files,
        baseline: given.baseline ?? [],
        learningDays: numberOf(given['learning-days'], 'learning-days', 0),
        instances: given.instances,
        threatLists: given['threat-list'] ?? [],
        trustedLists: given['trusted-list'] ?? [],
        rules: given.rules ?? [],
        disable: given.disable ?? [],
        severityMin: numberOf(given['min-severity'], 'min-severity', 1),
        failOn: given['fail-on'] === undefined ? undefined : numberOf(given['fail-on'], 'fail-on', 0),
        json: given.json ?? false,
      })
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      process.stderr.write(`merlon: ${error.message}\n`)
      return 2
    }
  },
}
