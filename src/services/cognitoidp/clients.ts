/** App clients of a pool, and their secrets. */

import type { UserPoolClientType } from '@aws-sdk/client-cognito-identity-provider'
import type { Call } from '../../kernel/gate/call.ts'
import { pageOf } from '../../kernel/service/page.ts'
import { under } from '../../store/store.ts'
import { idFrom, LOWER } from './ids.ts'
import { CLIENT_TOKEN_FLOW } from './machine-token.ts'
import { customScopes } from './resource-servers.ts'
import {
  at,
  type ClientRow,
  type ClientSettings,
  clientMissing,
  cognito,
  invalidParameter,
  type PoolRow,
  poolNamed,
  requireClient,
} from './resources.ts'
import { secretPlace, secretsOf } from './secret-hash.ts'
import { validityOf } from './sessions.ts'

/** Source: https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html */
const CLIENTS_MAX = 1000
const SECRETS_MAX = 2
const ID_LENGTH = 26
const SECRET_LENGTH = 51

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS

const SETTINGS = [
  'ClientName',
  'RefreshTokenValidity',
  'AccessTokenValidity',
  'IdTokenValidity',
  'TokenValidityUnits',
  'ReadAttributes',
  'WriteAttributes',
  'ExplicitAuthFlows',
  'SupportedIdentityProviders',
  'CallbackURLs',
  'LogoutURLs',
  'DefaultRedirectURI',
  'AllowedOAuthFlows',
  'AllowedOAuthScopes',
  'AllowedOAuthFlowsUserPoolClient',
  'AnalyticsConfiguration',
  'PreventUserExistenceErrors',
  'EnableTokenRevocation',
  'EnablePropagateAdditionalUserContextData',
  'AuthSessionValidity',
  'RefreshTokenRotation',
] as const satisfies readonly (keyof ClientSettings)[]

const FLOWS_DEFAULT = ['ALLOW_REFRESH_TOKEN_AUTH', 'ALLOW_USER_SRP_AUTH', 'ALLOW_CUSTOM_AUTH'] as const
export const STANDARD_SCOPES = ['openid', 'email', 'phone', 'profile', 'aws.cognito.signin.user.admin'] as const

async function settingsOf(call: Call, pool: PoolRow, input: Partial<ClientSettings>): Promise<ClientSettings> {
  const given = Object.fromEntries(
    SETTINGS.flatMap((name) => (input[name] === undefined ? [] : [[name, input[name]]])),
  ) as ClientSettings
  const settings: ClientSettings = {
    ...given,
    RefreshTokenValidity: given.RefreshTokenValidity || 30,
    TokenValidityUnits: given.TokenValidityUnits ?? {},
    EnableTokenRevocation: given.EnableTokenRevocation ?? true,
    EnablePropagateAdditionalUserContextData: given.EnablePropagateAdditionalUserContextData ?? false,
    AllowedOAuthFlowsUserPoolClient: given.AllowedOAuthFlowsUserPoolClient ?? false,
    ExplicitAuthFlows: given.ExplicitAuthFlows ?? [...FLOWS_DEFAULT],
    AuthSessionValidity: given.AuthSessionValidity ?? 3,
    PreventUserExistenceErrors: given.PreventUserExistenceErrors ?? 'LEGACY',
  }
  checkValidity(settings)
  checkAttributeNames(pool, settings)
  checkFlows(settings)
  checkAddresses(settings)
  await checkScopes(call, pool, settings)
  return settings
}

