/** "The user named, or else the caller": the default of GetUser, ChangePassword and the access key operations. */
import type { Call } from '../../../kernel/gate/call.ts'
import type { ResourceFacts } from '../../../kernel/resource/facts.ts'
import type { ResolvedTarget, Target } from '../../../kernel/resource/target.ts'
import { Fault } from '../../../wire/fault.ts'
import { type UserRow, user } from '../resources.ts'
import { date } from '../words.ts'

/** The root user has no row; this is what GetUser shows of it. */
export interface RootSelf {
  readonly root: { Path: string; UserName: string; UserId: string; Arn: string; CreateDate: Date }
}

/** What a call is authorized on that neither names a user nor is one's own: `…:user/`. */
export const noUser = (call: Call): ResourceFacts => ({
  arn: user.form.printPattern(call, { UserNameWithPath: '' }),
  type: user.spec.type,
  account: call.account,
})

export async function rowNamed(call: Call, name: string): Promise<ResolvedTarget<UserRow>> {
  const found = await user.find(call, name)
  return { ...found, row: found.row?.row }
}

export function userNamedOrSelf<K extends string>(
  member: K,
): Target<{ readonly [P in K]?: string | undefined }, UserRow | RootSelf> {
  return {
    find: async (call, input): Promise<ResolvedTarget<UserRow | RootSelf>> => {
      const named = input[member]
      if (named !== undefined) return rowNamed(call, named)

      const { principal } = call.caller
      if (principal.kind === 'user') return rowNamed(call, principal.name)
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
      return {
        acted: noUser(call),
        row: undefined,
        missing: () => new Fault('ValidationError', 'Must specify userName when calling with non-User credentials'),
      }
    },
  }
}
