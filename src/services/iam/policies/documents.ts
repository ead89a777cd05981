/** Policy documents as IAM takes and gives them. */
import { PolicyError, type PolicyKind, parsePolicy } from '../../../policy/index.ts'
import { iam } from '../words.ts'

/** Refuses what IAM would not save, with its reason; returns the text, which is kept as it was written. */
export function checkedPolicy(text: string, kind: PolicyKind): string {
  try {
    parsePolicy(text, kind)
    return text
  } catch (error) {
    if (error instanceof PolicyError) throw iam.fail('MalformedPolicyDocumentException', error.message)
    throw error
  }
}

/** Quotas count characters without white space. */
export function policySize(text: string): number {
  return text.replace(/\s/g, '').length
}

/** IAM answers documents percent-encoded by RFC 3986. */
export function encodeDocument(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}
