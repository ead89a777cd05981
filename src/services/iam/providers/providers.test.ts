/** Identity providers, service-specific credentials, and the account at a glance. */
import { generateKeyPairSync } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { createAccountAlias, deleteAccountAlias, getAccountSummary, listAccountAliases } from '../account/account.ts'
import { certificate } from '../credentials/certificates.fixture.ts'
import { createVirtualMfaDevice } from '../credentials/mfa.ts'
import {
  createServiceSpecificCredential,
  deleteServiceSpecificCredential,
  listServiceSpecificCredentials,
  resetServiceSpecificCredential,
  updateServiceSpecificCredential,
} from '../credentials/service-credentials.ts'
import { account, type Desk, desk } from '../desk.fixture.ts'
import {
  addClientIdToOpenIdConnectProvider,
  createOpenIdConnectProvider,
  deleteOpenIdConnectProvider,
  getOpenIdConnectProvider,
  listOpenIdConnectProviders,
  removeClientIdFromOpenIdConnectProvider,
  updateOpenIdConnectProviderThumbprint,
} from './oidc-providers.ts'
import {
  createSamlProvider,
  deleteSamlProvider,
  getSamlProvider,
  listSamlProviders,
  updateSamlProvider,
} from './saml-providers.ts'

let it: Desk
beforeEach(async () => {
  it = await desk()
})

describe('an OpenID Connect provider', () => {
  const Url = 'https://token.example.com/tenant'
  const OpenIDConnectProviderArn = `arn:aws:iam::${account}:oidc-provider/token.example.com/tenant`
  const thumbprint = '6938fd4d98bab03faadb97b34396831e3780aea1'
  const make = (more: object = {}) =>
    it.run(createOpenIdConnectProvider, { Url, ClientIDList: ['a'], ThumbprintList: [thumbprint], ...more })

  test('is named by its address without the scheme, and shown so', async () => {
    expect(await make()).toEqual({ OpenIDConnectProviderArn })

    expect(await it.run(getOpenIdConnectProvider, { OpenIDConnectProviderArn })).toEqual({
      Url: 'token.example.com/tenant',
      ClientIDList: ['a'],
      ThumbprintList: [thumbprint],
      CreateDate: new Date(it.now),
    })
    expect(await it.run(listOpenIdConnectProviders, {})).toEqual({
      OpenIDConnectProviderList: [{ Arn: OpenIDConnectProviderArn }],
    })
    await expect(make()).rejects.toMatchObject({ code: 'EntityAlreadyExistsException' })
  })

  test('gains and loses audiences, twice as well as once', async () => {
    await make()
    const id = { OpenIDConnectProviderArn, ClientID: 'b' }

    await it.run(addClientIdToOpenIdConnectProvider, id)
    await it.run(addClientIdToOpenIdConnectProvider, id)
    expect(await it.run(getOpenIdConnectProvider, id)).toMatchObject({ ClientIDList: ['a', 'b'] })
    await it.run(removeClientIdFromOpenIdConnectProvider, id)
    await it.run(removeClientIdFromOpenIdConnectProvider, id)
    expect(await it.run(getOpenIdConnectProvider, id)).toMatchObject({ ClientIDList: ['a'] })
  })

  test('has a hundred audiences at most', async () => {
    await make({ ClientIDList: Array.from({ length: 100 }, (_, i) => `c${i}`) })

    const more = it.run(addClientIdToOpenIdConnectProvider, { OpenIDConnectProviderArn, ClientID: 'one more' })

    await expect(more).rejects.toMatchObject({ code: 'LimitExceededException' })
  })

  test.each([
    'http://token.example.com',
    'token.example.com',
    'https://token.example.com:8443',
    'https://token.example.com/?a=b',
    'https://token.example.com/#a',
    'https://me@token.example.com',
    'https://',
  ])('cannot be at %s', async (url) => {
    await expect(make({ Url: url })).rejects.toMatchObject({ code: 'InvalidInputException' })
  })

  test('has five thumbprints at most, all hexadecimal', async () => {
    await make()
    const update = (ThumbprintList: string[]) =>
      it.run(updateOpenIdConnectProviderThumbprint, { OpenIDConnectProviderArn, ThumbprintList })

    await update(Array(5).fill(thumbprint))
    await expect(update(Array(6).fill(thumbprint))).rejects.toMatchObject({ code: 'InvalidInputException' })
    await expect(update(['z'.repeat(40)])).rejects.toMatchObject({ code: 'InvalidInputException' })
  })

  test('may be deleted though it is gone, as AWS documents', async () => {
    await make()

    await it.run(deleteOpenIdConnectProvider, { OpenIDConnectProviderArn })
    await it.run(deleteOpenIdConnectProvider, { OpenIDConnectProviderArn })

    await expect(it.run(getOpenIdConnectProvider, { OpenIDConnectProviderArn })).rejects.toMatchObject({
      code: 'NoSuchEntityException',
    })
  })
})

