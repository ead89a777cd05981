/** Applications: created, shown, changed, listed and deleted; and how they may get tokens. */
import type * as Api from '@aws-sdk/client-sso-admin'
import type { Call } from '../../kernel/gate/call.ts'
import { newIdentityCenterIds } from '../../kernel/identity-center.ts'
import { mergedTags, requestedTags } from '../../kernel/resource/tag-rules.ts'
import type { Target } from '../../kernel/resource/target.ts'
import { PolicyError, parsePolicy } from '../../policy/index.ts'
import { removeAssignments } from './application-assignments.ts'
import { onceByToken } from './idempotency.ts'
import { instanceArn } from './instances.ts'
import { rowsOf } from './lists.ts'
import { rowsBelow } from './pages.ts'
import {
  type ApplicationRow,
  application,
  applicationArn,
  type InstanceRow,
  invalid,
  notFound,
  SCOPE,
  sso,
  storeArn,
  tagRules,
} from './resources.ts'
import { belowInstance } from './rows.ts'
import { newCertificate } from './saml-certificates.ts'
import { inInstance, onApplication, theInstance } from './target.ts'

const PROVIDER = 'arn:aws:sso::aws:applicationProvider/'
const SAML_PROVIDER = `${PROVIDER}custom-saml`

/** What applications are made of. */
const PROVIDERS: readonly Api.ApplicationProvider[] = [
  {
    ApplicationProviderArn: `${PROVIDER}custom`,
    FederationProtocol: 'OAUTH',
    DisplayData: { DisplayName: 'Custom application', Description: 'An OAuth 2.0 application of your own.' },
  },
  {
    ApplicationProviderArn: SAML_PROVIDER,
    FederationProtocol: 'SAML',
    DisplayData: { DisplayName: 'Custom SAML application', Description: 'A SAML 2.0 application of your own.' },
  },
]

const onProvider: Target<{ readonly ApplicationProviderArn: string }, Api.ApplicationProvider> = {
  find: (call, { ApplicationProviderArn: arn }) => ({
    acted: { arn, type: 'AWS::SSO::ApplicationProvider', account: call.account },
    row: PROVIDERS.find(({ ApplicationProviderArn }) => ApplicationProviderArn === arn),
    missing: () => notFound(`Could not find ${arn}.`),
  }),
}

export const describeApplicationProvider = sso
  .operation('DescribeApplicationProvider')
  .on(onProvider)
  .run((_call, _input, row) => row)

export const listApplicationProviders = sso
  .operation('ListApplicationProviders')
  .on({
    find: (call) => ({
      acted: { arn: `${PROVIDER}*`, type: 'AWS::SSO::ApplicationProvider', account: call.account },
      row: true,
    }),
  })
  .run(async (call, input) => {
    const { items, rest } = await rowsOf(
      call,
      PROVIDERS,
      ({ ApplicationProviderArn }) => ApplicationProviderArn!,
      input,
    )
    return { ApplicationProviders: [...items], ...rest }
  })

interface PortalOptions {
  readonly SignInOptions?:
    | { readonly Origin: 'IDENTITY_CENTER' | 'APPLICATION'; readonly ApplicationUrl?: string | undefined }
    | undefined
  readonly Visibility?: 'ENABLED' | 'DISABLED' | undefined
}

function portalOf(before: ApplicationRow['portal'], options: PortalOptions | undefined): ApplicationRow['portal'] {
  const { SignInOptions, Visibility } = options ?? {}
  const { Origin: origin, ApplicationUrl: url } = SignInOptions ?? {}
  if (origin === 'APPLICATION' && url === undefined)
    throw invalid('An application that signs in by itself needs an ApplicationUrl.')
  return {
    isVisible: Visibility === undefined ? before.isVisible : Visibility === 'ENABLED',
    origin: origin ?? before.origin,
    ...(origin === undefined ? before.url !== undefined && { url: before.url } : url !== undefined && { url }),
  }
}