/** Source: https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolClient.html */
function checkValidity(settings: ClientSettings): void {
  const { accessMs, idMs, refreshMs } = validityOf({ settings })
  const isWithin = (ms: number, min: number, max: number) => ms >= min && ms <= max
  if (!isWithin(accessMs, 5 * MINUTE_MS, DAY_MS))
    throw invalidParameter('Invalid range for token validity: AccessTokenValidity must be between 5 minutes and 1 day.')
  if (!isWithin(idMs, 5 * MINUTE_MS, DAY_MS))
    throw invalidParameter('Invalid range for token validity: IdTokenValidity must be between 5 minutes and 1 day.')
  if (!isWithin(refreshMs, 60 * MINUTE_MS, 3650 * DAY_MS))
    throw invalidParameter(
      'Invalid range for token validity: RefreshTokenValidity must be between 60 minutes and 10 years.',
    )
  if (refreshMs < accessMs || refreshMs < idMs)
    throw invalidParameter(
      'Invalid range for token validity: RefreshTokenValidity must not be less than that of other tokens.',
    )
}

function checkAttributeNames({ schema }: PoolRow, { ReadAttributes = [], WriteAttributes = [] }: ClientSettings): void {
  for (const name of [...ReadAttributes, ...WriteAttributes])
    if (!schema.some(({ Name }) => Name === name))
      throw invalidParameter(`Invalid attributes specified while creating a client: ${name}`)
  const unwritable = WriteAttributes.find((name) =>
    ['sub', 'email_verified', 'phone_number_verified', 'identities'].includes(name),
  )
  if (unwritable !== undefined)
    throw invalidParameter(`Invalid write attributes specified while creating a client: ${unwritable}`)
}

const isClientToken = (flow: string): boolean => flow === CLIENT_TOKEN_FLOW

function checkFlows({ ExplicitAuthFlows = [], RefreshTokenRotation: rotation, ...settings }: ClientSettings): void {
  const hasOld = ExplicitAuthFlows.some((flow) => !flow.startsWith('ALLOW_'))
  if (hasOld && ExplicitAuthFlows.some((flow) => flow.startsWith('ALLOW_')))
    throw invalidParameter('ExplicitAuthFlows can not contain values with and without the prefix ALLOW_.')
  if (ExplicitAuthFlows.some(isClientToken) && ExplicitAuthFlows.length > 1)
    throw invalidParameter('ALLOW_CLIENT_TOKEN_AUTH must be the only value of ExplicitAuthFlows.')
  if (rotation?.Feature === 'ENABLED' && ExplicitAuthFlows.includes('ALLOW_REFRESH_TOKEN_AUTH'))
    throw invalidParameter('Refresh token rotation cannot be enabled with ALLOW_REFRESH_TOKEN_AUTH.')
  const flows = settings.AllowedOAuthFlows ?? []
  if (flows.includes('client_credentials') && flows.length > 1)
    throw cognito.fail(
      'InvalidOAuthFlowException',
      'client_credentials flow can not be selected along with code flow or implicit flow.',
    )
  if (settings.AllowedOAuthFlowsUserPoolClient && flows.length === 0)
    throw cognito.fail(
      'InvalidOAuthFlowException',
      'AllowedOAuthFlows and AllowedOAuthScopes are required if user pool client is allowed to use OAuth flows.',
    )
}

const LOOPBACK = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(\/|$)/
const APP_SCHEME = /^[a-z][a-z0-9+.-]*:\/\//i

