/** Deployment packages on their way in: signed calls of CreateFunction and UpdateFunctionCode. */
import type { Upload } from '../../kernel/service/traits.ts'

export const packageUpload: Upload = {
  matches: ({ method, url, authorization }) =>
    authorization !== undefined &&
    ((method === 'POST' && /^\/2015-03-31\/functions\/?$/.test(url)) ||
      (method === 'PUT' && /^\/2015-03-31\/functions\/[^/?]+\/code\/?$/.test(url))),
}
