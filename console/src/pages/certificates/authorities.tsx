/** The tree of private certificate authorities. */
import Box from '@cloudscape-design/components/box'
import Container from '@cloudscape-design/components/container'
import Header from '@cloudscape-design/components/header'
import Link from '@cloudscape-design/components/link'
import Spinner from '@cloudscape-design/components/spinner'
import { hrefOf } from '../../app/router.ts'
import { ErrorAlert } from '../../ui/error-alert.tsx'
import { Muted } from '../../ui/fields.tsx'
import { Page } from '../../ui/page.tsx'
import { timeFromNow, timeShown } from '../../ui/time.ts'
import { useLoaded } from '../../ui/use-call.ts'
import { type AuthorityNode, loadAuthorities, nameOf } from './authority-tree.ts'
import { CertificateState } from './certificates.tsx'

export default function Authorities() {
  const loaded = useLoaded('certificate authorities', loadAuthorities)
  return (
    <Page
      title="Certificate authorities"
      description="Private authorities of this Region, below the one that certified each."
    >
      {loaded.error && <ErrorAlert error={loaded.error} onRetry={loaded.reload} />}
      {!loaded.data && !loaded.error && <Spinner size="large" />}
      {loaded.data && (
        <Container header={<Header variant="h2">Authorities</Header>}>
          {loaded.data.length === 0 ? (
            <Muted>
              There is no private authority.{' '}
              <Link href={hrefOf(['services', 'acm-pca', 'call', 'CreateCertificateAuthority'])}>
                Call CreateCertificateAuthority
              </Link>
            </Muted>
          ) : (
            <Branch nodes={loaded.data} />
          )}
        </Container>
      )}
    </Page>
  )
}

function Branch({ nodes }: { readonly nodes: readonly AuthorityNode[] }) {
  return (
    <ul className="tree">
      {nodes.map(({ authority, children, isIssuedElsewhere }) => (
        <li key={authority.Arn}>
          <div className="layer-head">
            <strong>{nameOf(authority)}</strong>
            <CertificateState state={authority.Status} />
            <Muted>{authority.Type === 'ROOT' ? 'Root' : 'Subordinate'}</Muted>
            {authority.UsageMode === 'SHORT_LIVED_CERTIFICATE' && <Muted>short-lived certificates</Muted>}
            {isIssuedElsewhere && <Muted>certified by an authority elsewhere</Muted>}
          </div>
          <Box color="text-body-secondary">
            {authority.CertificateAuthorityConfiguration?.KeyAlgorithm}
            {authority.NotAfter &&
              `, valid until ${timeShown(authority.NotAfter)} (${timeFromNow(authority.NotAfter)})`}
            {authority.Status === 'PENDING_CERTIFICATE' &&
              (authority.Type === 'ROOT'
                ? ', waits until its own certificate is issued and imported'
                : ', waits until a parent signs its request and the certificate is imported')}
            {revocationShown(authority)}
          </Box>
          {children.length > 0 && <Branch nodes={children} />}
        </li>
      ))}
    </ul>
  )
}

function revocationShown({ RevocationConfiguration: how }: AuthorityNode['authority']): string {
  const kinds = [how?.CrlConfiguration?.Enabled && 'CRL', how?.OcspConfiguration?.Enabled && 'OCSP'].filter(Boolean)
  return kinds.length === 0 ? '; publishes no revocations' : `; publishes revocations by ${kinds.join(' and ')}`
}
