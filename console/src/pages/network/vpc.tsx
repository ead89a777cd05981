/** One VPC: its subnets and interfaces, and which of them are public. */
import Container from '@cloudscape-design/components/container'
import Link from '@cloudscape-design/components/link'
import Spinner from '@cloudscape-design/components/spinner'
import StatusIndicator from '@cloudscape-design/components/status-indicator'
import { hrefOf } from '../../app/router.ts'
import { ErrorAlert } from '../../ui/error-alert.tsx'
import { Copyable, Fields } from '../../ui/fields.tsx'
import { Page } from '../../ui/page.tsx'
import { ResourceTable } from '../../ui/resource-table.tsx'
import { useLoaded } from '../../ui/use-call.ts'
import {
  type Interface,
  isExposed,
  loadInventory,
  nameTag,
  openPorts,
  type Subnet,
  tableOf,
  type WayOut,
  wayOut,
} from './inventory.ts'

export default function VpcPage({ rest: [id = ''] }: { readonly rest: readonly string[] }) {
  const loaded = useLoaded(`VPC ${id}`, async (client) => {
    const inventory = await loadInventory(client, id)
    if (!inventory.vpcs[0]) throw new Error(`There is no VPC ${id} in this Region.`)
    return inventory
  })
  if (loaded.error) return <ErrorAlert error={loaded.error} onRetry={loaded.reload} />
  if (!loaded.data) return <Spinner size="large" />
  const inventory = loaded.data
  const vpc = inventory.vpcs[0]!
  return (
    <Page title={nameTag(vpc.Tags) ?? id} trail={[['VPCs', ['network']]]}>
      <Container>
        <Fields
          items={{
            ID: <Copyable text={id} />,
            Addresses: (vpc.CidrBlockAssociationSet ?? []).map(({ CidrBlock }) => CidrBlock).join(', '),
            Default: vpc.IsDefault ? 'Yes' : 'No',
          }}
        />
      </Container>
      <ResourceTable<Subnet>
        title="Subnets"
        noun="subnet"
        loaded={{ ...loaded, data: inventory.subnets }}
        idOf={({ SubnetId }) => SubnetId!}
        columns={[
          { header: 'Subnet', value: ({ Tags, SubnetId }) => [nameTag(Tags), SubnetId].filter(Boolean).join(' ') },
          { header: 'Addresses', value: ({ CidrBlock }) => CidrBlock },
          { header: 'Zone', value: ({ AvailabilityZone }) => AvailabilityZone },
          {
            header: 'Internet',
            value: (subnet) => wayOut(inventory, subnet).kind,
            cell: (subnet) => <Way way={wayOut(inventory, subnet)} />,
          },
          { header: 'Route table', value: (subnet) => tableOf(inventory, subnet)?.RouteTableId },
        ]}
      />
      <ResourceTable<Interface>
        title="Interfaces"
        noun="interface"
        loaded={{ ...loaded, data: inventory.interfaces }}
        idOf={({ NetworkInterfaceId }) => NetworkInterfaceId!}
        empty="Nothing is in this VPC."
        columns={[
          { header: 'Interface', value: ({ NetworkInterfaceId }) => NetworkInterfaceId },
          { header: 'Of', value: ({ Attachment, Description }) => Attachment?.InstanceId ?? Description },
          { header: 'Private address', value: ({ PrivateIpAddress }) => PrivateIpAddress },
          { header: 'Public address', value: ({ Association }) => Association?.PublicIp },
          {
            header: 'From the internet',
            value: (each) => isExposed(inventory, each),
            cell: (each) => (
              <>
                <Exposure isOpen={isExposed(inventory, each)} ports={openPorts(inventory, each)} />{' '}
                <Link
                  href={hrefOf(['network', 'path'], { to: each.NetworkInterfaceId! })}
                  ariaLabel={`Who reaches it? ${each.NetworkInterfaceId}`}
                >
                  Who reaches it?
                </Link>
              </>
            ),
          },
        ]}
      />
    </Page>
  )
}

function Way({ way: { kind, gateway } }: { readonly way: WayOut }) {
  if (kind === 'public') return <StatusIndicator type="warning">Public, by {gateway}</StatusIndicator>
  if (kind === 'private') return <StatusIndicator>Outwards only, by {gateway}</StatusIndicator>
  return <StatusIndicator type="stopped">No way to the internet</StatusIndicator>
}

function Exposure({ isOpen, ports }: { readonly isOpen: boolean; readonly ports: readonly string[] }) {
  if (!isOpen) return <StatusIndicator>Not reachable</StatusIndicator>
  return ports.length === 0 ? (
    <StatusIndicator type="info">No port is open to every address</StatusIndicator>
  ) : (
    <StatusIndicator type="warning">{ports.join(', ')}</StatusIndicator>
  )
}
