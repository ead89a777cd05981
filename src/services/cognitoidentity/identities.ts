/** Identities: found by their logins, unlinked, shown, listed and deleted. */
import type { IdentityDescription, UnprocessedIdentityId } from '@aws-sdk/client-cognito-identity'
import type { Call } from '../../kernel/gate/call.ts'
import type { ConditionKeyTable } from '../../kernel/resource/condition-keys.ts'
import type { Target } from '../../kernel/resource/target.ts'
import { page } from '../../kernel/service/page.ts'
import { under } from '../../store/store.ts'
import { Fault } from '../../wire/fault.ts'
import { identityFor, reach } from './access.ts'
import { forgetIdentity, unlinkLogins } from './identity-rows.ts'
import {
  cognitoIdentity,
  type FoundIdentity,
  type IdentityRow,
  identityIn,
  identityKey,
  identityMissing,
  invalidParameter,
  notAuthorized,
  notFound,
  openIdentity,
  openPool,
  type PoolRow,
  pool,
  poolArn,
} from './resources.ts'

const UNSIGNED = 'AWS documents it as unauthenticated; the tokens of the login providers are what it checks'

export const getId = cognitoIdentity
  .operation('GetId')
  .anonymous()
  .withoutPermission(UNSIGNED)
  .on(openPool)
  .dataEvent()
  .run(async (call, input, row) => {
    if (input.AccountId !== undefined && input.AccountId !== row.account)
      throw notFound(`IdentityPool '${row.id}' not found.`)
    const { id, isDisabled } = await identityFor(call, row, input.Logins)
    if (isDisabled) throw notAuthorized(`Access to Identity '${id}' is forbidden.`)
    return { IdentityId: id }
  })

export const unlinkIdentity = cognitoIdentity
  .operation('UnlinkIdentity')
  .anonymous()
  .withoutPermission(UNSIGNED)
  .on(openIdentity)
  .dataEvent()
  .run(async (call, { Logins, LoginsToRemove }, found) => {
    if (Object.keys(Logins).length === 0) throw notAuthorized(`Access to Identity '${found.identity.id}' is forbidden.`)
    const { identity } = await reach(call, found, Logins)
    const missing = LoginsToRemove.find((provider) => !Object.hasOwn(identity.logins, provider))
    if (missing !== undefined) throw invalidParameter(`The identity has no login of ${missing}.`)
    unlinkLogins(call, identity, LoginsToRemove)
    return {}
  })

const shown = ({ id, logins, createdAt, modifiedAt }: IdentityRow): IdentityDescription => ({
  IdentityId: id,
  ...(Object.keys(logins).length > 0 && { Logins: Object.keys(logins) }),
  CreationDate: new Date(createdAt),
  LastModifiedDate: new Date(modifiedAt),
})

/** With the developer provider, which the row does not name. */
const described = (row: IdentityRow, of: PoolRow): IdentityDescription => {
  const { DeveloperProviderName: developer } = of.settings
  const shownIdentity = shown(row)
  if (row.developerUsers.length === 0 || developer === undefined) return shownIdentity
  return { ...shownIdentity, Logins: [...(shownIdentity.Logins ?? []), developer] }
}

export const conditionKeys: ConditionKeyTable = {
  'cognito-identity:IdentityPoolArn': ({ call, row }) => {
    const { pool: of } = (row ?? {}) as Partial<FoundIdentity>
    return of && poolArn(call, of)
  },
}

/** Of the caller's account; the reference lists no resource type. */
const ownIdentity: Target<{ readonly IdentityId?: string | undefined }, FoundIdentity> = {
  find: async (call, { IdentityId: id = '' }) => {
    const found = await identityIn(call, id)
    return {
      acted: undefined,
      row: found?.pool.account === call.account ? found : undefined,
      missing: () => identityMissing(id),
    }
  },
}

export const describeIdentity = cognitoIdentity
  .operation('DescribeIdentity')
  .on(ownIdentity)
  .run((_call, _input, { identity, pool: of }) => described(identity, of))

export const listIdentities = cognitoIdentity
  .operation('ListIdentities')
  .on(pool.named('IdentityPoolId'))
  .run(async (call, { MaxResults, NextToken, HideDisabled = false }, { row }) => {
    const { items, next } = await page<IdentityRow>(
      call,
      (after, limit) => call.unit.range(under('cognito-identity', 'member', row.id), { after, limit }),
      {
        token: NextToken,
        size: MaxResults,
        query: [row.id, HideDisabled],
        ...(HideDisabled && { keep: ({ isDisabled }: IdentityRow) => !isDisabled }),
        bad: () => invalidParameter('Invalid NextToken.'),
      },
    )
    return {
      IdentityPoolId: row.id,
      Identities: items.map((each) => described(each, row)),
      ...(next !== undefined && { NextToken: next }),
    }
  })

/** The first one decides first: those of other pools are authorized one by one. */
const firstIdentity: Target<{ readonly IdentityIdsToDelete: readonly string[] }, Partial<FoundIdentity>> = {
  find: async (call, { IdentityIdsToDelete: [id = ''] }) => {
    const found = await identityIn(call, id)
    return { acted: undefined, row: found?.pool.account === call.account ? found : {} }
  },
}

export const deleteIdentities = cognitoIdentity
  .operation('DeleteIdentities')
  .on(firstIdentity)
  .run(async (call, { IdentityIdsToDelete }) => {
    const unprocessed: UnprocessedIdentityId[] = []
    const permitted = new Map<string, boolean>()
    for (const id of new Set(IdentityIdsToDelete)) {
      const found = await identityIn(call, id)
      const isOwn = found?.pool.account === call.account
      if (!isOwn || !(await mayDelete(call, found, permitted))) {
        unprocessed.push({ IdentityId: id, ErrorCode: 'AccessDenied' })
        continue
      }
      const row = await call.unit.get<IdentityRow>(identityKey(id))
      if (row) forgetIdentity(call.unit, row, found.pool.settings.DeveloperProviderName)
    }
    return { UnprocessedIdentityIds: unprocessed }
  })

async function mayDelete(call: Call, found: FoundIdentity, permitted: Map<string, boolean>): Promise<boolean> {
  const known = permitted.get(found.pool.id)
  if (known !== undefined) return known
  const everything = { arn: '*', type: '', account: call.account }
  const may = await call
    .authorize('cognito-identity:DeleteIdentities', everything, {
      'cognito-identity:IdentityPoolArn': poolArn(call, found.pool),
    })
    .then(
      () => true,
      (error: unknown) => {
        if (error instanceof Fault) return false
        throw error
      },
    )
  permitted.set(found.pool.id, may)
  return may
}
