/** A page about IAM Identity Center: its content needs an instance, which is created here where there is none. */
import Alert from '@cloudscape-design/components/alert'
import Button from '@cloudscape-design/components/button'
import Spinner from '@cloudscape-design/components/spinner'
import { type ReactNode, useState } from 'react'
import { useMerlon } from '../../app/merlon.tsx'
import { ErrorAlert } from '../../ui/error-alert.tsx'
import { Page } from '../../ui/page.tsx'
import { useLoaded } from '../../ui/use-call.ts'
import { type Center, loadCenter } from './center.ts'

interface Props {
  readonly title: string
  readonly description?: string
  readonly trail?: Parameters<typeof Page>[0]['trail']
  readonly actions?: ReactNode
  readonly children: (center: Center) => ReactNode
}

export function CenterPage({ title, description, trail, actions, children }: Props) {
  const center = useLoaded('Identity Center', async (client) => ({ found: await loadCenter(client) }))
  return (
    <Page title={title} description={description} actions={actions} {...(trail && { trail })}>
      {center.loading && !center.data && <Spinner size="large" />}
      {center.error && <ErrorAlert error={center.error} onRetry={center.reload} />}
      {center.data && (center.data.found ? children(center.data.found) : <Enable onDone={center.reload} />)}
    </Page>
  )
}

function Enable({ onDone }: { readonly onDone: () => void }) {
  const { client } = useMerlon()
  const [error, setError] = useState<Error>()
  const enable = () => client.call('sso-admin', 'CreateInstance', {}).then(onDone, setError)
  return (
    <>
      <Alert
        type="info"
        header="IAM Identity Center is not enabled here"
        action={<Button onClick={enable}>Enable</Button>}
      >
        In the management account of an organization it manages access to all accounts; in any other account, to
        applications of that account. It belongs to the Region in which it is enabled.
      </Alert>
      {error && <ErrorAlert error={error} />}
    </>
  )
}
