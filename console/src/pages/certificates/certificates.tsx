/** The certificates of a Region: in force, and waiting for something. */
import Button from '@cloudscape-design/components/button'
import FormField from '@cloudscape-design/components/form-field'
import Input from '@cloudscape-design/components/input'
import Select from '@cloudscape-design/components/select'
import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator'
import Textarea from '@cloudscape-design/components/textarea'
import { useState } from 'react'
import type { Output } from '../../api/sdk.ts'
import { useMerlon } from '../../app/merlon.tsx'
import { hrefOf, navigate } from '../../app/router.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { Page } from '../../ui/page.tsx'
import { ResourceTable } from '../../ui/resource-table.tsx'
import { timeFromNow } from '../../ui/time.ts'
import { useLoaded } from '../../ui/use-call.ts'
import { useDialog } from '../../ui/use-dialog.tsx'

type Summary = NonNullable<Output<'acm', 'ListCertificates'>['CertificateSummaryList']>[number]

/** Without a filter, the list of ACM has RSA 2048 certificates alone. */
const KEY_TYPES = [
  'RSA_1024',
  'RSA_2048',
  'RSA_3072',
  'RSA_4096',
  'EC_prime256v1',
  'EC_secp384r1',
  'EC_secp521r1',
] as const

export default function Certificates() {
  const { dialog, open } = useDialog()
  const certificates = useLoaded('certificates', (client) =>
    client.list('acm', 'ListCertificates', { Includes: { keyTypes: [...KEY_TYPES] } }, 'CertificateSummaryList'),
  )
  return (
    <Page title="Certificates" description="Certificates of ACM: requested, imported, and of private authorities.">
      <ResourceTable<Summary>
        title="Certificates"
        noun="certificate"
        loaded={certificates}
        idOf={({ CertificateArn }) => CertificateArn!}
        columns={[
          {
            header: 'Domain',
            value: ({ DomainName }) => DomainName,
            href: ({ CertificateArn }) => hrefOf(['certificates', CertificateArn!]),
          },
          { header: 'State', value: ({ Status }) => Status, cell: ({ Status }) => <CertificateState state={Status} /> },
          { header: 'Type', value: ({ Type }) => typeShown(Type) },
          { header: 'Key', value: ({ KeyAlgorithm }) => KeyAlgorithm },
          { header: 'In use', value: ({ InUse }) => InUse },
          {
            header: 'Ends',
            value: ({ NotAfter }) => NotAfter,
            cell: ({ NotAfter }) => timeFromNow(NotAfter),
          },
        ]}
        actions={() => (
          <Button variant="primary" onClick={() => open((close) => <Request onClose={close} />)}>
            Request certificate
          </Button>
        )}
      />
      {dialog}
    </Page>
  )
}

export const typeShown = (type: string | undefined): string =>
  type === 'IMPORTED' ? 'Imported' : type === 'PRIVATE' ? 'Private' : 'Issued here'

const STATES: Readonly<Record<string, readonly [type: StatusIndicatorProps.Type, text: string]>> = {
  ISSUED: ['success', 'Issued'],
  ACTIVE: ['success', 'Active'],
  PENDING_VALIDATION: ['pending', 'Waits for proof'],
  PENDING_CERTIFICATE: ['pending', 'Has no certificate yet'],
  VALIDATION_TIMED_OUT: ['error', 'Not proved in time'],
  FAILED: ['error', 'Failed'],
  EXPIRED: ['error', 'Expired'],
  REVOKED: ['stopped', 'Revoked'],
  DISABLED: ['stopped', 'Disabled'],
  DELETED: ['stopped', 'Deleted'],
}

export function CertificateState({ state = '' }: { readonly state: string | undefined }) {
  const [type, text] = STATES[state] ?? (['info', state] as const)
  return <StatusIndicator type={type}>{text}</StatusIndicator>
}

const METHODS = [
  { value: 'DNS', label: 'By a DNS record' },
  { value: 'EMAIL', label: 'By e-mail to the administrators of the domain' },
] as const

function Request({ onClose }: { readonly onClose: () => void }) {
  const { client } = useMerlon()
  const [domain, setDomain] = useState('')
  const [others, setOthers] = useState('')
  const [method, setMethod] = useState<(typeof METHODS)[number]>(METHODS[0])
  const names = others.split(/[\s,]+/).filter((name) => name !== '')
  const run = async () => {
    const { CertificateArn } = await client.call('acm', 'RequestCertificate', {
      DomainName: domain,
      ValidationMethod: method.value,
      ...(names.length > 0 && { SubjectAlternativeNames: names }),
    })
    navigate(['certificates', CertificateArn!])
  }
  return (
    <Dialog title="Request certificate" submit="Request" onClose={onClose} run={run} disabled={domain === ''}>
      <FormField label="Domain">
        <Input
          value={domain}
          autoFocus
          placeholder="shop.example.com"
          onChange={({ detail }) => setDomain(detail.value.trim())}
        />
      </FormField>
      <FormField label="More names" description="One a line; *.example.com for all names directly below.">
        <Textarea value={others} rows={3} onChange={({ detail }) => setOthers(detail.value)} />
      </FormField>
      <FormField label="How the control of the domains is proved">
        <Select
          selectedOption={method}
          options={[...METHODS]}
          onChange={({ detail }) => setMethod(METHODS.find(({ value }) => value === detail.selectedOption.value)!)}
        />
      </FormField>
    </Dialog>
  )
}