export const createApplication = sso
  .operation('CreateApplication')
  .on(
    inInstance((found, input: { readonly InstanceArn: string; readonly ApplicationProviderArn: string }) => {
      const pattern = {
        arn: `arn:aws:sso::${found.account}:application/${found.id}/*`,
        type: application.spec.type,
      }
      const provider = { arn: input.ApplicationProviderArn, type: 'AWS::SSO::ApplicationProvider' }
      const isKnown = PROVIDERS.some(({ ApplicationProviderArn }) => ApplicationProviderArn === provider.arn)
      return {
        on: [provider, pattern],
        row: isKnown ? true : undefined,
        missing: `Could not find ${provider.arn}.`,
        creates: pattern,
        applicationAccount: found.account,
      }
    }),
  )
  .run(async (call, input, { instance }) => {
    const ApplicationArn = await onceByToken(call, input.ClientToken, input, async () => {
      const id = newIdentityCenterIds.application()
      const isSaml = input.ApplicationProviderArn === SAML_PROVIDER
      const row: ApplicationRow = {
        id,
        instanceId: instance.id,
        account: instance.account,
        providerArn: input.ApplicationProviderArn,
        name: input.Name,
        ...(input.Description !== undefined && { description: input.Description }),
        isEnabled: input.Status !== 'DISABLED',
        portal: portalOf({ isVisible: true, origin: 'IDENTITY_CENTER' }, input.PortalOptions),
        isAssignmentRequired: true,
        scopes: {},
        grants: {},
        ...(isSaml && { saml: await call.once(() => firstCertificate(call, instance, id)) }),
        createdAt: call.now,
        tags: mergedTags(tagRules, undefined, requestedTags(tagRules, input)),
      }
      application.put(call.unit, SCOPE, row)
      return applicationArn(row)
    })
    call.event.resources = [{ arn: ApplicationArn, type: application.spec.type, account: call.account }]
    return { ApplicationArn, InstanceArn: instanceArn(instance), IdentityStoreArn: storeArn(instance) }
  })

const firstCertificate = async (call: Call, { account }: InstanceRow, id: string) => ({
  certificates: [{ ...(await newCertificate(call.vault, { id, account }, call.now)), isActive: true }],
})

const shown = (instance: InstanceRow, row: ApplicationRow) => ({
  ApplicationArn: applicationArn(row),
  ApplicationProviderArn: row.providerArn,
  Name: row.name,
  ApplicationAccount: row.account,
  InstanceArn: instanceArn(instance),
  IdentityStoreArn: storeArn(instance),
  Status: row.isEnabled ? ('ENABLED' as const) : ('DISABLED' as const),
  PortalOptions: {
    SignInOptions: {
      Origin: row.portal.origin,
      ...(row.portal.url !== undefined && { ApplicationUrl: row.portal.url }),
    },
    Visibility: row.portal.isVisible ? ('ENABLED' as const) : ('DISABLED' as const),
  },
  ...(row.description !== undefined && { Description: row.description }),
  CreatedDate: new Date(row.createdAt),
})

export const describeApplication = sso
  .operation('DescribeApplication')
  .on(onApplication())
  .run((_call, _input, { instance, row }) => shown(instance, row))

const save = (call: Pick<Call, 'unit'>, row: ApplicationRow): object => {
  application.put(call.unit, SCOPE, row)
  return {}
}

export const updateApplication = sso
  .operation('UpdateApplication')
  .on(onApplication())
  .run((call, input, { row }) =>
    save(call, {
      ...row,
      ...(input.Name !== undefined && { name: input.Name }),
      ...(input.Description !== undefined && { description: input.Description }),
      ...(input.Status !== undefined && { isEnabled: input.Status === 'ENABLED' }),
      portal: portalOf(row.portal, input.PortalOptions),
    }),
  )

