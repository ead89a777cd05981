/** The settings of a pool: AWS's defaults, what cannot go together, and how a pool is shown. */
import type { UserPoolType } from '@aws-sdk/client-cognito-identity-provider'
import { invalidParameter, type PoolRow, type PoolSettings, poolArn } from './resources.ts'

const SETTINGS = [
  'Policies',
  'DeletionProtection',
  'LambdaConfig',
  'AutoVerifiedAttributes',
  'AliasAttributes',
  'UsernameAttributes',
  'SmsVerificationMessage',
  'EmailVerificationMessage',
  'EmailVerificationSubject',
  'VerificationMessageTemplate',
  'SmsAuthenticationMessage',
  'UserAttributeUpdateSettings',
  'MfaConfiguration',
  'DeviceConfiguration',
  'EmailConfiguration',
  'SmsConfiguration',
  'AdminCreateUserConfig',
  'UserPoolAddOns',
  'UsernameConfiguration',
  'AccountRecoverySetting',
  'UserPoolTier',
] as const satisfies readonly (keyof PoolSettings)[]

/** Set when the pool is created, for its whole life. */
const IMMUTABLE = ['AliasAttributes', 'UsernameAttributes', 'UsernameConfiguration'] as const

const TEMPORARY_DAYS_DEFAULT = 7

export type RequestedSettings = Partial<Omit<PoolSettings, (typeof IMMUTABLE)[number]>> & Partial<PoolSettings>

/** The settings that a request makes: what it leaves out has AWS's default. */
export function settingsOf(input: RequestedSettings): PoolSettings {
  const given = Object.fromEntries(
    SETTINGS.flatMap((name) => (input[name] === undefined ? [] : [[name, input[name]]])),
  ) as PoolSettings
  const template = given.VerificationMessageTemplate
  const settings: PoolSettings = {
    ...given,
    Policies: {
      PasswordPolicy: input.Policies?.PasswordPolicy
        ? passwordPolicyOf(input.Policies.PasswordPolicy)
        : {
            MinimumLength: 8,
            RequireUppercase: true,
            RequireLowercase: true,
            RequireNumbers: true,
            RequireSymbols: true,
            TemporaryPasswordValidityDays: TEMPORARY_DAYS_DEFAULT,
          },
      SignInPolicy: input.Policies?.SignInPolicy ?? { AllowedFirstAuthFactors: ['PASSWORD'] },
    },
    DeletionProtection: given.DeletionProtection ?? 'INACTIVE',
    LambdaConfig: given.LambdaConfig ?? {},
    VerificationMessageTemplate: { DefaultEmailOption: 'CONFIRM_WITH_CODE', ...template },
    MfaConfiguration: given.MfaConfiguration ?? 'OFF',
    EmailConfiguration: { EmailSendingAccount: 'COGNITO_DEFAULT', ...given.EmailConfiguration },
    AdminCreateUserConfig: {
      AllowAdminCreateUserOnly: false,
      UnusedAccountValidityDays:
        input.Policies?.PasswordPolicy?.TemporaryPasswordValidityDays ?? TEMPORARY_DAYS_DEFAULT,
      ...given.AdminCreateUserConfig,
    },
    AccountRecoverySetting: given.AccountRecoverySetting ?? {
      RecoveryMechanisms: [
        { Priority: 1, Name: 'verified_email' },
        { Priority: 2, Name: 'verified_phone_number' },
      ],
    },
    UserPoolTier: given.UserPoolTier ?? 'ESSENTIALS',
    // The older members and the template are two names of one text.
    ...mirrored('EmailVerificationMessage', given.EmailVerificationMessage ?? template?.EmailMessage),
    ...mirrored('EmailVerificationSubject', given.EmailVerificationSubject ?? template?.EmailSubject),
    ...mirrored('SmsVerificationMessage', given.SmsVerificationMessage ?? template?.SmsMessage),
  }
  check(settings)
  return settings
}

