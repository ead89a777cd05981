/** The certificates port: certificates that services and listeners of this installation use, provided by ACM. */
import { type Key, type Unit, under } from '../../store/store.ts'
import type { Reader } from '../state/reader.ts'
import { port } from './port.ts'

export interface UsableCertificate {
  /** PEM: the leaf, and behind it the chain without its root. */
  readonly chain: string
  /** PEM, PKCS #8. */
  readonly privateKey: string
  /** Changes with each renewal. */
  readonly serial: string
  /** Epoch milliseconds. */
  readonly notAfter: number
  readonly inUseBy: readonly string[]
}

export interface CertificatesPort {
  /** undefined when there is no such certificate, or it is not issued. */
  read(reader: Pick<Reader, 'get'>, arn: string): Promise<UsableCertificate | undefined>
  /** Adds what uses the certificate to its `InUseBy`, or removes it: one in use is renewed and cannot be deleted. */
  setUse(unit: Unit, arn: string, usedBy: string, isUsed: boolean): Promise<boolean>
}

/** Prefix of the documents that `read` reads. */
export const CERTIFICATE_DOCUMENTS: Key = under('acm', 'certificate')

export const certificates = port<CertificatesPort>('certificates')