export const deleteApplication = sso
  .operation('DeleteApplication')
  .on(onApplication())
  .run(async (call, _input, { instance, row }) => {
    await removeAssignments(call.unit, instance.id, row.id)
    call.unit.delete(application.key(SCOPE, { InstanceId: instance.id, ApplicationId: row.id }))
    return {}
  })

/** Authorized on everything: the reference lists no resource for it. */
export const listApplications = sso
  .operation('ListApplications')
  .on(theInstance())
  .run(async (call, input, { instance }) => {
    const { ApplicationAccount, ApplicationProvider } = input.Filter ?? {}
    const isListed = (row: ApplicationRow) =>
      (ApplicationAccount === undefined || row.account === ApplicationAccount) &&
      (ApplicationProvider === undefined || row.providerArn === ApplicationProvider)
    const below = belowInstance(application.prefix(SCOPE), instance.id)
    const { items, rest } = await rowsBelow<ApplicationRow>(call, below, input, isListed)
    return { Applications: items.map((row) => shown(instance, row)), ...rest }
  })

export const putApplicationAssignmentConfiguration = sso
  .operation('PutApplicationAssignmentConfiguration')
  .on(onApplication())
  .run((call, { AssignmentRequired }, { row }) => save(call, { ...row, isAssignmentRequired: AssignmentRequired }))

export const getApplicationAssignmentConfiguration = sso
  .operation('GetApplicationAssignmentConfiguration')
  .on(onApplication())
  .run((_call, _input, { row }) => ({ AssignmentRequired: row.isAssignmentRequired }))

export const putApplicationSessionConfiguration = sso
  .operation('PutApplicationSessionConfiguration')
  .on(onApplication())
  .run((call, { UserBackgroundSessionApplicationStatus: status }, { row }) =>
    save(call, { ...row, ...(status !== undefined && { backgroundSessions: status }) }),
  )

export const getApplicationSessionConfiguration = sso
  .operation('GetApplicationSessionConfiguration')
  .on(onApplication())
  .run((_call, _input, { row }) => ({ UserBackgroundSessionApplicationStatus: row.backgroundSessions ?? 'DISABLED' }))

const SCOPES_MAX = 50

export const putApplicationAccessScope = sso
  .operation('PutApplicationAccessScope')
  .on(onApplication())
  .run((call, { Scope, AuthorizedTargets = [] }, { row }) => {
    const scopes = { ...row.scopes, [Scope]: AuthorizedTargets }
    if (Object.keys(scopes).length > SCOPES_MAX)
      throw sso.fail('ServiceQuotaExceededException', `An application has at most ${SCOPES_MAX} access scopes.`)
    return save(call, { ...row, scopes })
  })

const scopeShown = (Scope: string, targets: readonly string[]) => ({
  Scope,
  ...(targets.length > 0 && { AuthorizedTargets: [...targets] }),
})

export const getApplicationAccessScope = sso
  .operation('GetApplicationAccessScope')
  .on(onApplication())
  .run((_call, { Scope }, { row: { scopes } }) => {
    if (!Object.hasOwn(scopes, Scope)) throw notFound(`The application has no access scope ${Scope}.`)
    return scopeShown(Scope, scopes[Scope]!)
  })

export const listApplicationAccessScopes = sso
  .operation('ListApplicationAccessScopes')
  .on(onApplication())
  .run(async (call, input, { row }) => {
    const { items, rest } = await rowsOf(call, Object.entries(row.scopes), ([name]) => name, input)
    return { Scopes: items.map(([name, targets]) => scopeShown(name, targets)), ...rest }
  })

export const deleteApplicationAccessScope = sso
  .operation('DeleteApplicationAccessScope')
  .on(onApplication())
  .run((call, { Scope }, { row }) => {
    if (!Object.hasOwn(row.scopes, Scope)) throw notFound(`The application has no access scope ${Scope}.`)
    const { [Scope]: _gone, ...scopes } = row.scopes
    return save(call, { ...row, scopes })
  })

