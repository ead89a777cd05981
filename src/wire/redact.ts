/** What the audit trail may keep of a request or an answer: everything the model does not mark as sensitive. */
import { recordable } from './recordable.ts'
import type { Member, Shape } from './shape.ts'

const HIDDEN = 'HIDDEN_DUE_TO_SECURITY_REASONS'

/** As CloudTrail shows it: members with a small first letter, sensitive ones hidden, bytes as their number. */
export function redact(shape: Shape, value: unknown): unknown {
  if (value === undefined || value === null) return null
  if (shape.traits.sensitive) return HIDDEN
  switch (shape.kind) {
    case 'timestamp':
      return (value as Date).toISOString().replace(/\.\d+Z$/, 'Z')
    case 'blob':
      return `<${(value as Uint8Array).byteLength} bytes>`
    case 'stream':
      return '<stream>'
    case 'bigint':
      return Number(value)
    case 'string':
      return recordable(String(value))
    case 'list':
      return (value as unknown[]).map((item) =>
        shape.value.traits.sensitive ? HIDDEN : redact(shape.value.shape, item),
      )
    case 'map':
      return Object.fromEntries(
        Object.entries(value as object).map(([name, item]) => [
          name,
          shape.value.traits.sensitive ? HIDDEN : redact(shape.value.shape, item),
        ]),
      )
    case 'struct':
    case 'union': {
      const out: Record<string, unknown> = {}
      for (const member of shape.members) {
        const item = (value as Record<string, unknown>)[member.name]
        if (item === undefined) continue
        out[member.awsName] = isSecret(member, shape) ? HIDDEN : redact(member.shape, item)
      }
      return out
    }
    case 'unit':
      return null
    default:
      return value
  }
}

/** True for members that no message and no trail may show. */
export function isSecret(
  { name, traits }: Pick<Member, 'name' | 'traits'>,
  { name: owner }: { readonly name: string },
): boolean {
  return Boolean(traits.sensitive) || alwaysHidden.has(name) || hiddenIn.has(`${owner}.${name}`)
}

/** Secrets by name, where the models forget to say so: session tokens above all. */
const alwaysHidden: ReadonlySet<string> = new Set([
  'SessionToken',
  'SecretAccessKey',
  'Password',
  'NewPassword',
  'OldPassword',
  'PrivateKey',
  'WebIdentityToken',
  'SAMLAssertion',
  'TokenCode',
  'Base32StringSeed',
  'QRCodePNG',
  'ServicePassword',
  'ServiceCredentialSecret',
  'AuthenticationCode1',
  'AuthenticationCode2',
  'ConfirmationCode',
  'PasswordVerifier',
  'ClientSecret',
  'deviceCode',
  'codeVerifier',
])

/** The same, where other structures have a member of the name that is no secret. */
const hiddenIn: ReadonlySet<string> = new Set([
  'VerifyUserAttributeRequest.Code',
  'CreateTokenRequest.code',
  'CreateTokenWithIAMRequest.code',
  'StartDeviceAuthorizationResponse.userCode',
])
