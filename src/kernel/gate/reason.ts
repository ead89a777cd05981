/** The reason that a caller states for a call, beyond AWS: recorded as `additionalEventData.merlonReason`. */
import { type HttpRequest, header } from '../../wire/http.ts'

/** Percent-encoded UTF-8, because headers hold ASCII only. */
const HEADER = 'x-amz-merlon-reason'
const ENCODED_CHARS_MAX = 2_048
const CHARS_MAX = 256

/** Undefined where there is none, or where it is not valid UTF-8. Control characters become blanks. */
export function reasonOf(request: Pick<HttpRequest, 'rawHeaders'>): string | undefined {
  const encoded = header(request, HEADER)
  if (encoded === undefined || encoded.length > ENCODED_CHARS_MAX) return undefined
  try {
    const text = decodeURIComponent(encoded)
      .replace(/[\p{Cc}\p{Cf}]/gu, ' ')
      .trim()
    return text === '' ? undefined : [...text].slice(0, CHARS_MAX).join('')
  } catch {
    return undefined
  }
}