/** The member of the structure that each grant type fills. */
const GRANTS = {
  authorization_code: 'AuthorizationCode',
  refresh_token: 'RefreshToken',
  'urn:ietf:params:oauth:grant-type:jwt-bearer': 'JwtBearer',
  'urn:ietf:params:oauth:grant-type:token-exchange': 'TokenExchange',
} as const

export const putApplicationGrant = sso
  .operation('PutApplicationGrant')
  .on(onApplication())
  .run((call, { GrantType, Grant }, { row }) => {
    const given = (Grant as Readonly<Record<string, object | undefined>>)[GRANTS[GrantType]]
    if (!given) throw invalid(`The grant has no settings of the type ${GrantType}.`)
    return save(call, { ...row, grants: { ...row.grants, [GrantType]: given } })
  })

const grantShown = (type: string, settings: object) =>
  ({ [GRANTS[type as keyof typeof GRANTS]]: settings }) as unknown as Api.Grant

export const getApplicationGrant = sso
  .operation('GetApplicationGrant')
  .on(onApplication())
  .run((_call, { GrantType }, { row: { grants } }) => {
    const settings = grants[GrantType]
    if (!settings) throw notFound(`The application has no grant of the type ${GrantType}.`)
    return { Grant: grantShown(GrantType, settings) }
  })

export const listApplicationGrants = sso
  .operation('ListApplicationGrants')
  .on(onApplication())
  .run(async (call, input, { row }) => {
    const { items, rest } = await rowsOf(call, Object.entries(row.grants), ([type]) => type, input)
    return {
      Grants: items.map(([type, settings]) => ({
        GrantType: type as Api.GrantType,
        Grant: grantShown(type, settings),
      })),
      ...rest,
    }
  })

export const deleteApplicationGrant = sso
  .operation('DeleteApplicationGrant')
  .on(onApplication())
  .run((call, { GrantType }, { row }) => {
    const { [GrantType]: gone, ...grants } = row.grants
    if (!gone) throw notFound(`The application has no grant of the type ${GrantType}.`)
    return save(call, { ...row, grants })
  })

export const putApplicationAuthenticationMethod = sso
  .operation('PutApplicationAuthenticationMethod')
  .on(onApplication())
  .run((call, { AuthenticationMethod }, { row }) => {
    const policy = AuthenticationMethod.Iam?.ActorPolicy
    if (policy === undefined) throw invalid('The authentication method has no actor policy.')
    const actorPolicy = JSON.stringify(policy)
    try {
      parsePolicy(actorPolicy, 'resource')
    } catch (error) {
      if (error instanceof PolicyError) throw invalid(`The actor policy is malformed: ${error.message}`)
      throw error
    }
    return save(call, { ...row, actorPolicy })
  })

const noMethod = () => notFound('The application has no authentication method of the type IAM.')

const methodShown = (actorPolicy: string) => ({ Iam: { ActorPolicy: JSON.parse(actorPolicy) } })

export const getApplicationAuthenticationMethod = sso
  .operation('GetApplicationAuthenticationMethod')
  .on(onApplication())
  .run((_call, _input, { row: { actorPolicy } }) => {
    if (actorPolicy === undefined) throw noMethod()
    return { AuthenticationMethod: methodShown(actorPolicy) }
  })

export const listApplicationAuthenticationMethods = sso
  .operation('ListApplicationAuthenticationMethods')
  .on(onApplication())
  .run((_call, _input, { row: { actorPolicy } }) => ({
    AuthenticationMethods:
      actorPolicy === undefined
        ? []
        : [{ AuthenticationMethodType: 'IAM' as const, AuthenticationMethod: methodShown(actorPolicy) }],
  }))

export const deleteApplicationAuthenticationMethod = sso
  .operation('DeleteApplicationAuthenticationMethod')
  .on(onApplication())
  .run((call, _input, { row }) => {
    const { actorPolicy, ...rest } = row
    if (actorPolicy === undefined) throw noMethod()
    return save(call, rest)
  })
