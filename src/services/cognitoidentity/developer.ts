/** Developer-authenticated identities: users that the developer's own backend signs in. */
import type { Call } from '../../kernel/gate/call.ts'
import { pageOf } from '../../kernel/service/page.ts'
import {
  developerLogin,
  identityOf as identityOfLogin,
  LOGINS_MAX,
  loginsOf,
  newIdentity,
  saveIdentity,
  withAccess,
} from './identity-rows.ts'
import { presentedLogins } from './logins.ts'
import {
  cognitoIdentity,
  conflict,
  type IdentityRow,
  identityKey,
  identityMissing,
  invalidParameter,
  loginKey,
  memberKey,
  notFound,
  type PoolRow,
  pool,
} from './resources.ts'
import { issueToken } from './tokens.ts'

const SECONDS_DEFAULT = 900
const PAGE_DEFAULT = 60

function providerOf({ settings }: PoolRow, named?: string): string {
  const { DeveloperProviderName: provider } = settings
  if (provider === undefined) throw invalidParameter('The identity pool has no developer provider.')
  if (named !== undefined && named !== provider)
    throw invalidParameter(`'${named}' is not the developer provider of the identity pool.`)
  return provider
}

const identityOfUser = (call: Call, poolId: string, provider: string, user: string) =>
  identityOfLogin(call.unit, poolId, developerLogin(provider, user))

async function memberOf(call: Call, row: PoolRow, id: string): Promise<IdentityRow> {
  const found = await call.unit.get<IdentityRow>(identityKey(id))
  if (found?.poolId !== row.id) throw identityMissing(id)
  return found
}

function register(call: Call, identity: IdentityRow, provider: string, user: string): IdentityRow {
  if (identity.developerUsers.includes(user)) return identity
  if (Object.keys(identity.logins).length + identity.developerUsers.length >= LOGINS_MAX)
    throw conflict(`An identity can have at most ${LOGINS_MAX} logins.`)
  const { subjectHash } = developerLogin(provider, user)
  call.unit.put(loginKey(identity.poolId, provider, subjectHash), { identity: identity.id })
  const { isDisabled: _, ...rest } = identity
  return saveIdentity(call.unit, {
    ...rest,
    developerUsers: [...identity.developerUsers, user],
    modifiedAt: call.now,
  })
}

export const getOpenIdTokenForDeveloperIdentity = cognitoIdentity
  .operation('GetOpenIdTokenForDeveloperIdentity')
  .on(pool.named('IdentityPoolId'))
  .run(async (call, input, { row }) => {
    const provider = providerOf(row)
    const { [provider]: user, ...others } = input.Logins
    if (user === undefined) throw invalidParameter(`Logins must have a user of the developer provider ${provider}.`)
    const { logins } = await presentedLogins(call, row, others)
    const linked = await identityOfUser(call, row.id, provider, user)
    if (input.IdentityId !== undefined && linked !== undefined && linked.id !== input.IdentityId)
      throw cognitoIdentity.fail(
        'DeveloperUserAlreadyRegisteredException',
        'The developer user is registered with another identity.',
      )
    const byLogin = (await Promise.all(logins.map((login) => identityOfLogin(call.unit, row.id, login)))).find(Boolean)
    const base =
      input.IdentityId === undefined
        ? (linked ?? byLogin ?? newIdentity(call, row))
        : await memberOf(call, row, input.IdentityId)
    for (const login of logins) {
      const owner = await identityOfLogin(call.unit, row.id, login)
      const other = base.logins[login.provider]
      if ((owner && owner.id !== base.id) || (other !== undefined && other !== login.subjectHash))
        throw conflict('A login is linked to another identity.')
    }
    let identity = register(call, base, provider, user)
    for (const { provider: name, subjectHash } of logins) {
      call.unit.put(loginKey(row.id, name, subjectHash), { identity: identity.id })
      identity = saveIdentity(call.unit, { ...identity, logins: { ...identity.logins, [name]: subjectHash } })
    }
    const Token = await issueToken(call, {
      account: row.account,
      poolId: row.id,
      identityId: identity.id,
      amr: ['authenticated', provider, `${provider}:${row.id}:${user}`],
      seconds: input.TokenDuration ?? SECONDS_DEFAULT,
      principalTags: input.PrincipalTags ?? {},
    })
    return { IdentityId: identity.id, Token }
  })

