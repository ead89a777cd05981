/**
 * Where a database may be: on a subnet that is not a default one and assigns no public address, without a public
 * address of its own, and without a route to an internet gateway.
 */

export interface Placement {
  readonly interface: string
  readonly publicAddress?: string | undefined
  readonly subnet: { readonly id: string; readonly isDefault: boolean; readonly givesPublicAddresses: boolean }
  /** The route table that holds for the subnet, and its live routes to internet gateways. */
  readonly routeTable: string
  readonly gatewayRoutes: readonly { readonly destination: string; readonly gateway: string }[]
}

export type ViolationName = 'DEFAULT_SUBNET' | 'PUBLIC_ADDRESS' | 'ROUTE_TO_INTERNET_GATEWAY'

export interface Violation {
  readonly name: ViolationName
  /** What is wrong, by ID. */
  readonly resource: string
  readonly sentence: string
}

export function violationsOf({
  interface: eni,
  publicAddress,
  subnet,
  routeTable,
  gatewayRoutes,
}: Placement): readonly Violation[] {
  const found: Violation[] = []
  if (subnet.isDefault) {
    found.push({ name: 'DEFAULT_SUBNET', resource: subnet.id, sentence: `${subnet.id} is a default subnet.` })
  }
  if (publicAddress !== undefined || subnet.givesPublicAddresses) {
    const sentence =
      publicAddress === undefined
        ? `${subnet.id} gives public addresses to new interfaces.`
        : `${eni} has the public address ${publicAddress}.`
    found.push({ name: 'PUBLIC_ADDRESS', resource: publicAddress === undefined ? subnet.id : eni, sentence })
  }
  for (const { destination, gateway } of gatewayRoutes.slice(0, 1)) {
    found.push({
      name: 'ROUTE_TO_INTERNET_GATEWAY',
      resource: routeTable,
      sentence: `${routeTable} routes ${destination} to ${gateway}.`,
    })
  }
  return found
}
