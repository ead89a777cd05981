/** A token of the pool, decoded, verified and explained. It does not leave the page. */
import Alert from '@cloudscape-design/components/alert'
import Container from '@cloudscape-design/components/container'
import FormField from '@cloudscape-design/components/form-field'
import SpaceBetween from '@cloudscape-design/components/space-between'
import StatusIndicator from '@cloudscape-design/components/status-indicator'
import Textarea from '@cloudscape-design/components/textarea'
import { useState } from 'react'
import { useMerlon } from '../../app/merlon.tsx'
import { Code } from '../../ui/fields.tsx'
import { timeFromNow, timeShown } from '../../ui/time.ts'
import { useLoaded } from '../../ui/use-call.ts'
import { type Check, checksOf, type DecodedToken, decodeToken, meaningOf, type PublicKey, timeIn } from './token.ts'

export function TokenView({ pool }: { readonly pool: string }) {
  const { config } = useMerlon()
  const [text, setText] = useState('')
  const keys = useLoaded(`keys of ${pool}`, async (): Promise<readonly PublicKey[]> => {
    const response = await fetch(`${config.apiEndpoint}/${pool}/.well-known/jwks.json`, { credentials: 'omit' })
    if (!response.ok) throw new Error(`The keys of the pool cannot be read: status ${response.status}.`)
    return (await response.json()).keys
  })
  const decoded = decodedIn(text)
  const token = decoded instanceof Error ? undefined : decoded
  const checks = useLoaded(token && keys.data ? `checks of ${text}` : undefined, () =>
    checksOf(token!, pool, keys.data!),
  )
  return (
    <Container>
      <SpaceBetween size="m">
        <FormField
          label="ID token or access token"
          description="It is decoded and verified in this page, and not sent anywhere."
        >
          <Textarea
            value={text}
            rows={6}
            spellcheck={false}
            autoComplete={false}
            onChange={({ detail }) => setText(detail.value)}
          />
        </FormField>
        {keys.error && <Alert type="warning">{keys.error.message}</Alert>}
        {decoded instanceof Error && <Alert type="error">{decoded.message}</Alert>}
        {token && (
          <>
            <div>
              {(checks.data ?? []).map((check) => (
                <CheckShown key={check.text} check={check} />
              ))}
            </div>
            <Claims token={token} />
          </>
        )}
      </SpaceBetween>
    </Container>
  )
}

/** Undefined for no text. */
function decodedIn(text: string): DecodedToken | Error | undefined {
  if (text.trim() === '') return undefined
  try {
    return decodeToken(text)
  } catch (error) {
    return error as Error
  }
}

function CheckShown({ check: { isGood, text } }: { readonly check: Check }) {
  return (
    <div>
      <StatusIndicator type={isGood ? 'success' : 'error'}>{text}</StatusIndicator>
    </div>
  )
}

function Claims({ token: { header, claims } }: { readonly token: DecodedToken }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: an area that scrolls must be reachable by the keyboard.
    <section className="scroll" tabIndex={0} aria-label="Claims of the token">
      <table className="plain-table">
        <thead>
          <tr>
            <th scope="col">Claim</th>
            <th scope="col">Value</th>
            <th scope="col">Meaning</th>
          </tr>
        </thead>
        <tbody>
          {Object.entries(claims).map(([claim, value]) => (
            <tr key={claim}>
              <td>{claim}</td>
              <td>
                <Code>{typeof value === 'string' ? value : JSON.stringify(value)}</Code>
                <TimeOf time={timeIn(claim, value)} />
              </td>
              <td>{meaningOf(claim)}</td>
            </tr>
          ))}
          <tr>
            <td>Signed by key</td>
            <td>
              <Code>
                {String(header['kid'])} ({String(header['alg'])})
              </Code>
            </td>
            <td>From the header of the token</td>
          </tr>
        </tbody>
      </table>
    </section>
  )
}

function TimeOf({ time }: { readonly time: Date | undefined }) {
  return time ? (
    <div>
      {timeShown(time)}, {timeFromNow(time)}
    </div>
  ) : null
}
