/** User pools: created, shown, changed, listed and deleted; their MFA configuration and attributes. */
import { createPublicKey, randomBytes } from 'node:crypto'
import type { Call } from '../../kernel/gate/call.ts'
import { scheduleJob } from '../../kernel/jobs/jobs.ts'
import { authorizeRetagging } from '../../kernel/resource/retagging.ts'
import type { ServiceJob } from '../../kernel/service/service.ts'
import { under } from '../../store/store.ts'
import type { MaterialContext } from '../../vault/material/materials.ts'
import { grantSenderKey } from './custom-sender.ts'
import { idFrom } from './ids.ts'
import { describedPool, type RequestedSettings, settingsOf, updatedSettings } from './pool-settings.ts'
import {
  at,
  cognito,
  invalidParameter,
  type PoolKey,
  type PoolRow,
  poolAt,
  poolNamed,
  SERVICE_PRINCIPAL,
  userPool,
} from './resources.ts'
import { schemaOf, withCustom } from './schema.ts'
import { mergedPoolTags } from './tags.ts'
import { countUsers } from './user-rows.ts'

/** Source: https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html */
const POOLS_MAX = 1000

const DELETE_BATCH = 500
/** Kinds of rows that belong to a pool, in the order of `at`. */
const PARTS = [
  'client',
  'group',
  'member',
  'user',
  'user-name',
  'alias',
  'user-by',
  'user-count',
  'session',
  'spent',
  'device',
  'resource-server',
  'provider',
  'branding',
  'branding-of',
  'ui',
  'risk',
  'terms',
  'import',
  'import-part',
  'auth-event',
  'log-queue',
  'log-queue-state',
  'saml-key',
  'saml-assertion',
] as const

const KEY_SPEC = 'RSA_2048'

async function newKey(call: Call, pool: string, column: string): Promise<PoolKey> {
  const home: MaterialContext = { table: 'cognito-idp/pool', key: pool, column, account: call.account, name: pool }
  const made = await call.vault.materials.generate(home, KEY_SPEC)
  const kid = Buffer.from(made.id.slice(0, 64), 'hex').toString('base64')
  const jwk = createPublicKey({ key: made.publicKey!, format: 'der', type: 'spki' }).export({ format: 'jwk' })
  return {
    kid,
    held: { home, spec: KEY_SPEC, id: made.id, sealed: made.sealed },
    jwk: { alg: 'RS256', e: jwk.e, kid, kty: jwk.kty, n: jwk.n, use: 'sig' },
  }
}

/** The roles with which a pool sends text messages: the caller who sets them must be allowed to pass them. */
async function authorizeRoles(call: Call, input: RequestedSettings): Promise<void> {
  const role = input.SmsConfiguration?.SnsCallerArn
  if (role) await call.authorize('iam:PassRole', role, { 'iam:PassedToService': SERVICE_PRINCIPAL })
}

const newPoolId = (_input: unknown, call: Pick<Call, 'region' | 'newId'>) => ({
  UserPoolId: call.newId(
    () => `${call.region}_${idFrom('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789', 9)}`,
  ),
})

export const createUserPool = cognito
  .operation('CreateUserPool')
  .on(userPool.created(newPoolId, { generated: true, authorizedOn: '*' }))
  .run(async (call, input, { id, tags, create }) => {
    await authorizeRoles(call, input)
    const settings = settingsOf(input)
    const { UserPoolId } = id
    const pools = await userPool.list(call.unit, call, { limit: POOLS_MAX })
    if (pools.length >= (call.quotas['cognito-idp/UserPools'] ?? POOLS_MAX))
      throw cognito.fail('LimitExceededException', 'The account has as many user pools as it may.')
    const keys = await call.once(() =>
      Promise.all([newKey(call, UserPoolId, 'id'), newKey(call, UserPoolId, 'access')]),
    )
    const row: PoolRow = {
      id: UserPoolId,
      account: call.account,
      region: call.region,
      partition: call.partition,
      name: input.PoolName,
      createdAt: call.now,
      modifiedAt: call.now,
      settings,
      schema: schemaOf(input.Schema),
      keys,
      isTotpEnabled: false,
      isSmsMfaEnabled: settings.MfaConfiguration !== 'OFF' && settings.SmsConfiguration !== undefined,
      tags,
    }
    await grantSenderKey(call, row, undefined, settings)
    create(row)
    call.unit.put(at.pool(UserPoolId), poolAt(row))
    return { UserPool: describedPool(row, 0) }
  })

export const describeUserPool = cognito
  .operation('DescribeUserPool')
  .on(poolNamed)
  .run(async (call, _input, { row }) => ({ UserPool: describedPool(row, await countUsers(call.unit, row.id)) }))

export const updateUserPool = cognito
  .operation('UpdateUserPool')
  .on(poolNamed)
  .run(async (call, input, { row, facts, save }) => {
    await authorizeRoles(call, input)
    const tags = input.UserPoolTags ? mergedPoolTags(undefined, input.UserPoolTags) : (row.tags ?? {})
    await authorizeRetagging(call, facts, TAGGING, row.tags, tags)
    const settings = updatedSettings(row.settings, input)
    await grantSenderKey(call, row, row.settings, settings)
    save({
      ...row,
      ...(input.PoolName !== undefined && { name: input.PoolName }),
      settings,
      tags,
      modifiedAt: call.now,
    })
    return {}
  })

