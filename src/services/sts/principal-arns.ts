/** The ARNs of the principals that STS creates. */
import type { Call } from '../../kernel/gate/call.ts'
import { printArn } from '../../kernel/resource/arn.ts'

const arn = (partition: string, account: string, resource: string): string =>
  printArn({ partition, service: 'sts', region: '', account, resource })

/** `arn:aws:sts::A:federated-user/Name` */
export const federatedUserArn = (call: Call, name: string): string =>
  arn(call.partition, call.account, `federated-user/${name}`)

/** `arn:aws:sts::A:assumed-role/Role/Session`: the role's path is not in it. */
export const assumedRoleArn = (call: Call, account: string, role: string, session: string): string =>
  arn(call.partition, account, `assumed-role/${role}/${session}`)
