/** The hosted pages of a client as people see them: in a frame without scripts, forms or an origin, so that nothing in it acts. */
import Alert from '@cloudscape-design/components/alert'
import Container from '@cloudscape-design/components/container'
import FormField from '@cloudscape-design/components/form-field'
import Select, { type SelectProps } from '@cloudscape-design/components/select'
import SpaceBetween from '@cloudscape-design/components/space-between'
import { useState } from 'react'
import type { Output } from '../../api/sdk.ts'
import { useLoaded } from '../../ui/use-call.ts'

type Pool = NonNullable<Output<'cognito-idp', 'DescribeUserPool'>['UserPool']>
export type PoolClient = NonNullable<Output<'cognito-idp', 'DescribeUserPoolClient'>['UserPoolClient']>

const PAGES = {
  login: 'Sign-in',
  signup: 'Sign-up',
  forgotPassword: 'Forgotten password',
} as const
type PageName = keyof typeof PAGES

/** As `lang` of the pages has them. */
const LANGUAGES = { en: 'English', de: 'German', es: 'Spanish', fr: 'French', ja: 'Japanese' } as const

/** On this origin, where the pages of every pool are served; undefined where a client cannot use them. */
export function hostedPage(pool: Pool, client: PoolClient, page: string, lang?: string): string | undefined {
  const [callback] = client.CallbackURLs ?? []
  const flows = client.AllowedOAuthFlows ?? []
  if (!pool.Domain || !client.AllowedOAuthFlowsUserPoolClient || callback === undefined) return undefined
  const query = new URLSearchParams({
    client_id: client.ClientId!,
    redirect_uri: callback,
    response_type: flows.includes('code') ? 'code' : 'token',
    scope: (client.AllowedOAuthScopes ?? []).join(' '),
    ...(lang !== undefined && { lang }),
  })
  return `${location.origin}/_cognito/${pool.Id!.split('_')[0]}/${pool.Domain}/${page}?${query}`
}

const optionsOf = (names: Readonly<Record<string, string>>): SelectProps.Option[] =>
  Object.entries(names).map(([value, label]) => ({ value, label }))

export function LoginPreview({ pool, clients }: { readonly pool: Pool; readonly clients: readonly PoolClient[] }) {
  const shown = clients.filter((client) => hostedPage(pool, client, 'login') !== undefined)
  const [id, setId] = useState<string>()
  const [page, setPage] = useState<PageName>('login')
  const [lang, setLang] = useState('en')
  const client = shown.find(({ ClientId }) => ClientId === id) ?? shown[0]
  const address = client && hostedPage(pool, client, page, lang)
  // Read as a visitor: without the session of the console.
  const document = useLoaded(address, async () => {
    const response = await fetch(address!, { credentials: 'omit', redirect: 'error' })
    const text = await response.text()
    if (!response.ok) throw new Error(`The page answers with status ${response.status}.`)
    return text
  })
  if (!client) return <Alert type="info">No client has hosted pages: they need a domain and a callback URL.</Alert>
  const names = Object.fromEntries(shown.map(({ ClientId, ClientName }) => [ClientId!, ClientName ?? ClientId!]))
  return (
    <Container>
      <SpaceBetween size="m">
        <div className="fields-row">
          <Choice label="Client" names={names} value={client.ClientId!} onChange={setId} />
          <Choice label="Page" names={PAGES} value={page} onChange={(value) => setPage(value as PageName)} />
          <Choice label="Language" names={LANGUAGES} value={lang} onChange={setLang} />
        </div>
        {document.error && <Alert type="warning">{document.error.message}</Alert>}
        {document.data !== undefined && (
          <iframe
            className="login-preview"
            title={`${PAGES[page]} page of ${names[client.ClientId!]}`}
            sandbox=""
            srcDoc={document.data}
          />
        )}
      </SpaceBetween>
    </Container>
  )
}

interface ChoiceProps {
  readonly label: string
  readonly names: Readonly<Record<string, string>>
  readonly value: string
  readonly onChange: (value: string) => void
}

function Choice({ label, names, value, onChange }: ChoiceProps) {
  return (
    <FormField label={label}>
      <Select
        options={optionsOf(names)}
        selectedOption={{ value, label: names[value] ?? value }}
        onChange={({ detail }) => onChange(detail.selectedOption.value!)}
      />
    </FormField>
  )
}
