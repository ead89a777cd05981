/** Why a call failed, with the service's own message and a link to the decision behind a denial. */
import Alert from '@cloudscape-design/components/alert'
import Button from '@cloudscape-design/components/button'
import { ApiError } from '../api/protocol.ts'
import { hrefOf } from '../app/router.ts'

export function ErrorAlert({ error, onRetry }: { readonly error: Error; readonly onRetry?: (() => void) | undefined }) {
  const denied = error instanceof ApiError && error.isDenial
  const why = denied && error.requestId
  return (
    <Alert
      type={denied ? 'warning' : 'error'}
      header={headerOf(error)}
      action={
        why ? (
          <Button href={hrefOf(['audit', 'request', why])}>Why was this denied?</Button>
        ) : onRetry ? (
          <Button onClick={onRetry}>Try again</Button>
        ) : undefined
      }
    >
      {textOf(error)}
      {denied && <DecidedBy message={error.message} />}
    </Alert>
  )
}

/** The layers of policies by the words of AWS's messages. */
const LAYERS: readonly (readonly [words: string, layer: string])[] = [
  ['service control policy', 'service control policies of the organization'],
  ['resource control policy', 'resource control policies of the organization'],
  ['VPC endpoint policy', 'policy of the VPC endpoint'],
  ['permissions boundary', 'permissions boundary'],
  ['session policy', 'session policies'],
  ['identity-based policy', 'identity policies'],
  ['resource-based policy', 'policy of the resource'],
  ['role trust policy', 'trust policy of the role'],
]

function DecidedBy({ message }: { readonly message: string }) {
  const [, layer] = LAYERS.find(([words]) => message.includes(words)) ?? []
  return layer === undefined ? null : (
    <div>
      Layer that denied: <strong>{layer}</strong>
    </div>
  )
}

function headerOf(error: Error): string {
  if (!(error instanceof ApiError))
    return error instanceof TypeError ? 'The server cannot be reached' : 'Something failed'
  if (error.isDenial) return 'Access denied'
  return error.isNotBuilt ? 'Not built yet' : error.code
}

function textOf(error: Error): string {
  if (error instanceof TypeError) return 'The API did not answer. Check that the server runs, then try again.'
  // EC2 adds the decision in a form for `sts:DecodeAuthorizationMessage`; the button leads to it.
  return error.message.replace(/ Encoded authorization failure message: \S+$/, '')
}