describe('a SAML provider', () => {
  const metadata = (attributes = '') =>
    `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="x" ${attributes}><IDPSSODescriptor>` +
    '<KeyDescriptor><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>' +
    certificate.replace(/-----[^-]+-----|\s/g, '') +
    '</X509Certificate></X509Data></KeyInfo></KeyDescriptor></IDPSSODescriptor></EntityDescriptor>'
  const SAMLProviderArn = `arn:aws:iam::${account}:saml-provider/ad`
  const key = () =>
    generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' })

  test('keeps its metadata as it was uploaded, and its end', async () => {
    const document = metadata('validUntil="2030-01-01T00:00:00Z"')

    expect(await it.run(createSamlProvider, { Name: 'ad', SAMLMetadataDocument: document })).toEqual({
      SAMLProviderArn,
    })

    const shown = { ValidUntil: new Date(Date.UTC(2030, 0, 1)), CreateDate: new Date(it.now) }
    expect(await it.run(getSamlProvider, { SAMLProviderArn })).toMatchObject({
      SAMLMetadataDocument: document,
      ...shown,
    })
    expect(await it.run(listSamlProviders, {})).toEqual({ SAMLProviderList: [{ Arn: SAMLProviderArn, ...shown }] })
    await expect(it.run(createSamlProvider, { Name: 'AD', SAMLMetadataDocument: document })).rejects.toMatchObject({
      code: 'EntityAlreadyExistsException',
    })
    await it.run(deleteSamlProvider, { SAMLProviderArn })
    await expect(it.run(getSamlProvider, { SAMLProviderArn })).rejects.toMatchObject({ code: 'NoSuchEntityException' })
  })

  test.each([
    ['what is no metadata', '<a/>'],
    ['metadata that has ended', metadata('validUntil="2020-01-01T00:00:00Z"')],
  ])('%s is refused', async (_what, document) => {
    const make = it.run(createSamlProvider, { Name: 'ad', SAMLMetadataDocument: document })

    await expect(make).rejects.toMatchObject({ code: 'InvalidInputException' })
  })

  test('has two keys at most, lists them without their bytes, and cannot demand encryption with none', async () => {
    await it.run(createSamlProvider, { Name: 'ad', SAMLMetadataDocument: metadata() })
    const update = (change: object) => it.run(updateSamlProvider, { SAMLProviderArn, ...change })
    const keys = async () => {
      const shown = await it.run<{ PrivateKeyList?: { KeyId: string }[] }>(getSamlProvider, { SAMLProviderArn })
      return (shown.PrivateKeyList ?? []).map((each) => each.KeyId)
    }

    await expect(update({ AssertionEncryptionMode: 'Required' })).rejects.toMatchObject({
      code: 'InvalidInputException',
    })
    await update({ AssertionEncryptionMode: 'Required', AddPrivateKey: key() })
    await update({ AddPrivateKey: key() })
    await expect(update({ AddPrivateKey: key() })).rejects.toMatchObject({ code: 'LimitExceededException' })
    await expect(update({ AddPrivateKey: 'hello' })).rejects.toMatchObject({ code: 'InvalidInputException' })
    expect(await it.stored()).not.toContain('PRIVATE KEY')

    const [first = '', second = ''] = await keys()
    await update({ RemovePrivateKey: first })
    expect(await keys()).toEqual([second])
    await expect(update({ RemovePrivateKey: first })).rejects.toMatchObject({ code: 'InvalidInputException' })
    await expect(update({ RemovePrivateKey: second })).rejects.toMatchObject({ code: 'InvalidInputException' })
  })
})

