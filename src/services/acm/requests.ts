/** Requested certificates: public ones wait until their domains are proved, private ones are issued at once. */
import { createHash } from 'node:crypto'
import type { Call } from '../../kernel/gate/call.ts'
import { putExpiring } from '../../kernel/jobs/expiring-rows.ts'
import { mailApprovals } from './approvals.ts'
import { issuingAuthority } from './authorities.ts'
import { issuance } from './issuance.ts'
import { baseOf, DOMAIN_LENGTH_MAX, isSameOrAbove, mailboxesOf, readName, validationRecord } from './names.ts'
import { issuePrivately, privateCa, refusalOf } from './private-certificates.ts'
import { canBeMade } from './private-keys.ts'
import {
  acm,
  arnOf,
  type CertificateRow,
  certificate,
  type DomainProof,
  keyOf,
  type Method,
  notImplemented,
  requestTokenKey,
} from './resources.ts'

const HOUR_MS = 60 * 60 * 1000
const PUBLIC_KEYS: readonly string[] = ['RSA_2048', 'EC_prime256v1', 'EC_secp384r1']

interface TokenRow {
  readonly arn: string
  readonly hash: string
  readonly expiresAt: number
}

export const requestCertificate = acm
  .operation('RequestCertificate')
  .on(certificate.created((_input, call) => ({ CertificateId: call.newId() }), { generated: true, authorizedOn: '*' }))
  .run(async (call, input, { id, tags, create }) => {
    if (input.ManagedBy !== undefined) throw notImplemented('certificates that CloudFront manages')
    const names = namesIn(input)
    if (names.length > call.quotas['acm/DomainNamesPerCertificate']!)
      throw acm.fail(
        'LimitExceededException',
        `A certificate can have ${call.quotas['acm/DomainNamesPerCertificate']} names.`,
      )
    const isPrivate = input.CertificateAuthorityArn !== undefined
    const keyAlgorithm = input.KeyAlgorithm ?? 'RSA_2048'
    if (!(isPrivate ? canBeMade(keyAlgorithm) : PUBLIC_KEYS.includes(keyAlgorithm)))
      throw acm.fail('InvalidParameterException', `The key algorithm ${keyAlgorithm} cannot be requested.`)
    if (isPrivate && input.ValidationMethod !== undefined)
      throw acm.fail('InvalidParameterException', 'A private certificate has no validation method.')
    const method = isPrivate ? undefined : methodOf(input.ValidationMethod)
    const requested = await requestedBefore(call, input.IdempotencyToken, [names, keyAlgorithm, method, input])
    if ('arn' in requested) return { CertificateArn: requested.arn }
    await assertQuota(call)

    const row: Omit<CertificateRow, 'progress'> = {
      id: id.CertificateId,
      account: call.account,
      region: call.region,
      partition: call.partition,
      type: isPrivate ? 'PRIVATE' : 'AMAZON_ISSUED',
      domain: names[0]!,
      names,
      keyAlgorithm,
      ...(method && { method }),
      proofs: method ? names.map((name) => proofOf(call, name, method, input.DomainValidationOptions ?? [])) : [],
      logsTransparency: input.Options?.CertificateTransparencyLoggingPreference !== 'DISABLED',
      isExportable: isPrivate || input.Options?.Export === 'ENABLED',
      createdAt: call.now,
      ...(isPrivate && { authorityArn: input.CertificateAuthorityArn! }),
      inUseBy: [],
      tags,
    }
    // Named in the audit log; the lifecycle writes it again with its progress.
    create({ ...row, progress: { state: 'PENDING_VALIDATION', since: call.now, turn: 0 } })
    if (isPrivate) await enterPrivate(call, row)
    else await enterPublic(call, row)
    const arn = certificate.arnOf(call, row as CertificateRow)
    remember(call, input.IdempotencyToken, arn, requested.hash)
    return { CertificateArn: arn }
  })

async function enterPublic(call: Call, row: Omit<CertificateRow, 'progress'>): Promise<void> {
  await issuingAuthority(call, row.account, row.region)
  const entered = issuance.enter(call.unit, keyOf(row), row, 'PENDING_VALIDATION', call.now)
  for (const proof of entered.proofs) if (proof.methods.includes('EMAIL')) await mailApprovals(call, entered, proof)
}

/** Issued for the caller, whose permissions on the authority decide. A refusal is shown as the certificate's failure. */
async function enterPrivate(call: Call, row: Omit<CertificateRow, 'progress'>): Promise<void> {
  try {
    const material = await issuePrivately(call.vault, (name, input) => call.forward(privateCa, name, input), row)
    issuance.enter(call.unit, keyOf(row), { ...row, material, issuedAt: call.now }, 'ISSUED', call.now)
  } catch (error) {
    const failure = refusalOf(error)
    if (!failure) throw error
    issuance.enter(call.unit, keyOf(row), { ...row, failure }, 'FAILED', call.now)
  }
}

/** The domain first, then the others in their order, each once. */
function namesIn(input: {
  readonly DomainName: string
  readonly SubjectAlternativeNames?: readonly string[] | undefined
}): readonly string[] {
  if (input.DomainName.length > DOMAIN_LENGTH_MAX)
    throw acm.fail(
      'InvalidParameterException',
      `The first domain name can have at most ${DOMAIN_LENGTH_MAX} characters.`,
    )
  return [...new Set([input.DomainName, ...(input.SubjectAlternativeNames ?? [])].map(readName))]
}

