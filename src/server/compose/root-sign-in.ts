/** How a root user gets its first password: at `merlon init`, and by an operator on the machine of the server. */
import { signInIdentities } from '../../kernel/ports/sign-in-identities.ts'
import { Fault } from '../../wire/fault.ts'
import type { Cloud } from './cloud.ts'
import { InstallationError } from './operator-errors.ts'

export interface RootSignIn {
  /** Default: the first account. */
  readonly account?: string | undefined
  readonly email: string
  readonly password: string
}

/** Ends every sign-in of the root user. Returns the account. */
export async function setRootSignIn(cloud: Cloud, { account, email, password }: RootSignIn): Promise<string> {
  const accounts = await cloud.accounts()
  const id = account ?? accounts[0]?.id
  const known = accounts.find((each) => each.id === id)
  if (id === undefined || !known)
    throw new InstallationError(`There is no account ${id}.`, 'MERLON_ROOT_SIGN_IN_REFUSED')
  const people = cloud.use(signInIdentities)
  try {
    await cloud.store.run(async (unit) => {
      const call = { unit, now: cloud.clock.now() }
      await people.setRootEmail(call, id, email)
      await people.setPassword(call, people.root(id), password)
    })
  } catch (error) {
    if (error instanceof Fault) throw new InstallationError(error.message, 'MERLON_ROOT_SIGN_IN_REFUSED')
    throw error
  }
  return id
}
