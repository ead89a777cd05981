/** One certificate: what stops it from being issued, in words, and what it contains. */
import Box from '@cloudscape-design/components/box'
import Button from '@cloudscape-design/components/button'
import Container from '@cloudscape-design/components/container'
import Header from '@cloudscape-design/components/header'
import SpaceBetween from '@cloudscape-design/components/space-between'
import Spinner from '@cloudscape-design/components/spinner'
import StatusIndicator from '@cloudscape-design/components/status-indicator'
import { useMerlon } from '../../app/merlon.tsx'
import { navigate } from '../../app/router.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { ErrorAlert } from '../../ui/error-alert.tsx'
import { Code, Copyable, Fields, Muted } from '../../ui/fields.tsx'
import { useNotices } from '../../ui/notices.tsx'
import { Page } from '../../ui/page.tsx'
import { timeFromNow, timeShown } from '../../ui/time.ts'
import { useLoaded } from '../../ui/use-call.ts'
import { useDialog } from '../../ui/use-dialog.tsx'
import { CertificateState, typeShown } from './certificates.tsx'
import { type CertificateDetail, type Obstacle, obstaclesOf, stateSentence } from './obstacles.ts'

export default function Certificate({ rest: [arn = ''] }: { readonly rest: readonly string[] }) {
  const { client } = useMerlon()
  const { say } = useNotices()
  const { dialog, open } = useDialog()
  const loaded = useLoaded(`certificate ${arn}`, async (from) => {
    const { Certificate: detail } = await from.call('acm', 'DescribeCertificate', { CertificateArn: arn })
    return { detail: detail!, obstacles: await obstaclesOf(from, detail!) }
  })
  if (loaded.error) return <ErrorAlert error={loaded.error} onRetry={loaded.reload} />
  if (!loaded.data) return <Spinner size="large" />
  const { detail, obstacles } = loaded.data
  const isInUse = (detail.InUseBy ?? []).length > 0
  const resend = async (domain: string) => {
    const proof = detail.DomainValidationOptions?.find(({ DomainName }) => DomainName === domain)
    const input = { CertificateArn: arn, Domain: domain, ValidationDomain: proof?.ValidationDomain ?? domain }
    await client.call('acm', 'ResendValidationEmail', input).then(
      () => say('The mails were sent again.'),
      (error: Error) => say(error.message, 'error'),
    )
  }
  return (
    <Page
      title={detail.DomainName ?? arn}
      trail={[['Certificates', ['certificates']]]}
      actions={
        <SpaceBetween direction="horizontal" size="xs">
          <Button iconName="refresh" ariaLabel="Check again" onClick={loaded.reload} />
          <Button
            disabled={isInUse}
            disabledReason="It is in use."
            onClick={() =>
              open((close) => (
                <Dialog
                  title="Delete this certificate?"
                  submit="Delete"
                  confirm={detail.DomainName}
                  onClose={close}
                  run={async () => {
                    await client.call('acm', 'DeleteCertificate', { CertificateArn: arn })
                    navigate(['certificates'])
                  }}
                >
                  Its private key is deleted with it.
                </Dialog>
              ))
            }
          >
            Delete
          </Button>
        </SpaceBetween>
      }
    >
      <State detail={detail} />
      {obstacles.length > 0 && <Domains obstacles={obstacles} onResend={resend} />}
      <Container header={<Header variant="h2">Certificate</Header>}>
        <Fields
          items={{
            Names: (detail.SubjectAlternativeNames ?? []).join(', '),
            Type: typeShown(detail.Type),
            Key: detail.KeyAlgorithm,
            'Valid from': timeShown(detail.NotBefore),
            'Valid until': detail.NotAfter && `${timeShown(detail.NotAfter)} (${timeFromNow(detail.NotAfter)})`,
            Renewal:
              detail.RenewalSummary?.RenewalStatus ?? (detail.RenewalEligibility === 'ELIGIBLE' ? 'Automatic' : 'None'),
            Issuer: detail.Issuer,
            Serial: detail.Serial && <Code>{detail.Serial}</Code>,
            'In use by': (detail.InUseBy ?? []).join(', ') || undefined,
            ARN: <Copyable text={arn} />,
          }}
        />
      </Container>
      {dialog}
    </Page>
  )
}

function State({ detail }: { readonly detail: CertificateDetail }) {
  return (
    <Container header={<Header variant="h2">State</Header>}>
      <SpaceBetween size="xs">
        <CertificateState state={detail.Status} />
        <Box>{stateSentence(detail) ?? 'It is in force.'}</Box>
      </SpaceBetween>
    </Container>
  )
}

interface DomainsProps {
  readonly obstacles: readonly Obstacle[]
  readonly onResend: (domain: string) => void
}

function Domains({ obstacles, onResend }: DomainsProps) {
  const open = obstacles.filter(({ isProved }) => !isProved).length
  return (
    <Container
      header={
        <Header
          variant="h2"
          description={
            open === 0 ? 'Every domain is proved.' : `${open} of ${obstacles.length} domains wait for proof.`
          }
        >
          Proof of the domains
        </Header>
      }
    >
      <ol className="layers">
        {obstacles.map((obstacle) => (
          <li
            key={obstacle.domain}
            className="layer"
            data-outcome={obstacle.isProved ? 'allowed' : 'none'}
            data-domain={obstacle.domain}
          >
            <div className="layer-head">
              <strong>{obstacle.domain}</strong>
              {obstacle.isProved ? (
                <StatusIndicator>Proved</StatusIndicator>
              ) : (
                <StatusIndicator type="pending">Not proved yet</StatusIndicator>
              )}
            </div>
            {!obstacle.isProved && <Missing obstacle={obstacle} onResend={onResend} />}
          </li>
        ))}
      </ol>
    </Container>
  )
}

function Missing({ obstacle, onResend }: { readonly obstacle: Obstacle; readonly onResend: (domain: string) => void }) {
  const { domain, record, mailboxes, found, checkedAt } = obstacle
  return (
    <SpaceBetween size="xs">
      {record && (
        <Fields
          columns={2}
          items={{
            'Create this CNAME record': <Copyable text={record.name} />,
            'with this value': <Copyable text={record.value} />,
          }}
        />
      )}
      {mailboxes.length > 0 && (
        <div>
          An administrator has to approve it by the link in the mail to {mailboxes.join(', ')}.{' '}
          <Button variant="inline-link" onClick={() => onResend(domain)} ariaLabel={`Send again for ${domain}`}>
            Send again
          </Button>
        </div>
      )}
      {found === undefined ? (
        <Muted>No check is recorded yet, or you may not read the event history.</Muted>
      ) : (
        <div>
          <StatusIndicator type="warning">Found</StatusIndicator> {found} ({timeFromNow(checkedAt)})
        </div>
      )}
    </SpaceBetween>
  )
}
