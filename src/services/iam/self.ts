/** "The user named, or else the caller": the default of GetUser, ChangePassword and the access key operations. */
import type { Found, Target } from '../../kernel/resource.ts'
import { Fault } from '../../wire/fault.ts'
import { date, type UserRow, user } from './resources.ts'

/** The root user has no row; this is what GetUser shows of it. */
export interface RootSelf {
  readonly root: { Path: string; UserName: string; UserId: string; Arn: string; CreateDate: Date }
}

export function userNamedOrSelf<K extends string>(
  member: K,
): Target<{ readonly [P in K]?: string | undefined }, UserRow | RootSelf> {
  return {
    find: async (call, input): Promise<Found<UserRow | RootSelf>> => {
      const named = input[member]
      if (named !== undefined) return user.find(call, named)

      const { principal } = call.caller
      if (principal.kind === 'user') return user.find(call, principal.name)
      if (principal.kind === 'root') {
        const identity = await call.ports.identity.identity(call.account, { kind: 'root' })
        const root = {
          Path: '/',
          UserName: 'root',
          UserId: call.account,
          Arn: principal.arn,
          CreateDate: date(identity?.createdAt ?? 0),
        }
        return { acted: { arn: principal.arn, type: 'AWS::IAM::User', account: call.account }, row: { root } }
      }
      const arn = user.arn(call, '')
      return {
        acted: { arn, type: 'AWS::IAM::User', account: call.account },
        row: undefined,
        missing: () => new Fault('ValidationError', 'Must specify userName when calling with non-User credentials'),
      }
    },
  }
}
