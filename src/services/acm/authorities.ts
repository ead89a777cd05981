/**
 * The authorities that issue requested certificates: one root for the installation, and below it one authority for each
 * account and Region. Their keys are in the vault and never leave it.
 */
import { randomBytes } from 'node:crypto'
import { buildCertificate, certificateParts, derOf, pem, type Sign } from '../../engines/x509/certificate-builder.ts'
import { authorityKeyId, basicConstraints, keyIdOfSpki, keyUsage, subjectKeyId } from '../../engines/x509/extensions.ts'
import { attributeOids, distinguishedName } from '../../engines/x509/names.ts'
import type { Issuer } from '../../engines/x509/revocation.ts'
import { newSerial } from '../../kernel/certificate-serial.ts'
import type { Unit } from '../../store/store.ts'
import { type Key, key } from '../../store/store.ts'
import type { MaterialContext, StoredMaterial } from '../../vault/material/materials.ts'
import type { Vault } from '../../vault/vault.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const ROOT_DAYS = 9_125
const ISSUING_DAYS = 3_650
/** Clocks of clients may be behind. */
const BACKDATED_MS = 60 * 60 * 1000
/** Whose vault key seals the root's key: no account's. */
const INSTALLATION = 'installation'
export const ALGORITHM = 'SHA256WITHECDSA'
const SPEC = 'ECC_NIST_P256'

export interface AuthorityRow {
  /** Names it in addresses of revocation lists. */
  readonly id: string
  readonly pem: string
  /** PEM of the authority above; absent for the root. */
  readonly parent?: string
  readonly held: StoredMaterial
  readonly createdAt: number
}

const rootKey = key('acm', 'authority', 'root')
const issuingKey = (account: string, region: string): Key => key('acm', 'authority', 'issuing', account, region)
export const authorityById = (id: string): Key => key('acm', 'authority-id', id)

/** Signs with the key of an authority. */
const signer =
  (vault: Pick<Vault, 'materials'>, held: StoredMaterial): Sign =>
  (message) =>
    vault.materials.use(held, { do: 'sign', algorithm: 'ECDSA_SHA_256', type: 'RAW', message })

const nameOf = (commonName: string): Buffer =>
  distinguishedName([
    { oid: attributeOids.Organization, value: 'Merlon' },
    { oid: attributeOids.CommonName, value: commonName },
  ])

interface Context {
  readonly unit: Unit
  readonly vault: Vault
  /** Epoch milliseconds. */
  readonly now: number
}

/** The authority of an account and Region, made when it is first needed. */
export async function issuingAuthority(context: Context, account: string, region: string): Promise<AuthorityRow> {
  const at = issuingKey(account, region)
  const found = await context.unit.get<AuthorityRow>(at)
  if (found) return found
  const root = await rootAuthority(context)
  const made = await make(context, {
    account,
    name: `acm/issuing/${account}/${region}`,
    commonName: `Merlon Issuing CA ${account} ${region}`,
    days: ISSUING_DAYS,
    parent: root,
  })
  context.unit.put(at, made)
  context.unit.put(authorityById(made.id), made)
  return made
}

async function rootAuthority(context: Context): Promise<AuthorityRow> {
  const found = await context.unit.get<AuthorityRow>(rootKey)
  if (found) return found
  await context.vault.prepare(INSTALLATION)
  const commonName = `Merlon Root CA ${randomBytes(4).toString('hex')}`
  const made = await make(context, { account: INSTALLATION, name: 'acm/root', commonName, days: ROOT_DAYS })
  context.unit.put(rootKey, made)
  context.unit.put(authorityById(made.id), made)
  return made
}

async function make(
  { vault, now }: Context,
  of: {
    readonly account: string
    readonly name: string
    readonly commonName: string
    readonly days: number
    readonly parent?: AuthorityRow
  },
): Promise<AuthorityRow> {
  const home: MaterialContext = {
    table: 'acm/authority',
    key: of.name,
    column: 'key',
    account: of.account,
    name: of.name,
  }
  const { id, sealed, publicKey } = await vault.materials.generate(home, SPEC)
  const held: StoredMaterial = { home, spec: SPEC, id, sealed }
  const subject = nameOf(of.commonName)
  const parent = of.parent && certificateParts(derOf(of.parent.pem))
  const der = await buildCertificate(
    {
      serial: newSerial(),
      issuer: parent?.subject ?? subject,
      subject,
      publicKey: publicKey!,
      notBefore: new Date(now - BACKDATED_MS),
      notAfter: new Date(now + of.days * DAY_MS),
      algorithm: ALGORITHM,
      extensions: [
        basicConstraints(true, parent ? 0 : undefined),
        keyUsage('digitalSignature', 'keyCertSign', 'cRLSign'),
        subjectKeyId(publicKey!),
        ...(parent ? [authorityKeyId(keyIdOfSpki(parent.publicKey))] : []),
      ],
    },
    signer(vault, of.parent?.held ?? held),
  )
  return {
    id: id.slice(0, 32),
    pem: pem('CERTIFICATE', der),
    ...(of.parent && { parent: of.parent.pem }),
    held,
    createdAt: now,
  }
}

export const readIssuingAuthority = (
  reader: Pick<Unit, 'get'>,
  account: string,
  region: string,
): Promise<AuthorityRow | undefined> => reader.get<AuthorityRow>(issuingKey(account, region))

/** For revocation lists and status answers. */
export function issuerOf(row: AuthorityRow): Issuer {
  const { subject, publicKey } = certificateParts(derOf(row.pem))
  return { name: Buffer.from(subject), publicKey: Buffer.from(publicKey), algorithm: ALGORITHM }
}

export const signAs = (vault: Pick<Vault, 'materials'>, row: AuthorityRow): Sign => signer(vault, row.held)