function checkAddresses({ CallbackURLs = [], LogoutURLs = [], DefaultRedirectURI }: ClientSettings): void {
  for (const url of [...CallbackURLs, ...LogoutURLs]) {
    const scheme = url.slice(0, url.indexOf(':')).toLowerCase()
    const isSafe =
      scheme === 'https' ||
      LOOPBACK.test(url) ||
      (APP_SCHEME.test(url) && !['http', 'javascript', 'data', 'file'].includes(scheme))
    if (!isSafe || url.includes('#') || /[\s<>"]/.test(url) || (scheme === 'https' && !URL.canParse(url)))
      throw invalidParameter(
        `Invalid value for the URL ${url}: HTTPS is required, but for localhost and app schemes, and no fragment.`,
      )
  }
  if (DefaultRedirectURI !== undefined && !CallbackURLs.includes(DefaultRedirectURI))
    throw invalidParameter('DefaultRedirectURI is not in CallbackURLs.')
}

async function checkScopes(call: Call, pool: PoolRow, settings: ClientSettings): Promise<void> {
  const custom = (settings.AllowedOAuthScopes ?? []).filter(
    (scope) => !(STANDARD_SCOPES as readonly string[]).includes(scope),
  )
  const known = await customScopes(call.unit, pool)
  const missing = custom.filter((scope) => !known.has(scope))
  if (missing.length > 0)
    throw cognito.fail('ScopeDoesNotExistException', `Invalid scope requested: ${missing.join(', ')}`)
  const isMachine = settings.AllowedOAuthFlows?.includes('client_credentials')
  if (isMachine && (settings.AllowedOAuthScopes ?? []).some((scope) => !custom.includes(scope)))
    throw cognito.fail('InvalidOAuthFlowException', 'client_credentials flow needs custom scopes of a resource server.')
  for (const name of settings.SupportedIdentityProviders ?? [])
    if (name !== 'COGNITO' && !(await call.unit.get(at.provider(pool.id, name))))
      throw invalidParameter(`The provider ${name} does not exist for User Pool ${pool.id}.`)
}

export function describedClient(call: Pick<Call, 'vault'>, row: ClientRow): UserPoolClientType {
  const [secret] = row.secrets.length > 0 ? secretsOf(call.vault, row).slice(-1) : []
  return {
    UserPoolId: row.pool,
    ClientId: row.id,
    ...(secret !== undefined && { ClientSecret: secret }),
    CreationDate: new Date(row.createdAt),
    LastModifiedDate: new Date(row.modifiedAt),
    ...row.settings,
  }
}

function withSecret(call: Call, row: ClientRow, secret: string): ClientRow {
  const id = `${row.id}--${call.now}`
  const unique = row.secrets.some((each) => each.id === id) ? `${id}-${idFrom(LOWER, 4)}` : id
  const sealed = call.vault.seal(secretPlace(row, unique), Buffer.from(secret))
  return { ...row, secrets: [...row.secrets, { id: unique, sealed, createdAt: call.now }] }
}

export const createUserPoolClient = cognito
  .operation('CreateUserPoolClient')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    const clients = await call.unit.range(under('cognito-idp', 'client', pool.id), { limit: CLIENTS_MAX })
    if (clients.length >= (call.quotas['cognito-idp/ClientsPerPool'] ?? CLIENTS_MAX))
      throw cognito.fail('LimitExceededException', 'The user pool has as many app clients as it may.')
    const settings = await settingsOf(call, pool, input)
    const isMachine = settings.AllowedOAuthFlows?.includes('client_credentials')
    if (isMachine && !input.GenerateSecret && input.ClientSecret === undefined)
      throw cognito.fail(
        'InvalidOAuthFlowException',
        'client_credentials flow can not be selected if client does not have a client secret.',
      )
    const bare: ClientRow = {
      id: call.newId(() => idFrom(LOWER, ID_LENGTH)),
      pool: pool.id,
      account: pool.account,
      createdAt: call.now,
      modifiedAt: call.now,
      settings,
      secrets: [],
    }
    const secret = input.ClientSecret ?? (input.GenerateSecret ? idFrom(LOWER, SECRET_LENGTH) : undefined)
    const row = secret === undefined ? bare : withSecret(call, bare, secret)
    call.unit.put(at.client(pool.id, row.id), row)
    call.unit.put(at.clientPool(row.id), { pool: pool.id })
    return { UserPoolClient: describedClient(call, row) }
  })

export const describeUserPoolClient = cognito
  .operation('DescribeUserPoolClient')
  .on(poolNamed)
  .run(async (call, input, { row }) => ({
    UserPoolClient: describedClient(call, await requireClient(call.unit, row, input.ClientId)),
  }))

