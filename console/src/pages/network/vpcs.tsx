/** The VPCs of a Region, and how much of each is public. */
import Button from '@cloudscape-design/components/button'
import StatusIndicator from '@cloudscape-design/components/status-indicator'
import { hrefOf } from '../../app/router.ts'
import { Page } from '../../ui/page.tsx'
import { ResourceTable } from '../../ui/resource-table.tsx'
import { useLoaded } from '../../ui/use-call.ts'
import { isExposed, loadInventory, nameTag, wayOut } from './inventory.ts'

interface Row {
  readonly id: string
  readonly name: string | undefined
  readonly cidr: string | undefined
  readonly isDefault: boolean
  readonly subnets: number
  readonly publicSubnets: number
  readonly exposed: number
}

export default function Vpcs() {
  const vpcs = useLoaded('VPCs', async (client): Promise<readonly Row[]> => {
    const inventory = await loadInventory(client)
    return inventory.vpcs.map((vpc) => {
      const subnets = inventory.subnets.filter(({ VpcId }) => VpcId === vpc.VpcId)
      return {
        id: vpc.VpcId!,
        name: nameTag(vpc.Tags),
        cidr: vpc.CidrBlock,
        isDefault: vpc.IsDefault ?? false,
        subnets: subnets.length,
        publicSubnets: subnets.filter((subnet) => wayOut(inventory, subnet).kind === 'public').length,
        exposed: inventory.interfaces.filter((each) => each.VpcId === vpc.VpcId && isExposed(inventory, each)).length,
      }
    })
  })
  return (
    <Page
      title="VPCs"
      description="Networks of this Region, and what of them is public."
      actions={<Button href={hrefOf(['network', 'path'])}>Who reaches what?</Button>}
    >
      <ResourceTable<Row>
        title="VPCs"
        noun="VPC"
        loaded={vpcs}
        idOf={({ id }) => id}
        columns={[
          { header: 'VPC', value: ({ name, id }) => name ?? id, href: ({ id }) => hrefOf(['network', id]) },
          { header: 'ID', value: ({ id }) => id },
          { header: 'Addresses', value: ({ cidr }) => cidr },
          { header: 'Default', value: ({ isDefault }) => isDefault },
          { header: 'Subnets', value: ({ subnets }) => subnets },
          { header: 'Public subnets', value: ({ publicSubnets }) => publicSubnets },
          {
            header: 'Interfaces on the internet',
            value: ({ exposed }) => exposed,
            cell: ({ exposed }) =>
              exposed === 0 ? (
                <StatusIndicator>None</StatusIndicator>
              ) : (
                <StatusIndicator type="warning">{exposed}</StatusIndicator>
              ),
          },
        ]}
      />
    </Page>
  )
}
