/** STS's words, and the ARNs and ids of the principals it makes. It keeps no rows: sessions live in their tokens. */
import type * as STS from '@aws-sdk/client-sts'
import { printArn } from '../../kernel/arn.ts'
import type { Call } from '../../kernel/call.ts'
import { service } from '../../kernel/service.ts'

export const sts = service<typeof STS>('sts')

const arn = (partition: string, account: string, resource: string): string =>
  printArn({ partition, service: 'sts', region: '', account, resource })

/** `arn:aws:sts::A:federated-user/Name` */
export const federatedUserArn = (call: Call, name: string): string =>
  arn(call.partition, call.account, `federated-user/${name}`)

/** `arn:aws:sts::A:assumed-role/Role/Session`: the role's path is not in it. */
export const assumedRoleArn = (call: Call, account: string, role: string, session: string): string =>
  arn(call.partition, account, `assumed-role/${role}/${session}`)