export const updateUserPoolClient = cognito
  .operation('UpdateUserPoolClient')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    const row = await requireClient(call.unit, pool, input.ClientId)
    const settings = await settingsOf(call, pool, { ...input, ClientName: input.ClientName ?? row.settings.ClientName })
    if (settings.AllowedOAuthFlows?.includes('client_credentials') && row.secrets.length === 0)
      throw cognito.fail(
        'InvalidOAuthFlowException',
        'client_credentials flow can not be selected if client does not have a client secret.',
      )
    const updated: ClientRow = { ...row, settings, modifiedAt: call.now }
    call.unit.put(at.client(pool.id, row.id), updated)
    return { UserPoolClient: describedClient(call, updated) }
  })

export const deleteUserPoolClient = cognito
  .operation('DeleteUserPoolClient')
  .on(poolNamed)
  .run(async (call, input, { row }) => {
    const client = await requireClient(call.unit, row, input.ClientId)
    call.unit.delete(at.client(row.id, client.id))
    call.unit.delete(at.clientPool(client.id))
    return {}
  })

export const listUserPoolClients = cognito
  .operation('ListUserPoolClients')
  .on(poolNamed)
  .run(async (call, input, { row }) => {
    const rows = await call.unit.range<ClientRow>(under('cognito-idp', 'client', row.id))
    const { items, next } = await pageOf(
      call,
      rows.map(({ document }) => document),
      ({ id }) => id,
      {
        token: input.NextToken,
        size: input.MaxResults ?? 60,
        query: row.id,
        bad: () => invalidParameter('Invalid pagination token'),
      },
    )
    return {
      UserPoolClients: items.map(({ id, settings }) => ({
        ClientId: id,
        UserPoolId: row.id,
        ClientName: settings.ClientName,
      })),
      ...(next !== undefined && { NextToken: next }),
    }
  })

export const addUserPoolClientSecret = cognito
  .operation('AddUserPoolClientSecret')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    const row = await requireClient(call.unit, pool, input.ClientId)
    if (row.secrets.length === 0) throw invalidParameter('The app client has no secret: create one with a secret.')
    if (row.secrets.length >= SECRETS_MAX)
      throw cognito.fail('LimitExceededException', `An app client can have at most ${SECRETS_MAX} secrets.`)
    const secret = input.ClientSecret ?? idFrom(LOWER, SECRET_LENGTH)
    const updated = withSecret(call, { ...row, modifiedAt: call.now }, secret)
    call.unit.put(at.client(pool.id, row.id), updated)
    const added = updated.secrets.at(-1)!
    return {
      ClientSecretDescriptor: {
        ClientSecretId: added.id,
        ...(input.ClientSecret === undefined && { ClientSecretValue: secret }),
        ClientSecretCreateDate: new Date(added.createdAt),
      },
    }
  })

export const listUserPoolClientSecrets = cognito
  .operation('ListUserPoolClientSecrets')
  .on(poolNamed)
  .run(async (call, input, { row }) => {
    const client = await requireClient(call.unit, row, input.ClientId)
    return {
      ClientSecrets: client.secrets.map(({ id, createdAt }) => ({
        ClientSecretId: id,
        ClientSecretCreateDate: new Date(createdAt),
      })),
    }
  })

export const deleteUserPoolClientSecret = cognito
  .operation('DeleteUserPoolClientSecret')
  .on(poolNamed)
  .run(async (call, input, { row }) => {
    const client = await requireClient(call.unit, row, input.ClientId)
    const secrets = client.secrets.filter(({ id }) => id !== input.ClientSecretId)
    if (secrets.length === client.secrets.length) throw clientMissing(input.ClientSecretId)
    if (secrets.length === 0) throw invalidParameter('The last secret of an app client cannot be deleted.')
    call.unit.put(at.client(row.id, client.id), { ...client, secrets, modifiedAt: call.now })
    return {}
  })
