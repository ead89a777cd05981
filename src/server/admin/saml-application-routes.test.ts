/** The operator configures a SAML application: by metadata, setting by setting; refusals say what is wrong. */
import { CreateApplicationCommand } from '@aws-sdk/client-sso-admin'
import { expect, test } from 'vitest'
import { samlIdp } from '../../engines/saml/idp.fixture.ts'
import { identityCenter } from '../../services/sso/sso.fixture.ts'
import type { AdminContext } from './admin-api.ts'
import { samlApplicationRoutes } from './saml-application-routes.ts'

const key = samlIdp().certificate
const METADATA = `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://wiki.test">
<SPSSODescriptor AuthnRequestsSigned="true" protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
<KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>${key}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>
<AssertionConsumerService index="3" Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://wiki.test/other"/>
<AssertionConsumerService index="5" isDefault="true" Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://wiki.test/acs"/>
</SPSSODescriptor></EntityDescriptor>`

test('Metadata and settings add up; certificates are added, activated and deleted; each change is recorded', async () => {
  const it = await identityCenter()
  const { ApplicationArn: application } = await it.sso.send(
    new CreateApplicationCommand({
      InstanceArn: it.instanceArn,
      ApplicationProviderArn: 'arn:aws:sso::aws:applicationProvider/custom-saml',
      Name: 'Wiki',
    }),
  )
  const recorded: string[] = []
  const custody = { unsealed: () => ({ cloud: it }), record: async (event: string) => void recorded.push(event) }
  // As much of the context as these routes use.
  const desk = { custody } as unknown as AdminContext
  // biome-ignore lint/suspicious/noExplicitAny: answers as the command line reads them.
  const call = (route: string, input: object = {}): Promise<any> =>
    samlApplicationRoutes[`POST /saml-applications/${route}`]!(desk, { application, ...input })

  expect((await call('show')).settings).toBeUndefined()
  const { settings } = await call('configure', { metadata: METADATA, relayState: '/home' })
  expect(settings).toEqual({
    audience: 'https://wiki.test',
    acs: [
      { url: 'https://wiki.test/acs', index: 5 },
      { url: 'https://wiki.test/other', index: 3 },
    ],
    relayState: '/home',
    subject: { source: '${user:subject}', format: 'unspecified' },
    attributes: [],
    isSignedRequestRequired: true,
    requestCertificates: [key],
  })
  const changed = await call('configure', { isSignedRequestRequired: false })
  expect(changed.settings).toEqual({ ...settings, isSignedRequestRequired: false })

  const [first] = changed.certificates
  const { added } = await call('add-certificate')
  await expect(call('delete-certificate', { certificate: first.id })).rejects.toThrow('signs')
  await call('activate-certificate', { certificate: added })
  const { certificates } = await call('delete-certificate', { certificate: first.id })
  expect(certificates).toMatchObject([{ id: added, active: true }])
  expect(recorded).toEqual([
    'ConfigureSamlApplication',
    'ConfigureSamlApplication',
    'AddSamlCertificate',
    'ActivateSamlCertificate',
    'DeleteSamlCertificate',
  ])

  await expect(call('configure', { metadata: '<x/>' })).rejects.toThrow('no EntityDescriptor')
  await expect(call('configure', { acs: [] })).rejects.toThrow('1 to 50')
  await expect(call('show', { application: `${application}0` })).rejects.toThrow('There is no SAML application')
  expect(recorded).toHaveLength(5)
})