describe('a service-specific credential', () => {
  interface Made {
    readonly ServiceSpecificCredential: Readonly<Record<string, string>>
  }
  const make = async (ServiceName = 'codecommit.amazonaws.com', more: object = {}) =>
    (await it.run<Made>(createServiceSpecificCredential, { UserName: 'ana', ServiceName, ...more }))
      .ServiceSpecificCredential
  beforeEach(async () => {
    await it.addUser('ana')
  })

  test('shows its password once, and another after a reset', async () => {
    const made = await make()
    const id = { UserName: 'ana', ServiceSpecificCredentialId: made['ServiceSpecificCredentialId'] }
    expect(made).toMatchObject({ ServiceUserName: `ana-at-${account}`, Status: 'Active' })

    const listed = JSON.stringify(await it.run(listServiceSpecificCredentials, { UserName: 'ana' }))
    expect(listed).toContain(made['ServiceUserName'])
    expect(listed + (await it.stored())).not.toContain(made['ServicePassword'])
    const { ServiceSpecificCredential: reset } = await it.run<Made>(resetServiceSpecificCredential, id)
    expect(reset['ServicePassword']).not.toBe(made['ServicePassword'])
    await it.run(updateServiceSpecificCredential, { ...id, Status: 'Inactive' })
    expect(await it.run(listServiceSpecificCredentials, { AllUsers: true })).toMatchObject({
      ServiceSpecificCredentials: [{ UserName: 'ana', Status: 'Inactive' }],
    })
    await it.run(deleteServiceSpecificCredential, id)
    await expect(it.run(deleteServiceSpecificCredential, id)).rejects.toMatchObject({ code: 'NoSuchEntityException' })
  })

  test('two a service, with names that differ', async () => {
    const names = [(await make())['ServiceUserName'], (await make())['ServiceUserName']]

    expect(names).toEqual([`ana-at-${account}`, `ana+1-at-${account}`])
    await expect(make()).rejects.toMatchObject({ code: 'LimitExceededException' })
    await make('cassandra.amazonaws.com')
  })

  test('ages where its service lets it', async () => {
    const made = await make('bedrock.amazonaws.com', { CredentialAgeDays: 1 })
    expect(made['ServiceCredentialSecret']).toBeDefined()

    it.now += 86_400_000

    expect(await it.run(listServiceSpecificCredentials, { UserName: 'ana' })).toMatchObject({
      ServiceSpecificCredentials: [{ Status: 'Expired' }],
    })
    await expect(make('codecommit.amazonaws.com', { CredentialAgeDays: 1 })).rejects.toMatchObject({
      code: 'ServiceNotSupportedException',
    })
    await expect(make('s3.amazonaws.com')).rejects.toMatchObject({
      code: 'NoSuchEntityException',
      message: 'No such service s3.amazonaws.com is supported for Service Specific Credentials',
    })
  })
})

describe('the account', () => {
  test('has one alias, which is unique', async () => {
    await it.run(createAccountAlias, { AccountAlias: 'first' })
    await expect(it.run(createAccountAlias, { AccountAlias: 'first' })).rejects.toMatchObject({
      code: 'EntityAlreadyExistsException',
    })
    await it.run(createAccountAlias, { AccountAlias: 'second' })

    expect(await it.run(listAccountAliases, {})).toEqual({ AccountAliases: ['second'], IsTruncated: false })
    await expect(it.run(deleteAccountAlias, { AccountAlias: 'first' })).rejects.toMatchObject({
      code: 'NoSuchEntityException',
    })
    await it.run(deleteAccountAlias, { AccountAlias: 'second' })
    expect(await it.run(listAccountAliases, {})).toMatchObject({ AccountAliases: [] })
    expect(await it.stored()).toBe('[]')
  })

  test('sums up what it holds under all thirty-four names', async () => {
    const summary = async () => (await it.run<{ SummaryMap: Record<string, number> }>(getAccountSummary, {})).SummaryMap
    expect(Object.keys(await summary())).toHaveLength(34)
    expect(await summary()).toMatchObject({ MFADevices: 0, AccountMFAEnabled: 0, UsersQuota: 5000, Providers: 0 })

    await it.run(createVirtualMfaDevice, { VirtualMFADeviceName: 'a' })
    await it.run(createOpenIdConnectProvider, { Url: 'https://a.example.com' })

    expect(await summary()).toMatchObject({ MFADevices: 1, MFADevicesInUse: 0, Providers: 1 })
  })
})
