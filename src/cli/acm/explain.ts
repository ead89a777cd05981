/** `merlon acm explain`: what each domain of a certificate waits for, what DNS answered, and when it was queried. */
import { ApiError, type Client } from '../../kernel/client/client.ts'
import { clientFor, clientOptions } from '../client.ts'
import { plain } from '../plain.ts'
import { parseSubcommand, type SubCommand } from '../subcommand.ts'

const options = {
  json: { type: 'boolean', about: 'for programs' },
  ...clientOptions,
} as const

/** Members of `CertificateDetail`. */
interface Certificate {
  readonly DomainName: string
  readonly Status: string
  readonly FailureReason?: string
  readonly RenewalSummary?: { readonly RenewalStatus: string }
  readonly DomainValidationOptions?: readonly Proof[]
}

interface Proof {
  readonly DomainName: string
  readonly ValidationStatus?: string
  readonly ResourceRecord?: { readonly Name: string; readonly Value: string }
  readonly ValidationEmails?: readonly string[]
}

/** Details of the event `DomainValidationChecked`. */
interface Checked {
  readonly at: string
  readonly domains: readonly {
    readonly domain: string
    readonly finding?: string
    readonly answers?: readonly ServerAnswer[]
  }[]
}

/** What one resolver or name server answered. */
interface ServerAnswer {
  readonly server: string
  readonly answer: string
}

interface Explained {
  readonly domain: string
  readonly status: string
  /** What DNS or a mailbox has to say. */
  readonly expected: readonly string[]
  /** What the last check found; absent, too, when the caller may not read the audit log. */
  readonly found?: string
  readonly checkedAt?: string
  readonly answers?: readonly ServerAnswer[]
}

export const explainCommand: SubCommand = {
  name: 'explain',
  operands: 'ARN',
  about: 'Shows what each domain of a certificate waits for. Exit status 1 while the certificate is not issued.',
  options,
  async run(words) {
    const { given, operands } = parseSubcommand(options, words, {
      least: 1,
      most: 1,
      names: 'the ARN of a certificate',
    })
    const arn = operands[0]!
    const client = clientFor(given)
    const { Certificate } = await client.json<{ Certificate: Certificate }>(
      'acm',
      'CertificateManager.DescribeCertificate',
      { CertificateArn: arn },
    )
    const checked = await lastCheck(client, arn)
    const domains = (Certificate.DomainValidationOptions ?? []).map((proof) => explained(proof, checked))
    process.stdout.write(
      given.json ? `${JSON.stringify({ ...summary(Certificate), domains })}\n` : text(Certificate, domains),
    )
    return Certificate.Status === 'ISSUED' ? 0 : 1
  },
}

async function lastCheck(client: Client, arn: string): Promise<Checked | undefined> {
  try {
    const answer = await client.json<{ Events?: readonly { readonly CloudTrailEvent: string }[] }>(
      'cloudtrail',
      'com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents',
      { LookupAttributes: [{ AttributeKey: 'ResourceName', AttributeValue: arn }], MaxResults: 50 },
    )
    for (const { CloudTrailEvent } of answer.Events ?? []) {
      const event = JSON.parse(CloudTrailEvent)
      if (event.eventName === 'DomainValidationChecked')
        return { at: event.eventTime, domains: event.serviceEventDetails.domains }
    }
    return undefined
  } catch (error) {
    if (error instanceof ApiError && /^AccessDenied/.test(error.code)) return undefined
    throw error
  }
}

function explained(proof: Proof, checked: Checked | undefined): Explained {
  const { ResourceRecord: record, ValidationEmails: mails } = proof
  const { finding: found, answers } = checked?.domains.find(({ domain }) => domain === proof.DomainName) ?? {}
  return {
    domain: proof.DomainName,
    status: proof.ValidationStatus ?? 'PENDING_VALIDATION',
    expected: [
      ...(record ? [`${record.Name} CNAME ${record.Value}`] : []),
      ...(mails?.length ? [`an approval by one of ${mails.join(', ')}`] : []),
    ],
    ...(found !== undefined && { found, checkedAt: checked!.at }),
    ...(answers && { answers }),
  }
}

const summary = ({ DomainName, Status, FailureReason, RenewalSummary }: Certificate) => ({
  certificate: DomainName,
  status: Status,
  ...(FailureReason !== undefined && { failure: FailureReason }),
  ...(RenewalSummary && { renewal: RenewalSummary.RenewalStatus }),
})

function text(certificate: Certificate, domains: readonly Explained[]): string {
  const { status, failure, renewal } = summary(certificate)
  const head = [status, failure, renewal && `renewal ${renewal}`].filter(Boolean).join(', ')
  const lines = domains.flatMap(({ domain, status: state, expected, found, checkedAt, answers = [] }) => [
    `${domain}  ${state}`,
    ...expected.map((each) => `  expected  ${each}`),
    ...(found === undefined ? [] : [`  found     ${found}  (since ${checkedAt})`]),
    ...answers.map(({ server, answer }) => `  answered  ${server}  ${answer}`),
  ])
  return `${[`${certificate.DomainName}  ${head}`, ...lines].map(plain).join('\n')}\n`
}
