/** Which provider an ARN names: this account's of that type, and nothing else. */
import {
  CreateOpenIDConnectProviderCommand,
  CreateSAMLProviderCommand,
  DeleteOpenIDConnectProviderCommand,
  GetOpenIDConnectProviderCommand,
  GetSAMLProviderCommand,
  IAMClient,
  ListOpenIDConnectProviderTagsCommand,
  ListSAMLProviderTagsCommand,
  TagOpenIDConnectProviderCommand,
  TagSAMLProviderCommand,
  UntagSAMLProviderCommand,
  UpdateSAMLProviderCommand,
} from '@aws-sdk/client-iam'
import { beforeEach, describe, expect, test } from 'vitest'
import { ACCOUNT, allowing, cloud, OTHER_ACCOUNT } from '../../../../test/cloud.ts'
import { key } from '../../../store/store.ts'
import { certificate } from '../credentials/certificates.fixture.ts'
import { oidcProvider } from './oidc-providers.ts'
import { samlProvider } from './saml-providers.ts'

const SAMLMetadataDocument =
  '<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="x"><IDPSSODescriptor>' +
  '<KeyDescriptor><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>' +
  `${certificate.replace(/-----[^-]+-----|\s/g, '')}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>` +
  // The model wants a thousand characters.
  `</IDPSSODescriptor></EntityDescriptor>${' '.repeat(1_000)}`

type Cloud = Awaited<ReturnType<typeof cloud>>
let it: Cloud
let root: IAMClient
let samlArn: string
let oidcArn: string

beforeEach(async () => {
  it = await cloud()
  root = it.client(IAMClient)
  const saml = await root.send(new CreateSAMLProviderCommand({ Name: 'Corp', SAMLMetadataDocument }))
  const oidc = await root.send(new CreateOpenIDConnectProviderCommand({ Url: 'https://idp.example.com/a' }))
  samlArn = saml.SAMLProviderArn!
  oidcArn = oidc.OpenIDConnectProviderArn!
})

const types = [
  {
    of: 'a SAML provider',
    own: () => samlArn,
    get: (client: IAMClient, arn: string) => client.send(new GetSAMLProviderCommand({ SAMLProviderArn: arn })),
  },
  {
    of: 'an OIDC provider',
    own: () => oidcArn,
    get: (client: IAMClient, arn: string) =>
      client.send(new GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: arn })),
  },
]

const events = async (): Promise<readonly { resources?: readonly { ARN: string }[] }[]> =>
  (await it.store.log({ account: ACCOUNT, limit: 100 })).map(({ body }) => JSON.parse(body))

describe.each(types)('The ARN of $of', ({ own, get }) => {
  const foreign = () => own().replace(ACCOUNT, OTHER_ACCOUNT)

  test('names it', async () => {
    await get(root, own())
  })

  test('of another account is denied, whether or not that account has it', async () => {
    const answer = () => get(root, foreign()).catch(({ name, message }) => ({ name, message }))
    const before = await answer()
    await it.account(OTHER_ACCOUNT)

    expect(before).toMatchObject({
      name: 'AccessDenied',
      message: expect.stringContaining(`on resource: ${foreign()}`),
    })
    expect(await answer()).toEqual(before)
  })

  test.each([
    ['a role', () => `arn:aws:iam::${ACCOUNT}:role/runner`],
    ['another service', () => own().replace(':iam:', ':sts:')],
    ['another partition', () => own().replace('arn:aws:', 'arn:aws-cn:')],
    ['no account', () => own().replace(ACCOUNT, '')],
    ['a Region', () => own().replace(':iam::', ':iam:us-east-1:')],
    ['a provider inside another', () => own().replace(/\/.*$/, `/${own()}`)],
    ['no ARN but a name', () => 'a-name-long-enough-for-an-arn'],
  ])('is not that of %s', async (_what, arn) => {
    await expect(get(root, arn())).rejects.toMatchObject({ name: 'InvalidInputException' })
  })

  test('never comes nested into the audit log', async () => {
    for (const arn of [foreign(), `arn:aws:iam::${ACCOUNT}:role/runner`]) await get(root, arn).catch(() => undefined)

    const named = (await events()).flatMap(({ resources = [] }) => resources.map(({ ARN }) => ARN))
    expect(named.filter((arn) => arn.indexOf('arn:', 1) >= 0)).toEqual([])
  })

  test('is known to be missing only with the permission to look', async () => {
    const none = it.client(IAMClient, await it.user('none'))
    const missing = `${own()}x`
    const denial = (arn: string) =>
      get(none, arn).then(
        () => '',
        ({ message }: Error) => message.replace(arn, 'X'),
      )

    expect(await denial(missing)).toBe(await denial(own()))
    expect(await denial(own())).toContain('on resource: X')
    await expect(get(root, missing)).rejects.toMatchObject({ name: 'NoSuchEntityException' })
  })
})