const mirrored = (name: keyof PoolSettings, value: string | undefined) => (value === undefined ? {} : { [name]: value })

function passwordPolicyOf(given: NonNullable<NonNullable<PoolSettings['Policies']>['PasswordPolicy']>) {
  return {
    MinimumLength: given.MinimumLength ?? 6,
    RequireUppercase: given.RequireUppercase ?? false,
    RequireLowercase: given.RequireLowercase ?? false,
    RequireNumbers: given.RequireNumbers ?? false,
    RequireSymbols: given.RequireSymbols ?? false,
    TemporaryPasswordValidityDays: given.TemporaryPasswordValidityDays ?? TEMPORARY_DAYS_DEFAULT,
    ...(given.PasswordHistorySize !== undefined && { PasswordHistorySize: given.PasswordHistorySize }),
  }
}

function check(settings: PoolSettings): void {
  const { AliasAttributes = [], UsernameAttributes = [], AccountRecoverySetting } = settings
  if (AliasAttributes.length > 0 && UsernameAttributes.length > 0)
    throw invalidParameter('Only one of the aliasAttributes or usernameAttributes can be set in a user pool.')
  const mechanisms = AccountRecoverySetting?.RecoveryMechanisms ?? []
  const hasAdminOnly = mechanisms.some(({ Name }) => Name === 'admin_only')
  if (hasAdminOnly && mechanisms.length > 1)
    throw invalidParameter(
      'Invalid account recovery setting: admin_only cannot be used together with other mechanisms.',
    )
  const lambda = settings.LambdaConfig
  const version = lambda?.PreTokenGenerationConfig
  if (version && lambda?.PreTokenGeneration !== undefined && version.LambdaArn !== lambda.PreTokenGeneration)
    throw invalidParameter('PreTokenGeneration and PreTokenGenerationConfig must name the same function.')
  if ((lambda?.CustomEmailSender || lambda?.CustomSMSSender) && lambda.KMSKeyID === undefined)
    throw invalidParameter('KMSKeyID is required when CustomEmailSender or CustomSMSSender is set.')
}

/** The settings after an update: what cannot change stays, and so does MFA, which has an operation of its own. */
export function updatedSettings(before: PoolSettings, input: RequestedSettings): PoolSettings {
  const kept = Object.fromEntries(IMMUTABLE.flatMap((name) => (before[name] ? [[name, before[name]]] : [])))
  const settings = settingsOf({
    ...input,
    ...kept,
    MfaConfiguration: input.MfaConfiguration ?? before.MfaConfiguration,
  })
  if (
    input.SmsConfiguration === undefined &&
    before.SmsConfiguration !== undefined &&
    settings.MfaConfiguration !== 'OFF'
  )
    return { ...settings, SmsConfiguration: before.SmsConfiguration }
  return settings
}

export function describedPool(row: PoolRow, users: number): UserPoolType {
  const { settings } = row
  const lambda = settings.LambdaConfig
  return {
    Id: row.id,
    Name: row.name,
    Arn: poolArn(row),
    CreationDate: new Date(row.createdAt),
    LastModifiedDate: new Date(row.modifiedAt),
    ...settings,
    // Either member names the function; both are shown, as in AWS.
    LambdaConfig: lambda?.PreTokenGenerationConfig
      ? { ...lambda, PreTokenGeneration: lambda.PreTokenGenerationConfig.LambdaArn }
      : lambda?.PreTokenGeneration
        ? { ...lambda, PreTokenGenerationConfig: { LambdaVersion: 'V1_0', LambdaArn: lambda.PreTokenGeneration } }
        : lambda,
    SchemaAttributes: [...row.schema],
    EstimatedNumberOfUsers: users,
    UserPoolTags: { ...row.tags },
    ...(row.domain !== undefined && { Domain: row.domain }),
    ...(row.customDomain !== undefined && { CustomDomain: row.customDomain }),
  }
}
