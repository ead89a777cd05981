/** ARNs: the one place that joins and splits them. */

export interface Arn {
  readonly partition: string
  readonly service: string
  readonly region: string
  readonly account: string
  /** Everything after the fifth colon. */
  readonly resource: string
}

export function printArn(arn: Arn): string {
  return `arn:${arn.partition}:${arn.service}:${arn.region}:${arn.account}:${arn.resource}`
}

/** Of a resource where a call acts. */
export const arnIn = (
  { partition, region, account }: Pick<Arn, 'partition' | 'region' | 'account'>,
  service: string,
  resource: string,
): string => printArn({ partition, service, region, account, resource })

/** undefined for whatever has not the six parts of an ARN. */
export function parseArn(text: string): Arn | undefined {
  const parts = text.split(':')
  if (parts.length < 6 || parts[0] !== 'arn' || !parts[1] || !parts[2]) return undefined
  return {
    partition: parts[1],
    service: parts[2],
    region: parts[3]!,
    account: parts[4]!,
    resource: parts.slice(5).join(':'),
  }
}