function methodOf(method: string = 'EMAIL'): Method {
  if (method === 'HTTP')
    throw acm.fail(
      'InvalidParameterException',
      'The validation method HTTP is for certificates that CloudFront manages.',
    )
  return method as Method
}

/** Where the account demands both, the other method has to prove the domain, too. */
export function methodsOf(account: string, method: Method): readonly Method[] {
  return demandsBoth(account) ? ['DNS', 'EMAIL'] : [method]
}

/** `MERLON_CERTIFICATES_NEED_BOTH`: accounts whose domains must be proved by DNS and by mail; `*` for all. */
function demandsBoth(account: string): boolean {
  const accounts = (process.env['MERLON_CERTIFICATES_NEED_BOTH'] ?? '').split(',').map((each) => each.trim())
  return accounts.includes('*') || accounts.includes(account)
}

export function proofOf(
  call: Pick<Call, 'vault' | 'account' | 'region'>,
  domain: string,
  method: Method,
  options: readonly { readonly DomainName: string; readonly ValidationDomain: string }[],
): DomainProof {
  const base = baseOf(domain)
  const chosen = options.find(({ DomainName }) => readName(DomainName) === domain)
  const validationDomain = chosen ? readName(chosen.ValidationDomain) : base
  if (!isSameOrAbove(validationDomain, base))
    throw acm.fail(
      'InvalidDomainValidationOptionsException',
      `The validation domain ${validationDomain} is neither ${base} nor a domain above it.`,
    )
  const methods = methodsOf(call.account, method)
  return {
    domain,
    validationDomain,
    methods,
    proved: [],
    ...(methods.includes('DNS') && { record: validationRecord(call.vault, call, base) }),
    ...(methods.includes('EMAIL') && { mailboxes: mailboxesOf(validationDomain) }),
  }
}

async function assertQuota(call: Call): Promise<void> {
  const quota = call.quotas['acm/CertificatesPerAccount']!
  if ((await certificate.list(call.unit, call, { limit: quota })).length >= quota)
    throw acm.fail('LimitExceededException', `The account has ${quota} certificates, the most it may have.`)
}

/** Within an hour the same request with the same token names the same certificate. */
async function requestedBefore(
  call: Call,
  token: string | undefined,
  request: unknown,
): Promise<{ readonly arn: string } | { readonly hash: string }> {
  const hash = createHash('sha256').update(JSON.stringify(request)).digest('hex')
  const before = token && (await call.unit.get<TokenRow>(requestTokenKey(call.account, call.region, token)))
  return before && before.expiresAt > call.now && before.hash === hash ? { arn: before.arn } : { hash }
}

function remember(call: Call, token: string | undefined, arn: string, hash: string): void {
  if (token === undefined) return
  const at = requestTokenKey(call.account, call.region, token)
  putExpiring<TokenRow>(call.unit, 'acm.forget', at, { arn, hash, expiresAt: call.now + HOUR_MS })
}

export const resendValidationEmail = acm
  .operation('ResendValidationEmail')
  .on(certificate.named('CertificateArn'))
  .run(async (call, input, { row, arn }) => {
    const { state } = row.progress
    if (!['PENDING_VALIDATION', 'RENEWING'].includes(state))
      throw acm.fail('InvalidStateException', `The certificate ${arn} waits for no validation: it is ${state}.`)
    const domain = readName(input.Domain)
    const proof = row.proofs.find((each) => each.domain === domain)
    const isOpen = proof?.methods.includes('EMAIL') && !proof.proved.includes('EMAIL')
    if (!proof || !isOpen) throw acm.fail('InvalidStateException', `${domain} of ${arn} waits for no approval by mail.`)
    const validationDomain = readName(input.ValidationDomain)
    if (!isSameOrAbove(validationDomain, baseOf(domain)))
      throw acm.fail(
        'InvalidDomainValidationOptionsException',
        `The validation domain ${validationDomain} is neither ${baseOf(domain)} nor a domain above it.`,
      )
    const changed = { ...proof, validationDomain, mailboxes: mailboxesOf(validationDomain) }
    const proofs = row.proofs.map((each) => (each === proof ? changed : each))
    issuance.hurry(call.unit, keyOf(row), { ...row, proofs }, call.now)
    await mailApprovals(call, row, changed)
    return {}
  })

export const updateCertificateOptions = acm
  .operation('UpdateCertificateOptions')
  .on(certificate.named('CertificateArn'))
  .run((call, { Options }, { row, arn, save }) => {
    if (row.type === 'IMPORTED') throw acm.fail('InvalidStateException', `The certificate ${arn} was imported.`)
    if (Options.Export !== undefined && (Options.Export === 'ENABLED') !== row.isExportable)
      throw acm.fail('InvalidStateException', `Whether ${arn} can be exported is decided when it is requested.`)
    if (Options.ValidationMethod !== undefined && Options.ValidationMethod !== row.method) {
      if (!row.method) throw acm.fail('InvalidStateException', `The certificate ${arn} has no validation method.`)
      throw notImplemented('UpdateCertificateOptions with another ValidationMethod')
    }
    const preference = Options.CertificateTransparencyLoggingPreference
    save({ ...row, ...(preference && { logsTransparency: preference === 'ENABLED' }) })
    call.event.resources = [{ arn: arnOf(row), type: certificate.spec.type, account: row.account }]
    return {}
  })