export const lookupDeveloperIdentity = cognitoIdentity
  .operation('LookupDeveloperIdentity')
  .on(pool.named('IdentityPoolId'))
  .run(async (call, input, { row }) => {
    const provider = providerOf(row)
    const { IdentityId: id, DeveloperUserIdentifier: user } = input
    if (id === undefined && user === undefined)
      throw invalidParameter('Either IdentityId or DeveloperUserIdentifier is required.')
    const ofUser = user === undefined ? undefined : await identityOfUser(call, row.id, provider, user)
    if (user !== undefined && ofUser === undefined) throw notFound('The developer user is not registered.')
    if (id !== undefined && ofUser !== undefined && ofUser.id !== id)
      throw conflict('The developer user is registered with another identity.')
    const identity = ofUser ?? (await memberOf(call, row, id!))
    const { items, next } = await pageOf(call, identity.developerUsers, (each) => each, {
      token: input.NextToken,
      size: input.MaxResults ?? PAGE_DEFAULT,
      query: [row.id, identity.id],
      bad: () => invalidParameter('Invalid NextToken.'),
    })
    return {
      IdentityId: identity.id,
      DeveloperUserIdentifierList: [...items],
      ...(next !== undefined && { NextToken: next }),
    }
  })

export const mergeDeveloperIdentities = cognitoIdentity
  .operation('MergeDeveloperIdentities')
  .on(pool.named('IdentityPoolId'))
  .run(async (call, input, { row }) => {
    const provider = providerOf(row, input.DeveloperProviderName)
    const source = await identityOfUser(call, row.id, provider, input.SourceUserIdentifier)
    const destination = await identityOfUser(call, row.id, provider, input.DestinationUserIdentifier)
    if (!source || !destination) throw notFound('The developer user is not registered.')
    if (source.id === destination.id) return { IdentityId: destination.id }
    const both = Object.keys(source.logins).find((name) => Object.hasOwn(destination.logins, name))
    if (both !== undefined) throw conflict(`Both identities have a login of ${both}.`)
    const developerUsers = [...destination.developerUsers, ...source.developerUsers]
    const logins = { ...destination.logins, ...source.logins }
    if (developerUsers.length + Object.keys(logins).length > LOGINS_MAX)
      throw conflict(`An identity can have at most ${LOGINS_MAX} logins.`)
    for (const login of loginsOf(source))
      call.unit.put(loginKey(row.id, login.provider, login.subjectHash), { identity: destination.id })
    for (const user of source.developerUsers)
      call.unit.put(loginKey(row.id, provider, developerLogin(provider, user).subjectHash), {
        identity: destination.id,
      })
    call.unit.delete(identityKey(source.id))
    call.unit.delete(memberKey(row.id, source.id))
    saveIdentity(call.unit, { ...destination, logins, developerUsers, modifiedAt: call.now })
    return { IdentityId: destination.id }
  })

export const unlinkDeveloperIdentity = cognitoIdentity
  .operation('UnlinkDeveloperIdentity')
  .on(pool.named('IdentityPoolId'))
  .run(async (call, input, { row }) => {
    const provider = providerOf(row, input.DeveloperProviderName)
    const identity = await memberOf(call, row, input.IdentityId)
    const { DeveloperUserIdentifier: user } = input
    if (!identity.developerUsers.includes(user)) throw notFound('The developer user is not registered.')
    call.unit.delete(loginKey(row.id, provider, developerLogin(provider, user).subjectHash))
    const developerUsers = identity.developerUsers.filter((each) => each !== user)
    saveIdentity(call.unit, withAccess({ ...identity, developerUsers, modifiedAt: call.now }))
    return {}
  })
