/** All services of the plan: those with operations in this server first. */
import built from 'virtual:built-operations'
import Box from '@cloudscape-design/components/box'
import StatusIndicator from '@cloudscape-design/components/status-indicator'
import names from '../../../../models/service-names.json'
import { services } from '../../../../src/wire/services.ts'
import { hrefOf } from '../../app/router.ts'
import { Page } from '../../ui/page.tsx'
import { ResourceTable } from '../../ui/resource-table.tsx'

interface Row {
  readonly id: string
  readonly name: string
  readonly operations: number
}

export const serviceName = (id: string): string => {
  const prefix = services.find((row) => row.id === id)?.iamPrefix ?? id
  return (names as Readonly<Record<string, string>>)[prefix] ?? id
}

const rows: readonly Row[] = services
  .map(({ id }) => ({ id, name: serviceName(id), operations: built[id]?.length ?? 0 }))
  .sort((a, b) => Number(b.operations > 0) - Number(a.operations > 0) || a.name.localeCompare(b.name))

export default function Services() {
  return (
    <Page title="All services" description="Every service with a model, browsed through its own API.">
      <ResourceTable<Row>
        title="Services"
        noun="service"
        loaded={{ data: rows, error: undefined, loading: false, reload: () => undefined }}
        idOf={({ id }) => id}
        columns={[
          { header: 'Name', value: ({ name }) => name, href: ({ id }) => hrefOf(['services', id]) },
          { header: 'ID', value: ({ id }) => id },
          {
            header: 'Operations',
            value: ({ operations }) => operations,
            cell: ({ operations }) =>
              operations > 0 ? (
                <StatusIndicator>{operations}</StatusIndicator>
              ) : (
                <Box color="text-body-secondary">Not built yet</Box>
              ),
          },
        ]}
      />
    </Page>
  )
}