test('A policy on a SAML provider binds requests that write its name in another case', async () => {
  const user = await it.user(
    'user',
    JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Action: 'iam:*', Resource: '*' },
        { Effect: 'Deny', Action: 'iam:*', Resource: samlArn },
      ],
    }),
  )

  await expect(
    types[0]!.get(
      it.client(IAMClient, user),
      samlArn.toUpperCase().replace('ARN:AWS:IAM', 'arn:aws:iam').replace('SAML-PROVIDER', 'saml-provider'),
    ),
  ).rejects.toThrow('with an explicit deny')
  // Found all the same: names are unique in any case.
  await types[0]!.get(root, samlArn.replace('Corp', 'CORP'))
})

test('Deleting an OIDC provider twice is no error', async () => {
  const again = new DeleteOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: oidcArn })

  await root.send(again)
  await root.send(again)
})

test('Providers are tagged, listed by page and untagged', async () => {
  const Tags = ['a', 'b', 'c'].map((Key) => ({ Key, Value: Key }))
  await root.send(new TagSAMLProviderCommand({ SAMLProviderArn: samlArn, Tags }))
  await root.send(new TagOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: oidcArn, Tags }))

  const first = await root.send(new ListSAMLProviderTagsCommand({ SAMLProviderArn: samlArn, MaxItems: 2 }))
  expect(first).toMatchObject({ Tags: Tags.slice(0, 2), IsTruncated: true })
  await root.send(new UntagSAMLProviderCommand({ SAMLProviderArn: samlArn, TagKeys: ['a', 'b'] }))
  const rest = await root.send(new ListSAMLProviderTagsCommand({ SAMLProviderArn: samlArn }))
  expect(rest).toMatchObject({ Tags: Tags.slice(2), IsTruncated: false })
  const oidc = await root.send(new ListOpenIDConnectProviderTagsCommand({ OpenIDConnectProviderArn: oidcArn }))
  expect(oidc.Tags).toEqual(Tags)
})

test('A change writes where the provider was read', async () => {
  const user = it.client(
    IAMClient,
    await it.user('user', allowing({ Action: 'iam:UpdateSAMLProvider', Resource: samlArn })),
  )

  await user.send(new UpdateSAMLProviderCommand({ SAMLProviderArn: samlArn, SAMLMetadataDocument }))
  await expect(
    user.send(new UpdateSAMLProviderCommand({ SAMLProviderArn: `${samlArn}2`, SAMLMetadataDocument })),
  ).rejects.toMatchObject({ name: 'AccessDenied' })
})

test('The rows are stored under the keys of earlier releases', () => {
  const here = { account: ACCOUNT, region: 'us-east-1' }

  expect(samlProvider.key(here, { SamlProviderName: 'Corp' })).toBe(key('iam', 'saml-provider', ACCOUNT, 'corp'))
  expect(oidcProvider.key(here, { OidcProviderName: 'Idp.example.com/A' })).toBe(
    key('iam', 'oidc-provider', ACCOUNT, 'Idp.example.com/A'),
  )
})
