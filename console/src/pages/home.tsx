/** Home: the signed-in identity, the latest denials, and what needs attention. */
import Box from '@cloudscape-design/components/box'
import Container from '@cloudscape-design/components/container'
import Header from '@cloudscape-design/components/header'
import Link from '@cloudscape-design/components/link'
import SpaceBetween from '@cloudscape-design/components/space-between'
import StatusIndicator from '@cloudscape-design/components/status-indicator'
import { useMerlon } from '../app/merlon.tsx'
import { Copyable, Fields } from '../ui/fields.tsx'
import { Page } from '../ui/page.tsx'
import { useLoaded } from '../ui/use-call.ts'
import { attentionOf } from './attention.ts'
import { RecentDenials } from './recent-denials.tsx'

export default function Home() {
  const { acting, session, config, region } = useMerlon()
  return (
    <Page title="Home">
      <Container header={<Header variant="h2">Who you are</Header>}>
        <Fields
          columns={4}
          items={{
            Name: acting.name,
            Account:
              session.principal.accountAlias && !acting.role
                ? `${session.principal.accountAlias} (${acting.account})`
                : acting.account,
            Region: region,
            'Signed in with MFA': session.mfa ? (
              <StatusIndicator>Yes</StatusIndicator>
            ) : (
              <StatusIndicator type="warning">No</StatusIndicator>
            ),
            ARN: <Copyable text={acting.arn} />,
            Endpoint: <Copyable text={config.apiEndpoint} />,
            'Merlon version': config.version,
          }}
        />
      </Container>
      <Attention />
      <RecentDenials />
    </Page>
  )
}

function Attention() {
  const loaded = useLoaded('attention', attentionOf)
  return (
    <Container header={<Header variant="h2">What needs attention</Header>}>
      {loaded.loading && <StatusIndicator type="loading">Looking</StatusIndicator>}
      {loaded.error && <Box color="text-body-secondary">{loaded.error.message}</Box>}
      {loaded.data?.length === 0 && <StatusIndicator>Nothing</StatusIndicator>}
      <SpaceBetween size="xs">
        {loaded.data?.map(({ text, href, type }) => (
          <div key={text}>
            <StatusIndicator type={type}>
              {text} {href && <Link href={href}>Open</Link>}
            </StatusIndicator>
          </div>
        ))}
      </SpaceBetween>
    </Container>
  )
}
