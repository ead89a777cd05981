/** `merlon saml-app …`: SAML applications of IAM Identity Center, which AWS configures in its console only. */
import { readFileSync } from 'node:fs'
import type { AttributeFormat, NameIdFormat, SamlAttribute, SamlSettings } from '../kernel/ports/saml-applications.ts'
import type { SamlConfiguration } from '../server/admin/saml-application-routes.ts'
import { callAdmin, placeOptions } from './admin-client.ts'
import { UsageError } from './command.ts'
import { commandGroup } from './group.ts'
import { parseSubcommand, type SubCommand } from './subcommand.ts'

interface Shown {
  readonly arn: string
  readonly name: string
  readonly enabled: boolean
  readonly path: string
  readonly settings?: SamlSettings
  readonly certificates: readonly { readonly id: string; readonly active: boolean; readonly expires: string }[]
}

const common = { ...placeOptions, json: { type: 'boolean', about: 'for programs' } } as const
const oneArn = { least: 1, most: 1, names: 'the ARN of an application' }
const arnAndCertificate = { least: 2, most: 2, names: 'the ARN of an application and the ID of a certificate' }

function print(shown: Shown, isJson: boolean | undefined): void {
  const { arn, name, enabled, path, settings, certificates } = shown
  const lines = [
    `${name}${enabled ? '' : ' (disabled)'}: ${arn}`,
    `Sign-on URL and entity ID, below the web address: ${path}`,
    `Metadata: ${path}/metadata`,
    ...(settings === undefined
      ? ['Not configured: merlon saml-app configure ARN --metadata FILE']
      : [
          `Audience: ${settings.audience}`,
          ...settings.acs.map(({ url, index }) => `Assertion consumer service ${index}: ${url}`),
          ...(settings.relayState === undefined ? [] : [`Relay state: ${settings.relayState}`]),
          `Subject: ${settings.subject.source} (${settings.subject.format})`,
          ...settings.attributes.map(({ name, source, format }) => `Attribute ${name}: ${source} (${format})`),
          `Signed requests: ${settings.isSignedRequestRequired ? 'required' : 'not required'}`,
        ]),
    ...certificates.map(
      ({ id, active, expires }) => `Certificate ${id}: ${active ? 'signs' : 'published'}, until ${expires}`,
    ),
  ]
  process.stdout.write(isJson ? `${JSON.stringify(shown)}\n` : `${lines.join('\n')}\n`)
}

const configureOptions = {
  ...common,
  metadata: { type: 'string', value: 'FILE', about: 'metadata of the application: audience, services, certificates' },
  audience: { type: 'string', value: 'ID', about: 'entity ID of the application' },
  acs: { type: 'string', value: 'URL', multiple: true, about: 'assertion consumer service; the first is the default' },
  'relay-state': { type: 'string', value: 'TEXT', about: 'sent when a user begins at the portal' },
  subject: { type: 'string', value: 'SOURCE', about: 'the value that names the user (default ${user:subject})' },
  'subject-format': {
    type: 'string',
    value: 'FORMAT',
    about: 'emailAddress, persistent, transient or unspecified (default)',
  },
  attribute: {
    type: 'string',
    value: 'NAME=SOURCE',
    multiple: true,
    about: 'an attribute: ${user:email}, ${path:enterprise.department} or a fixed value',
  },
  'attribute-format': {
    type: 'string',
    value: 'FORMAT',
    about: 'basic, unspecified (default) or uri, of all attributes',
  },
  'request-certificate': {
    type: 'string',
    value: 'FILE',
    multiple: true,
    about: 'certificate (PEM) with which the application signs requests',
  },
  'require-signed-requests': { type: 'boolean', about: 'refuse requests that are not signed' },
  'allow-unsigned-requests': { type: 'boolean', about: 'accept requests that are not signed' },
} as const

const configure: SubCommand = {
  name: 'configure',
  operands: 'ARN',
  about: 'Says what an application expects. What is left out stays as it is.',
  options: configureOptions,
  async run(words) {
    const { given, operands } = parseSubcommand(configureOptions, words, oneArn)
    const { metadata, audience, acs, attribute } = given
    const certificates = given['request-certificate']
    const format = given['subject-format']
    if (given['require-signed-requests'] && given['allow-unsigned-requests'])
      throw new UsageError('--require-signed-requests and --allow-unsigned-requests exclude each other.')
    const isRequired = given['require-signed-requests'] ? true : given['allow-unsigned-requests'] ? false : undefined
    const configuration: SamlConfiguration = {
      application: operands[0]!,
      ...(metadata !== undefined && { metadata: readFileSync(metadata, 'utf8') }),
      ...(audience !== undefined && { audience }),
      ...(acs.length > 0 && { acs: acs.map((url, index) => ({ url, index })) }),
      ...(given['relay-state'] !== undefined && { relayState: given['relay-state'] }),
      ...((given.subject !== undefined || format !== undefined) && {
        subject: {
          source: given.subject ?? '${user:subject}',
          format: oneOf<NameIdFormat>(format ?? 'unspecified', NAME_ID_FORMATS, '--subject-format'),
        },
      }),
      ...(attribute.length > 0 && {
        attributes: attribute.map((each) => attributeOf(each, given['attribute-format'])),
      }),
      ...(certificates.length > 0 && { requestCertificates: certificates.map((file) => readFileSync(file, 'utf8')) }),
      ...(isRequired !== undefined && { isSignedRequestRequired: isRequired }),
    }
    print(await callAdmin<Shown>(given, 'POST /saml-applications/configure', configuration), given.json)
    return 0
  },
}

const NAME_ID_FORMATS = ['emailAddress', 'persistent', 'transient', 'unspecified'] as const
const ATTRIBUTE_FORMATS = ['basic', 'unspecified', 'uri'] as const

function oneOf<T extends string>(value: string, values: readonly T[], option: string): T {
  const found = values.find((each) => each === value)
  if (found === undefined) throw new UsageError(`${option} must be one of ${values.join(', ')}, not ${value}.`)
  return found
}

function attributeOf(text: string, format = 'unspecified'): SamlAttribute {
  const [name = '', source] = text.split(/=(.*)/s)
  if (name === '' || source === undefined) throw new UsageError(`--attribute '${text}' is not of the form NAME=SOURCE.`)
  return { name, source, format: oneOf<AttributeFormat>(format, ATTRIBUTE_FORMATS, '--attribute-format') }
}

/** A command that names an application, and shows it afterwards. */
const simple = (name: string, about: string, route: string, withCertificate: boolean): SubCommand => ({
  name,
  operands: withCertificate ? 'ARN CERTIFICATE' : 'ARN',
  about,
  options: common,
  async run(words) {
    const { given, operands } = parseSubcommand(common, words, withCertificate ? arnAndCertificate : oneArn)
    const [application, certificate] = operands
    print(await callAdmin<Shown>(given, `POST /saml-applications/${route}`, { application, certificate }), given.json)
    return 0
  },
})

export const samlApp = commandGroup({
  name: 'saml-app',
  about: 'Configures SAML applications of IAM Identity Center',
  commands: [
    simple('show', 'Shows what an application expects, and its certificates.', 'show', false),
    configure,
    simple('add-certificate', 'Makes another certificate and publishes it in the metadata.', 'add-certificate', false),
    simple('activate-certificate', 'Signs with a certificate from now on.', 'activate-certificate', true),
    simple('delete-certificate', 'Deletes a certificate that does not sign.', 'delete-certificate', true),
  ],
})