const TAGGING = { tag: 'cognito-idp:TagResource', untag: 'cognito-idp:UntagResource' }

export const addCustomAttributes = cognito
  .operation('AddCustomAttributes')
  .on(poolNamed)
  .run((call, input, { row, save }) => {
    save({ ...row, schema: withCustom(row.schema, input.CustomAttributes), modifiedAt: call.now })
    return {}
  })

export const listUserPools = cognito
  .operation('ListUserPools')
  .on(userPool.collection())
  .run(async (call, input, pools) => {
    const { items, next } = await pools.page({
      token: input.NextToken,
      size: input.MaxResults,
      bad: () => invalidParameter('Invalid pagination token'),
    })
    const UserPools = items.map((row) => ({
      Id: row.id,
      Name: row.name,
      LambdaConfig: row.settings.LambdaConfig,
      CreationDate: new Date(row.createdAt),
      LastModifiedDate: new Date(row.modifiedAt),
    }))
    void call
    return { UserPools, ...(next !== undefined && { NextToken: next }) }
  })

export const deleteUserPool = cognito
  .operation('DeleteUserPool')
  .on(poolNamed)
  .run((call, _input, { row, remove }) => {
    if (row.settings.DeletionProtection === 'ACTIVE')
      throw invalidParameter(
        'The user pool cannot be deleted because deletion protection is activated. Deletion protection must be inactivated first.',
      )
    if (row.domain !== undefined || row.customDomain !== undefined)
      throw invalidParameter('User pool cannot be deleted. It has a domain configured that should be deleted first.')
    remove()
    call.unit.delete(at.pool(row.id))
    scheduleJob(call.unit, {
      id: `cognito-idp.delete-pool/${row.id}`,
      kind: 'cognito-idp.delete-pool',
      dueAt: call.now,
      payload: { pool: row.id },
    })
    return {}
  })

/** Removes what belonged to a deleted pool, in turns. Its ID is never used again, so nothing can reach these rows. */
export const deletePoolJob: ServiceJob<{ readonly pool: string }> = {
  run: async (unit, { now }, { pool }) => {
    for (const part of PARTS) {
      const rows = await unit.range(under('cognito-idp', part, pool), { limit: DELETE_BATCH })
      if (rows.length === 0) continue
      for (const { key, document } of rows) {
        unit.delete(key)
        if (part === 'client') unit.delete(at.clientPool((document as { readonly id: string }).id))
      }
      scheduleJob(unit, {
        id: `cognito-idp.delete-pool/${pool}/${randomBytes(8).toString('hex')}`,
        kind: 'cognito-idp.delete-pool',
        dueAt: now,
        payload: { pool },
      })
      return
    }
  },
}

const mfaConfigOf = (row: PoolRow) => {
  const { settings, webAuthn, emailMfa } = row
  return {
    MfaConfiguration: settings.MfaConfiguration,
    ...(row.isSmsMfaEnabled && {
      SmsMfaConfiguration: {
        ...(settings.SmsAuthenticationMessage && { SmsAuthenticationMessage: settings.SmsAuthenticationMessage }),
        SmsConfiguration: settings.SmsConfiguration,
      },
    }),
    ...(row.isTotpEnabled && { SoftwareTokenMfaConfiguration: { Enabled: true } }),
    ...(emailMfa && { EmailMfaConfiguration: { Message: emailMfa.message, Subject: emailMfa.subject } }),
    ...(webAuthn && { WebAuthnConfiguration: webAuthn }),
  }
}

export const getUserPoolMfaConfig = cognito
  .operation('GetUserPoolMfaConfig')
  .on(poolNamed)
  .run((_call, _input, { row }) => mfaConfigOf(row))

export const setUserPoolMfaConfig = cognito
  .operation('SetUserPoolMfaConfig')
  .on(poolNamed)
  .run(async (call, input, { row, save }) => {
    const sms = input.SmsMfaConfiguration
    await authorizeRoles(call, { SmsConfiguration: sms?.SmsConfiguration })
    const isTotpEnabled = input.SoftwareTokenMfaConfiguration?.Enabled ?? false
    const emailMfa = input.EmailMfaConfiguration && {
      message: input.EmailMfaConfiguration.Message,
      subject: input.EmailMfaConfiguration.Subject,
    }
    const mode = input.MfaConfiguration ?? row.settings.MfaConfiguration ?? 'OFF'
    if (mode !== 'OFF' && !sms && !isTotpEnabled && !emailMfa)
      throw invalidParameter("Invalid MFA configuration given, can't turn on MFA and disable all MFA methods.")
    const updated: PoolRow = {
      ...row,
      isTotpEnabled,
      isSmsMfaEnabled: sms !== undefined,
      emailMfa,
      ...(input.WebAuthnConfiguration && {
        webAuthn: { UserVerification: 'preferred', ...input.WebAuthnConfiguration },
      }),
      settings: {
        ...row.settings,
        MfaConfiguration: mode,
        ...(sms?.SmsConfiguration && { SmsConfiguration: sms.SmsConfiguration }),
        ...(sms?.SmsAuthenticationMessage && { SmsAuthenticationMessage: sms.SmsAuthenticationMessage }),
      },
      modifiedAt: call.now,
    }
    save(updated)
    return mfaConfigOf(updated)
  })
