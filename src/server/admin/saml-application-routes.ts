/** Administration of SAML applications of IAM Identity Center, which AWS has in its console only. */
import { derOf, MetadataError, parseServiceProviderMetadata } from '../../engines/saml/metadata.ts'
import {
  type SamlApplication,
  type SamlApplicationsPort,
  type SamlSettings,
  samlApplications,
} from '../../kernel/ports/saml-applications.ts'
import type { Unit } from '../../store/store.ts'
import { Fault } from '../../wire/fault.ts'
import type { Cloud } from '../compose/cloud.ts'
import { InstallationError } from '../compose/operator-errors.ts'
import type { Act, AdminRequest } from './admin-api.ts'

type Input = AdminRequest['input']

/** What `configure` takes: settings, or the metadata of the service provider for those that it has. */
export interface SamlConfiguration extends Partial<Omit<SamlSettings, 'requestCertificates'>> {
  readonly application: string
  /** XML. */
  readonly metadata?: string | undefined
  /** PEM. */
  readonly requestCertificates?: readonly string[] | undefined
}

const refused = (text: string) => new InstallationError(text, 'MERLON_IDENTITY_CENTER_REFUSED')

function arnIn(input: Input): string {
  const arn = input['application']
  if (typeof arn !== 'string') throw refused('Name the application by its ARN.')
  return arn
}

async function named(cloud: Cloud, input: Input): Promise<SamlApplication> {
  const arn = arnIn(input)
  const found = await cloud.use(samlApplications).find(cloud.store.reader, arn)
  if (!found)
    throw refused(`There is no SAML application with the ARN ${arn}. Create one: aws sso-admin create-application`)
  return found
}

const shown = ({ arn, name, isEnabled, instance, id, settings, certificates }: SamlApplication) => ({
  arn,
  name,
  enabled: isEnabled,
  /** Below the web address: the sign-on endpoint and entity ID; the metadata is at `/metadata` below it. */
  path: `/start/saml/${instance.id}/${id}`,
  settings,
  certificates: certificates.map(({ id, isActive, expiresAt }) => ({
    id,
    active: isActive,
    expires: new Date(expiresAt).toISOString(),
  })),
})

/** Runs one change, words its refusal for the operator, and records it. */
function change(event: string, run: (port: SamlApplicationsPort, unit: Unit, input: Input) => Promise<void>): Act {
  return async ({ custody }, input) => {
    const { cloud } = custody.unsealed()
    const { arn, instance } = await named(cloud, input)
    try {
      await cloud.store.run((unit) => run(cloud.use(samlApplications), unit, input))
    } catch (error) {
      throw error instanceof Fault ? refused(error.message) : error
    }
    await custody.record(event, { account: instance.account, application: arn })
    return shown(await named(cloud, input))
  }
}

const certificateIn = (input: Input): string => String(input['certificate'])

export const samlApplicationRoutes: Readonly<Record<string, Act>> = {
  'POST /saml-applications/show': async ({ custody }, input) => shown(await named(custody.unsealed().cloud, input)),
  'POST /saml-applications/configure': change('ConfigureSamlApplication', async (port, unit, input) => {
    const before = (await port.find(unit, arnIn(input)))?.settings
    await port.configure(unit, arnIn(input), settingsOf(input as unknown as SamlConfiguration, before))
  }),
  'POST /saml-applications/add-certificate': async (desk, input) => {
    const { cloud } = desk.custody.unsealed()
    const application = await named(cloud, input)
    const made = await cloud.use(samlApplications).newCertificate(cloud.vault, application, cloud.clock.now())
    const add = change('AddSamlCertificate', (port, unit) => port.addCertificate(unit, application.arn, made))
    return { ...(await add(desk, input)), added: made.id }
  },
  'POST /saml-applications/activate-certificate': change('ActivateSamlCertificate', (port, unit, input) =>
    port.activateCertificate(unit, arnIn(input), certificateIn(input)),
  ),
  'POST /saml-applications/delete-certificate': change('DeleteSamlCertificate', (port, unit, input) =>
    port.deleteCertificate(unit, arnIn(input), certificateIn(input)),
  ),
}

/** What is left out stays as it is. */
function settingsOf(input: SamlConfiguration, before: SamlSettings | undefined): SamlSettings {
  try {
    const metadata = input.metadata === undefined ? undefined : parseServiceProviderMetadata(input.metadata)
    const relayState = input.relayState ?? before?.relayState
    return {
      audience: input.audience ?? metadata?.entityId ?? before?.audience ?? '',
      acs: input.acs ?? metadata?.acs ?? before?.acs ?? [],
      ...(relayState !== undefined && { relayState }),
      subject: input.subject ?? before?.subject ?? { source: '${user:subject}', format: 'unspecified' },
      attributes: input.attributes ?? before?.attributes ?? [],
      isSignedRequestRequired:
        input.isSignedRequestRequired ?? metadata?.isRequestSigned ?? before?.isSignedRequestRequired ?? false,
      requestCertificates:
        input.requestCertificates?.map((pem) => derOf(pem.replace(/-----[^-]+-----/g, ''))) ??
        metadata?.signingCertificates ??
        before?.requestCertificates ??
        [],
    }
  } catch (error) {
    throw error instanceof MetadataError ? refused(`The metadata cannot be used: ${error.message}.`) : error
  }
}
