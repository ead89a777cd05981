/**
 * SAML applications: what their service providers expect, and the certificates that sign for them. AWS configures both in
 * its console only; here the operator does.
 */

import { samlSigner } from '../../kernel/federation/saml-key.ts'
import { isAttributeSource } from '../../kernel/identity-center-attributes.ts'
import type { SamlApplication, SamlApplicationsPort, SamlSettings } from '../../kernel/ports/saml-applications.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import type { Unit } from '../../store/store.ts'
import {
  type ApplicationRow,
  application,
  applicationArn,
  type CertificateRow,
  conflict,
  instance,
  invalid,
  notFound,
  SCOPE,
  sso,
} from './resources.ts'
import { newCertificate } from './saml-certificates.ts'

const CERTIFICATES_MAX = 2
const ACS_MAX = 50
const ATTRIBUTES_MAX = 50
const REQUEST_CERTIFICATES_MAX = 10
const URL_CHARS_MAX = 1_024
const RELAY_STATE_CHARS_MAX = 1_000
const NAME_CHARS_MAX = 256

type SamlRow = ApplicationRow & Required<Pick<ApplicationRow, 'saml'>>

const isSaml = (row: ApplicationRow | undefined): row is SamlRow => row?.saml !== undefined

async function shown(reader: Reader, row: ApplicationRow | undefined): Promise<SamlApplication | undefined> {
  const at = isSaml(row) ? await instance.get(reader, SCOPE, { InstanceId: row.instanceId }) : undefined
  if (!at || !isSaml(row)) return undefined
  const { settings, certificates } = row.saml
  return {
    arn: applicationArn(row),
    id: row.id,
    name: row.name,
    instance: { id: at.id, account: at.account, region: at.region, storeId: at.storeId },
    isEnabled: row.isEnabled,
    settings,
    certificates: certificates.map(({ held: _held, ...certificate }) => certificate),
    signer: (vault) => samlSigner(vault, certificates.find(({ isActive }) => isActive)!),
  }
}

async function rowOf(reader: Reader, arn: string): Promise<ApplicationRow | undefined> {
  const parsed = application.form.parse(arn)
  const row = parsed && (await application.get(reader, SCOPE, parsed.variables))
  return row?.account === parsed?.account ? row : undefined
}

async function requireRow(unit: Unit, arn: string): Promise<SamlRow> {
  const row = await rowOf(unit, arn)
  if (!isSaml(row)) throw notFound(`Could not find a SAML application with the ARN ${arn}.`)
  return row
}

async function changeCertificates(
  unit: Unit,
  arn: string,
  change: (before: readonly CertificateRow[]) => readonly CertificateRow[],
): Promise<void> {
  const row = await requireRow(unit, arn)
  application.put(unit, SCOPE, { ...row, saml: { ...row.saml, certificates: change(row.saml.certificates) } })
}

function certificateNamed(certificates: readonly CertificateRow[], id: string): CertificateRow {
  const found = certificates.find((each) => each.id === id)
  if (!found) throw notFound(`The application has no certificate ${id}.`)
  return found
}

export const samlApplicationsPort: SamlApplicationsPort = {
  find: async (reader, arn) => shown(reader, await rowOf(reader, arn)),
  findAt: async (reader, InstanceId, ApplicationId) =>
    shown(reader, await application.get(reader, SCOPE, { InstanceId, ApplicationId })),
  configure: async (unit, arn, settings) => {
    const row = await requireRow(unit, arn)
    checkSettings(settings)
    application.put(unit, SCOPE, { ...row, saml: { ...row.saml, settings } })
  },
  newCertificate: (vault, { id, instance: { account } }, now) => newCertificate(vault, { id, account }, now),
  addCertificate: (unit, arn, certificate) =>
    changeCertificates(unit, arn, (before) => {
      if (before.length >= CERTIFICATES_MAX)
        throw sso.fail(
          'ServiceQuotaExceededException',
          `An application has at most ${CERTIFICATES_MAX} certificates. Delete the one that does not sign first.`,
        )
      return [...before, { ...certificate, isActive: false }]
    }),
  activateCertificate: (unit, arn, id) =>
    changeCertificates(unit, arn, (before) => {
      certificateNamed(before, id)
      return before.map((each) => ({ ...each, isActive: each.id === id }))
    }),
  deleteCertificate: (unit, arn, id) =>
    changeCertificates(unit, arn, (before) => {
      if (certificateNamed(before, id).isActive) throw conflict('The certificate signs. Activate the other one first.')
      return before.filter((each) => each.id !== id)
    }),
}

/** Throws a fault that says which setting is wrong. */
function checkSettings(settings: SamlSettings): void {
  const { audience, acs, relayState, subject, attributes, isSignedRequestRequired, requestCertificates } = settings
  if (audience === '' || audience.length > URL_CHARS_MAX || /\s/.test(audience))
    throw invalid(`The audience must be the entity ID of the application: 1 to ${URL_CHARS_MAX} characters, no spaces.`)
  if (acs.length === 0 || acs.length > ACS_MAX)
    throw invalid(`An application has 1 to ${ACS_MAX} assertion consumer services.`)
  for (const { url, index } of acs) {
    if (!isAcsUrl(url))
      throw invalid(`The assertion consumer service ${url} must be an HTTPS URL, or one of this computer.`)
    if (!Number.isInteger(index) || index < 0 || index > 65_535) throw invalid('An index is a number up to 65535.')
  }
  if (new Set(acs.map(({ index }) => index)).size < acs.length)
    throw invalid('Two assertion consumer services have the same index.')
  if ((relayState?.length ?? 0) > RELAY_STATE_CHARS_MAX)
    throw invalid(`The relay state has at most ${RELAY_STATE_CHARS_MAX} characters.`)
  if (attributes.length > ATTRIBUTES_MAX) throw invalid(`An application has at most ${ATTRIBUTES_MAX} attributes.`)
  if (new Set(attributes.map(({ name }) => name)).size < attributes.length)
    throw invalid('Two attributes have the same name.')
  for (const { name, source } of [{ name: 'subject', source: subject.source }, ...attributes]) {
    if (name === '' || name.length > NAME_CHARS_MAX)
      throw invalid(`The name of an attribute has 1 to ${NAME_CHARS_MAX} characters.`)
    if (source.length > NAME_CHARS_MAX || !isAttributeSource(source))
      throw invalid(
        `The attribute ${name} has no source of the form \${user:email} or \${path:name.givenName}: ${source}.`,
      )
  }
  if (requestCertificates.length > REQUEST_CERTIFICATES_MAX)
    throw invalid(`An application has at most ${REQUEST_CERTIFICATES_MAX} certificates for its requests.`)
  if (isSignedRequestRequired && requestCertificates.length === 0)
    throw invalid('Signed requests can only be required with a certificate of the application.')
}

/** The browser posts what signs a person in there: only over TLS, or on the computer itself. */
function isAcsUrl(url: string): boolean {
  if (url.length > URL_CHARS_MAX || !URL.canParse(url)) return false
  const { protocol, hostname, username, hash } = new URL(url)
  const isLoopback = ['localhost', '127.0.0.1', '[::1]'].includes(hostname)
  return (protocol === 'https:' || (protocol === 'http:' && isLoopback)) && username === '' && hash === ''
}
